//! Releases from the wish to the end.

use std::time::Duration;

use super::*;
use crate::config::ScoreRule;

const MINUTE: Micros = 60_000_000;

/// An endpoint with a clock and a counter of ids.
pub(super) struct Bench {
    pub endpoint: Endpoint,
    pub now: Micros,
    fresh: usize,
}

impl Bench {
    pub(super) fn new() -> Self {
        let canary = CanaryConfig { steps: vec![10, 50], bake: Duration::from_secs(600), requests: 100 };
        let score = Some(ScoreRule { metric: "accuracy".into(), min: 0.9, labels: 30 });
        let rollback = RollbackConfig {
            error_rate: Some(0.05),
            p99: Some(Duration::from_millis(250)),
            requests: 20,
            score,
            on_drift: true,
        };
        Self { endpoint: Endpoint::new(Rules { canary, rollback }), now: 0, fresh: 0 }
    }

    /// With version 1 live.
    fn with_live() -> Self {
        let mut bench = Self::new();
        bench.request("a", 1, ReleaseMode::Live);
        bench.ready("a");
        bench.now += 60 * MINUTE;
        bench
    }

    pub(super) fn fresh(&mut self) -> String {
        self.fresh += 1;
        format!("fresh-{}", self.fresh)
    }

    pub(super) fn apply(&mut self, event: Event) -> Vec<Action> {
        self.now += 1;
        self.endpoint.apply(event, self.now)
    }

    pub(super) fn request(&mut self, id: &str, version: u64, mode: ReleaseMode) -> Vec<Action> {
        let rollout = Rollout { mode, steps: Vec::new(), bake: None, requests: None };
        let plan = Plan::new(&rollout, self.endpoint.rules());
        self.apply(Event::Requested { release: id.into(), version, plan })
    }

    fn ready(&mut self, id: &str) -> Vec<Action> {
        self.apply(Event::Ready { release: id.into() })
    }

    fn tick(&mut self, requests: u64, errors: u64, p99_ms: u64) -> Vec<Action> {
        let candidate = Measured { requests, errors, p99: Duration::from_millis(p99_ms) };
        let fresh = self.fresh();
        self.apply(Event::Tick { live: Measured::default(), candidate, fresh })
    }

    fn alias(&mut self, version: u64, fresh: &str) -> Vec<Action> {
        self.apply(Event::AliasMoved { version, fresh: fresh.into() })
    }

    fn roll_back(&mut self, fresh: &str) -> Vec<Action> {
        self.apply(Event::RollbackRequested { by: "ann".into(), reason: "test".into(), fresh: fresh.into() })
    }

    fn phase(&self, id: &str) -> Phase {
        self.endpoint.release(id).expect("the release is known").phase
    }

    fn shares(&self) -> Vec<(String, u8)> {
        self.endpoint.traffic().into_iter().map(|share| (share.release, share.percent)).collect()
    }
}

fn shares(list: &[(&str, u8)]) -> Vec<(String, u8)> {
    list.iter().map(|(id, percent)| ((*id).to_owned(), *percent)).collect()
}

fn alias_moves(actions: &[Action]) -> Vec<u64> {
    let version = |action: &Action| match action {
        Action::MoveAlias { version, .. } => Some(*version),
        _ => None,
    };
    actions.iter().filter_map(version).collect()
}

#[test]
fn the_first_release_is_live_at_once_whatever_was_asked_for() {
    let mut bench = Bench::new();
    let actions = bench.request("a", 1, ReleaseMode::Canary);
    assert_eq!(actions, [Action::Load { release: "a".into(), version: 1 }]);
    assert_eq!(bench.shares(), []);
    let actions = bench.ready("a");
    assert_eq!(alias_moves(&actions), [1]);
    assert_eq!(bench.shares(), shares(&[("a", 100)]));
}

