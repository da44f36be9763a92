//! What holds after any events in any order.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::tests::Bench;
use super::*;

#[derive(Clone, Debug)]
enum Move {
    Request(u64, u8),
    Ready(prop::sample::Index),
    LoadFailed(prop::sample::Index),
    Tick(u64, u64, u64),
    Failed(prop::sample::Index, u64),
    Alias(u64),
    RollBack,
    Withdraw(prop::sample::Index),
    Pause,
    Continue,
    Drift,
    Score(u64),
    Restart,
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let any_release = || any::<prop::sample::Index>();
    let one = prop_oneof![
        3 => (1..6u64, 0..3u8).prop_map(|(version, mode)| Move::Request(version, mode)),
        6 => any_release().prop_map(Move::Ready),
        1 => any_release().prop_map(Move::LoadFailed),
        4 => (0..300u64, 0..30u64, 0..400u64).prop_map(|(requests, errors, p99)| Move::Tick(requests, errors, p99)),
        2 => (any_release(), 0..40u64).prop_map(|(release, errors)| Move::Failed(release, errors)),
        2 => (1..6u64).prop_map(Move::Alias),
        2 => Just(Move::RollBack),
        1 => any_release().prop_map(Move::Withdraw),
        1 => Just(Move::Pause),
        1 => Just(Move::Continue),
        1 => Just(Move::Drift),
        1 => (1..6u64).prop_map(Move::Score),
        1 => Just(Move::Restart),
        3 => (0..1_200i64).prop_map(|seconds| Move::Wait(seconds * 1_000_000)),
    ];
    proptest::collection::vec(one, 1..80)
}

fn event(bench: &mut Bench, step: &Move) -> Option<Event> {
    let ids: Vec<String> = bench.endpoint.releases().iter().map(|release| release.id.clone()).collect();
    let pick = |index: &prop::sample::Index| (!ids.is_empty()).then(|| ids[index.index(ids.len())].clone());
    let fresh = bench.fresh();
    let measured = |requests, errors, p99| Measured { requests, errors, p99: Duration::from_millis(p99) };
    Some(match step {
        Move::Request(version, mode) => {
            let mode = [ReleaseMode::Live, ReleaseMode::Canary, ReleaseMode::Shadow][usize::from(*mode)];
            let rollout = Rollout { mode, steps: Vec::new(), bake: None, requests: None };
            let plan = Plan::new(&rollout, bench.endpoint.rules());
            Event::Requested { release: fresh, version: *version, plan }
        }
        Move::Ready(index) => Event::Ready { release: pick(index)? },
        Move::LoadFailed(index) => Event::LoadFailed { release: pick(index)?, message: "broken".into() },
        Move::Tick(requests, errors, p99) => {
            let (live, candidate) = (measured(*requests, 0, 0), measured(*requests, *errors, *p99));
            Event::Tick { live, candidate, fresh }
        }
        Move::Failed(index, errors) => {
            Event::Failed { release: pick(index)?, measured: measured(errors * 2, *errors, 0), fresh }
        }
        Move::Alias(version) => Event::AliasMoved { version: *version, fresh },
        Move::RollBack => Event::RollbackRequested { by: "ann".into(), reason: String::new(), fresh },
        Move::Withdraw(index) => Event::Withdrawn { release: pick(index)?, by: "ann".into(), fresh },
        Move::Pause => Event::Paused { by: "ann".into(), reason: String::new() },
        Move::Continue => Event::Continued { by: "ann".into() },
        Move::Drift => Event::DriftFound { message: "psi".into() },
        Move::Score(version) => {
            Event::ScoreMeasured { version: *version, metric: "accuracy".into(), value: 0.5, labels: 50, fresh }
        }
        Move::Restart => {
            let (rules, standing) = (bench.endpoint.rules().clone(), bench.endpoint.standing().clone());
            let releases = bench.endpoint.releases().to_vec();
            bench.endpoint = Endpoint::restore(rules, standing, releases);
            bench.endpoint.mark_ready(|_| false);
            return None;
        }
        Move::Wait(micros) => {
            bench.now += micros;
            return None;
        }
    })
}

fn check(endpoint: &Endpoint) -> Result<(), TestCaseError> {
    let traffic = endpoint.traffic();
    let sum: u32 = traffic.iter().map(|share| u32::from(share.percent)).sum();
    prop_assert!(traffic.is_empty() || sum == 100, "{traffic:?}");
    for share in &traffic {
        let release = endpoint.release(&share.release).expect("traffic goes to known releases");
        prop_assert!(release.ready && !release.is_over(), "{release:?} gets traffic");
        prop_assert!(release.phase != Phase::Shadow && release.phase != Phase::Pending, "{release:?} gets traffic");
        prop_assert!(share.percent > 0);
    }
    let count = |which: fn(&Release) -> bool| endpoint.releases().iter().filter(|release| which(release)).count();
    prop_assert!(count(|release| release.phase == Phase::Live) <= 1, "two are live");
    prop_assert!(count(Release::is_candidate) <= 1, "two candidates");
    prop_assert!(count(Release::is_incoming) <= 1, "two are about to be live");
    prop_assert!(endpoint.live().is_none_or(|live| live.leaving.is_none()) || endpoint.incoming().is_some());
    Ok(())
}

proptest! {
    #[test]
    fn any_events_in_any_order(moves in moves()) {
        let mut bench = Bench::new();
        let mut over = BTreeSet::new();
        let mut was_live = false;
        for step in &moves {
            let Some(event) = event(&mut bench, step) else { continue };
            let before = bench.endpoint.traffic();
            let actions = bench.apply(event);
            check(&bench.endpoint)?;
            let told = actions.iter().rev().find_map(|action| match action {
                Action::SetTraffic { shares } => Some(shares.clone()),
                _ => None,
            });
            prop_assert_eq!(told.unwrap_or(before), bench.endpoint.traffic());
            // Once something is live, something stays live.
            prop_assert!(!was_live || bench.endpoint.live().is_some());
            was_live |= bench.endpoint.live().is_some();
            for release in bench.endpoint.releases() {
                prop_assert!(!over.contains(&release.id) || release.is_over(), "`{}` came back", release.id);
                prop_assert!(!release.is_over() || release.reason.is_some(), "`{}` ended without a reason", release.id);
                if release.is_over() {
                    over.insert(release.id.clone());
                }
            }
        }
    }
}
