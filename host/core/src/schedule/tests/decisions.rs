//! What is decided where times overlap, were missed, or the clock is moved.

use std::time::Duration;

use super::{at, cron, every};
use crate::config::{CatchUp, Overlap, SchedulePolicy};
use crate::run::Micros;
use crate::schedule::{Calendar, Decision, Load, Schedule, SkipReason, State, Verdict, due, first_look, jitter};

const MINUTE: Micros = 60_000_000;
const HOUR: Micros = 60 * MINUTE;

fn policy(overlap: Overlap, catch_up: CatchUp) -> SchedulePolicy {
    SchedulePolicy { overlap, catch_up, jitter: Duration::ZERO }
}

fn ask(calendar: &Calendar, policy: SchedulePolicy, state: State, now: Micros) -> Verdict {
    due(Schedule { name: "s", calendar, policy }, state, now)
}

fn state(cursor: Micros, watched: Micros, load: Load) -> State {
    State { cursor, watched, load }
}

const IDLE: Load = Load { active: 0, waiting: 0 };
const BUSY: Load = Load { active: 1, waiting: 0 };

#[test]
fn nothing_is_due_before_its_time() {
    let calendar = every(60, 0);
    let verdict = ask(&calendar, SchedulePolicy::default(), state(0, 0, IDLE), MINUTE - 1);
    assert_eq!(verdict, Verdict { decisions: vec![], cursor: 0, next: Some(MINUTE) });
    let verdict = ask(&calendar, SchedulePolicy::default(), state(0, 0, IDLE), MINUTE);
    let expected =
        Verdict { decisions: vec![Decision::Fire { nominal: MINUTE }], cursor: MINUTE, next: Some(2 * MINUTE) };
    assert_eq!(verdict, expected);
}

/// A day without a server, and a schedule of every minute: none, one, or so many runs.
#[test]
fn catching_up_after_a_day() {
    let calendar = cron("* * * * *", "Europe/Berlin");
    let asleep = at("2026-03-28T12:00:00Z");
    let now = asleep + 24 * HOUR + 30_000_000;
    let verdict = |catch_up| ask(&calendar, policy(Overlap::Skip, catch_up), state(asleep, now, IDLE), now);
    let last = asleep + 24 * HOUR;

    let none = verdict(CatchUp::Skip);
    assert_eq!(none.decisions, [Decision::Missed { first: asleep + MINUTE, until: last + 1 }]);
    let one = verdict(CatchUp::Latest);
    let missed = Decision::Missed { first: asleep + MINUTE, until: last };
    assert_eq!(one.decisions, [missed, Decision::Fire { nominal: last }]);
    let many = verdict(CatchUp::All(100));
    assert_eq!(many.decisions.len(), 101);
    assert_eq!(many.decisions[0], Decision::Missed { first: asleep + MINUTE, until: last - 99 * MINUTE });
    assert_eq!(many.decisions[1], Decision::Fire { nominal: last - 99 * MINUTE });
    assert_eq!(many.decisions[100], Decision::Wait { nominal: last });
    let all = verdict(CatchUp::All(1000));
    assert_eq!(all.decisions.len(), 1001);
    for verdict in [none, one, many, all] {
        assert_eq!((verdict.cursor, verdict.next), (last, Some(last + MINUTE)));
    }
}

#[test]
fn what_falls_due_while_somebody_watches_is_never_missed() {
    let calendar = every(60, 0);
    // The host was busy for three minutes and is late for three times.
    let verdict = ask(&calendar, policy(Overlap::Queue, CatchUp::Skip), state(0, 1, IDLE), 3 * MINUTE + 5);
    let expected = [
        Decision::Fire { nominal: MINUTE },
        Decision::Wait { nominal: 2 * MINUTE },
        Decision::Wait { nominal: 3 * MINUTE },
    ];
    assert_eq!(verdict.decisions, expected);
}