#[test]
fn a_canary_climbs_its_steps_and_takes_the_alias_along() {
    let mut bench = Bench::with_live();
    bench.request("b", 2, ReleaseMode::Canary);
    assert_eq!(bench.shares(), shares(&[("a", 100)]));
    bench.ready("b");
    assert_eq!(bench.shares(), shares(&[("a", 90), ("b", 10)]));

    // Time alone is not enough, and requests alone are not either.
    bench.now += 11 * MINUTE;
    assert_eq!(bench.tick(99, 0, 10), []);
    bench.now -= 5 * MINUTE;
    assert_eq!(bench.tick(100, 0, 10), []);
    bench.now += 5 * MINUTE;
    bench.tick(100, 0, 10);
    assert_eq!(bench.shares(), shares(&[("a", 50), ("b", 50)]));

    bench.now += 11 * MINUTE;
    let actions = bench.tick(200, 0, 10);
    assert_eq!(alias_moves(&actions), [2]);
    assert_eq!((bench.phase("a"), bench.phase("b")), (Phase::Retired, Phase::Live));
    assert_eq!(bench.shares(), shares(&[("b", 100)]));
}

#[test]
fn a_paused_canary_keeps_its_share_and_still_obeys_its_rules() {
    let mut bench = Bench::with_live();
    bench.request("b", 2, ReleaseMode::Canary);
    bench.ready("b");
    bench.apply(Event::Paused { by: "monitor:drift".into(), reason: "drift".into() });
    bench.now += 60 * MINUTE;
    assert_eq!(bench.tick(1000, 0, 10), []);
    assert_eq!(bench.shares(), shares(&[("a", 90), ("b", 10)]));
    bench.apply(Event::Continued { by: "ann".into() });
    assert_eq!(bench.tick(1000, 0, 10), []);
    bench.now += 11 * MINUTE;
    bench.tick(1000, 0, 10);
    assert_eq!(bench.shares(), shares(&[("a", 50), ("b", 50)]));
    bench.apply(Event::Paused { by: "ann".into(), reason: String::new() });
    bench.tick(1000, 51, 10);
    assert_eq!(bench.phase("b"), Phase::RolledBack);
}

#[test]
fn a_candidate_that_only_fails_is_out_before_a_tick() {
    let mut bench = Bench::with_live();
    bench.request("b", 2, ReleaseMode::Canary);
    bench.ready("b");
    let failed = |bench: &mut Bench, errors| {
        let measured = Measured { requests: errors, errors, p99: Duration::ZERO };
        let fresh = bench.fresh();
        bench.apply(Event::Failed { release: "b".into(), measured, fresh })
    };
    assert_eq!(failed(&mut bench, 1), []);
    // Two of at least twenty are more than 5 % already.
    let actions = failed(&mut bench, 2);
    assert!(matches!(&actions[0], Action::RollBack { reason: Reason::ErrorRate { errors: 2, .. }, .. }), "{actions:?}");
    assert_eq!(bench.shares(), shares(&[("a", 100)]));
    assert!(bench.endpoint.release("b").unwrap().reason.as_ref().unwrap().contains("2 of 2 requests"));
    assert_eq!(alias_moves(&actions), [] as [u64; 0]);
}

#[test]
fn a_slow_candidate_is_taken_back_once_there_are_enough_requests() {
    let mut bench = Bench::with_live();
    bench.request("b", 2, ReleaseMode::Shadow);
    bench.ready("b");
    assert_eq!((bench.phase("b"), bench.shares()), (Phase::Shadow, shares(&[("a", 100)])));
    assert_eq!(bench.tick(19, 0, 400), []);
    bench.tick(20, 0, 400);
    assert_eq!(bench.phase("b"), Phase::RolledBack);
}

#[test]
fn drift_and_scores_take_a_canary_back() {
    for event in [
        Event::DriftFound { message: "psi of `x` is 0.4".into() },
        Event::ScoreMeasured { version: 2, metric: "accuracy".into(), value: f64::NAN, labels: 30, fresh: "c".into() },
    ] {
        let mut bench = Bench::with_live();
        bench.request("b", 2, ReleaseMode::Canary);
        bench.ready("b");
        bench.apply(event);
        assert_eq!((bench.phase("a"), bench.phase("b")), (Phase::Live, Phase::RolledBack));
    }
}

