//! What retention lets go: a decision over facts, which the store gives and carries out. Knows no table and no clock.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Retention;
use crate::run::Micros;

/// What the decision needs to know of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFacts {
    pub id: String,
    pub pipeline: String,
    pub created: Micros,
    /// Absent while it has not ended.
    pub ended: Option<Micros>,
    /// What still needs it: a model version, an approval, another run. Empty: nothing.
    pub needed_by: Vec<String>,
}

/// Up to which time what is over goes. Absent: nothing goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cutoffs {
    /// Log lines of runs that ended before.
    pub logs: Option<Micros>,
    /// Points of metrics of runs that ended before.
    pub metrics: Option<Micros>,
    /// Rows that were answered before.
    pub inference: Option<Micros>,
    /// Artifacts that no run made or used, recorded before: they go as runs do.
    pub artifacts: Option<Micros>,
}

/// The times of a policy, counted back from `now`.
pub fn cutoffs(policy: &Retention, now: Micros) -> Cutoffs {
    let before = |time: Option<Duration>| time.map(|time| now.saturating_sub(micros(time)));
    Cutoffs {
        logs: before(policy.logs),
        metrics: before(policy.metrics),
        inference: before(policy.inference),
        artifacts: before(policy.runs),
    }
}

/// The runs that go: ended longer ago than the policy keeps runs, not among the newest of their pipeline, needed by
/// nothing. In the order of `runs`.
pub fn expired_runs<'r>(policy: &Retention, runs: &'r [RunFacts], now: Micros) -> Vec<&'r RunFacts> {
    let Some(kept) = policy.runs else { return Vec::new() };
    let cutoff = now.saturating_sub(micros(kept));
    let mut by_pipeline: BTreeMap<&str, Vec<&RunFacts>> = BTreeMap::new();
    for run in runs {
        by_pipeline.entry(&run.pipeline).or_default().push(run);
    }
    let newest = by_pipeline.into_values().flat_map(|mut runs| {
        runs.sort_by(|one, other| other.created.cmp(&one.created).then_with(|| other.id.cmp(&one.id)));
        runs.into_iter().take(usize::try_from(policy.keep_last).unwrap_or(usize::MAX))
    });
    let newest: std::collections::BTreeSet<&str> = newest.map(|run| run.id.as_str()).collect();
    let goes = |run: &&RunFacts| {
        run.ended.is_some_and(|ended| ended < cutoff) && run.needed_by.is_empty() && !newest.contains(run.id.as_str())
    };
    runs.iter().filter(goes).collect()
}

fn micros(time: Duration) -> Micros {
    Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Micros = 86_400_000_000;
    const NOW: Micros = 1_000 * DAY;

    fn policy(days: u64, keep_last: u64) -> Retention {
        Retention { runs: Some(Duration::from_secs(days * 86_400)), keep_last, ..Retention::default() }
    }

    fn run(id: &str, pipeline: &str, age: i64) -> RunFacts {
        let created = NOW - age * DAY;
        RunFacts { id: id.into(), pipeline: pipeline.into(), created, ended: Some(created + 1), needed_by: Vec::new() }
    }

    #[test]
    fn lets_go_what_is_old_and_needed_by_nothing() {
        let mut runs = vec![run("a", "p", 100), run("b", "p", 91), run("c", "p", 89), run("d", "q", 100)];
        let ids = |runs: &[RunFacts], keep| {
            expired_runs(&policy(90, keep), runs, NOW).iter().map(|run| run.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&runs, 0), ["a", "b", "d"]);
        assert_eq!(ids(&runs, 1), ["a", "b"]);
        assert_eq!(ids(&runs, 2), ["a"]);
        runs[0].needed_by.push("model version `m` 1".into());
        runs[1].ended = None;
        assert_eq!(ids(&runs, 0), ["d"]);
        assert!(expired_runs(&Retention::default(), &runs, NOW).is_empty());
    }

    proptest! {
        #[test]
        fn keeps_the_newest_the_young_and_the_needed(
            runs in prop::collection::vec((0_i64..200, 0_u8..3, any::<bool>(), any::<bool>()), 0..60),
            keep_last in 0_u64..5,
        ) {
            let facts = runs.iter().enumerate().map(|(at, (age, pipeline, ended, needed))| {
                let mut run = run(&format!("r{at}"), &format!("p{pipeline}"), *age);
                if !ended { run.ended = None; }
                if *needed { run.needed_by.push("x".into()); }
                run
            });
            let facts: Vec<_> = facts.collect();
            let gone = expired_runs(&policy(90, keep_last), &facts, NOW);
            for run in &gone {
                prop_assert!(run.needed_by.is_empty());
                prop_assert!(run.ended.unwrap() < NOW - 90 * DAY);
                let newer = facts.iter().filter(|other| other.pipeline == run.pipeline
                    && (other.created, &other.id) > (run.created, &run.id)).count();
                prop_assert!(newer as u64 >= keep_last);
            }
            let old = |run: &RunFacts| run.ended.is_some_and(|ended| ended < NOW - 90 * DAY);
            let may_go = |run: &&RunFacts| run.needed_by.is_empty() && old(run);
            if keep_last == 0 {
                prop_assert_eq!(gone.len(), facts.iter().filter(may_go).count());
            }
        }
    }
}