#[test]
fn overlap_skips_waits_or_replaces() {
    let calendar = every(60, 0);
    let one = |overlap, load| ask(&calendar, policy(overlap, CatchUp::Latest), state(0, 0, load), MINUTE).decisions[0];
    let nominal = MINUTE;
    assert_eq!(one(Overlap::Skip, BUSY), Decision::Skip { nominal, why: SkipReason::Overlap });
    assert_eq!(one(Overlap::Queue, BUSY), Decision::Wait { nominal });
    assert_eq!(one(Overlap::Replace, BUSY), Decision::Replace { nominal });
    // What waits comes first, even where nothing runs just now.
    let waiting = Load { active: 0, waiting: 1 };
    assert_eq!(one(Overlap::Queue, waiting), Decision::Wait { nominal });
    let full = Load { active: 1, waiting: 1000 };
    assert_eq!(one(Overlap::Queue, full), Decision::Skip { nominal, why: SkipReason::TooManyWaiting });
    for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Replace] {
        assert_eq!(one(overlap, IDLE), Decision::Fire { nominal });
    }
    // Two at once: the first would be replaced before it began.
    let two = ask(&calendar, policy(Overlap::Replace, CatchUp::Latest), state(0, 0, BUSY), 2 * MINUTE).decisions;
    let replaced = Decision::Skip { nominal, why: SkipReason::Replaced };
    assert_eq!(two, [replaced, Decision::Replace { nominal: 2 * MINUTE }]);
}

#[test]
fn a_clock_that_is_moved_fires_nothing_twice() {
    let calendar = every(60, 0);
    let policy = policy(Overlap::Skip, CatchUp::Latest);
    let noon = at("2026-06-01T12:00:00Z");
    for jump in [HOUR, 24 * HOUR] {
        // Forward: one of the times in between, and the clock goes on from there.
        let now = noon + jump + 1;
        let ahead = ask(&calendar, policy, state(noon, now, IDLE), now);
        let fired: Vec<_> =
            ahead.decisions.iter().filter(|decision| matches!(decision, Decision::Fire { .. })).collect();
        assert_eq!(fired, [&Decision::Fire { nominal: noon + jump }]);
        // And back: nothing until the clock has passed what was decided.
        let back = ask(&calendar, policy, state(ahead.cursor, noon, IDLE), noon);
        assert_eq!((back.decisions, back.cursor), (vec![], noon + jump));
        let later = ask(&calendar, policy, state(noon + jump, noon, IDLE), noon + jump + MINUTE);
        assert_eq!(later.decisions, [Decision::Fire { nominal: noon + jump + MINUTE }]);
        // Back only: the same.
        let back = ask(&calendar, policy, state(noon, noon - jump, IDLE), noon - jump + MINUTE);
        assert_eq!((back.decisions, back.cursor), (vec![], noon));
    }
}

#[test]
fn jitter_is_stable_and_within_its_bound() {
    let most = Duration::from_secs(30);
    let mut seen = std::collections::BTreeSet::new();
    for name in 0..1000 {
        let name = format!("s{name}");
        let late = jitter(&name, MINUTE, most);
        assert!((0..30_000_000).contains(&late));
        assert_eq!(late, jitter(&name, MINUTE, most));
        seen.insert(late / 1_000_000);
    }
    assert_eq!(seen.len(), 30, "a thousand schedules are spread over thirty seconds");
    assert_eq!(jitter("s", MINUTE, Duration::ZERO), 0);

    let calendar = every(60, 0);
    let policy = SchedulePolicy { jitter: most, ..SchedulePolicy::default() };
    let late = jitter("s", MINUTE, most);
    assert_eq!(first_look(Schedule { name: "s", calendar: &calendar, policy }, 0), Some(MINUTE + late));
    assert_eq!(ask(&calendar, policy, state(0, 0, IDLE), MINUTE + late - 1).decisions, []);
    assert_eq!(
        ask(&calendar, policy, state(0, 0, IDLE), MINUTE + late).decisions,
        [Decision::Fire { nominal: MINUTE }]
    );
}

#[test]
fn a_long_absence_costs_no_more_than_a_short_one() {
    // A hundred years of seconds.
    let now = 100 * 365 * 24 * HOUR + 500_000;
    let verdict = ask(&every(1, 0), policy(Overlap::Skip, CatchUp::All(1000)), state(0, now, IDLE), now);
    assert_eq!(verdict.decisions.len(), 1001);
    assert_eq!(verdict.cursor, now - 500_000);
}