#[test]
fn a_live_release_answers_until_the_one_before_it_is_back() {
    let mut bench = Bench::with_live();
    bench.alias(2, "b");
    bench.ready("b");
    let actions = bench.roll_back("c");
    assert_eq!(alias_moves(&actions), [1]);
    assert_eq!(bench.shares(), shares(&[("b", 100)]));
    // Asking twice changes nothing but what is under way.
    bench.ready("c");
    assert_eq!((bench.phase("b"), bench.phase("c")), (Phase::RolledBack, Phase::Live));
    assert_eq!(bench.shares(), shares(&[("c", 100)]));
    assert_eq!(bench.endpoint.rollback_target(), None);
    let actions = bench.roll_back("d");
    assert_eq!(actions, []);
}

#[test]
fn a_live_release_on_probation_is_taken_back_for_its_errors() {
    let mut bench = Bench::with_live();
    bench.alias(2, "b");
    bench.ready("b");
    let measured = Measured { requests: 10, errors: 10, p99: Duration::ZERO };
    let actions = bench.apply(Event::Failed { release: "b".into(), measured, fresh: "c".into() });
    assert_eq!(alias_moves(&actions), [1]);
    bench.ready("c");
    bench.now += 60 * MINUTE;
    // Later the fault may lie elsewhere, and there is nothing to go back to.
    assert_eq!(bench.apply(Event::Failed { release: "c".into(), measured, fresh: "d".into() }), []);
}

#[test]
fn a_version_that_cannot_be_loaded_leaves_the_live_one_alone() {
    let mut bench = Bench::with_live();
    bench.alias(2, "b");
    bench.apply(Event::LoadFailed { release: "b".into(), message: "no such blob".into() });
    assert_eq!((bench.phase("a"), bench.phase("b")), (Phase::Live, Phase::RolledBack));
    assert!(bench.endpoint.standing().message.as_ref().unwrap().contains("no such blob"));
    // The alias still says 2: it is not tried for ever.
    assert_eq!(bench.alias(2, "c"), []);
    bench.alias(3, "d");
    bench.ready("d");
    assert_eq!(bench.endpoint.standing().message, None);
}

#[test]
fn somebody_else_moves_the_alias() {
    let mut bench = Bench::with_live();
    bench.request("b", 2, ReleaseMode::Canary);
    bench.ready("b");
    // To the version on trial: it is live now.
    bench.alias(2, "c");
    assert_eq!((bench.phase("a"), bench.phase("b")), (Phase::Retired, Phase::Live));
    // To another one: the trial ends.
    bench.request("d", 3, ReleaseMode::Canary);
    bench.ready("d");
    bench.alias(4, "e");
    assert_eq!((bench.phase("d"), bench.phase("e")), (Phase::Retired, Phase::Pending));
    // And back, before anything was ready.
    bench.alias(2, "f");
    assert_eq!((bench.phase("b"), bench.phase("e")), (Phase::Live, Phase::Retired));
    assert_eq!(bench.endpoint.incoming(), None);
}

#[test]
fn a_wish_for_a_live_release_moves_the_alias_when_it_is_ready() {
    let mut bench = Bench::with_live();
    bench.request("b", 2, ReleaseMode::Live);
    assert_eq!(bench.alias(1, "x"), []);
    let actions = bench.ready("b");
    assert_eq!(alias_moves(&actions), [2]);
    assert_eq!(bench.shares(), shares(&[("b", 100)]));
}

#[test]
fn an_incoming_release_that_is_taken_back_takes_the_alias_back() {
    let mut bench = Bench::with_live();
    bench.alias(2, "b");
    let actions = bench.roll_back("c");
    assert_eq!(alias_moves(&actions), [1]);
    assert_eq!((bench.phase("a"), bench.phase("b")), (Phase::Live, Phase::RolledBack));
}

#[test]
fn what_was_kept_goes_on_where_it_was() {
    let mut bench = Bench::with_live();
    bench.request("b", 2, ReleaseMode::Canary);
    bench.ready("b");
    let text = serde_json::to_string(bench.endpoint.releases()).unwrap();
    let endpoint = &bench.endpoint;
    let releases = serde_json::from_str(&text).unwrap();
    bench.endpoint = Endpoint::restore(endpoint.rules().clone(), endpoint.standing().clone(), releases);
    assert_eq!(bench.shares(), []);
    bench.ready("b");
    assert_eq!(bench.shares(), []);
    bench.ready("a");
    assert_eq!(bench.shares(), shares(&[("a", 90), ("b", 10)]));
}
