//! Every pattern, zone and clock: against a walk over each minute, and against each other.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::cron;
use crate::config::{CatchUp, Overlap, SchedulePolicy};
use crate::run::Micros;
use crate::schedule::{Decision, Load, Schedule, State, due, zone};

const MINUTE: Micros = 60_000_000;

/// Changes of clocks: the zone, and an hour near one.
const CHANGES: [(&str, &str); 8] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Asia/Kathmandu", "2026-04-23T22:00:00Z"),
];

fn minutes() -> impl Strategy<Value = (String, BTreeSet<i8>)> {
    prop_oneof![
        Just(("*".to_owned(), (0..60).collect())),
        Just(("*/20".to_owned(), [0, 20, 40].into())),
        proptest::collection::btree_set(0..60i8, 1..4).prop_map(|set| (listed(&set), set)),
    ]
}

fn hours() -> impl Strategy<Value = (String, BTreeSet<i8>)> {
    prop_oneof![
        Just(("*".to_owned(), (0..24).collect())),
        Just(("*/2".to_owned(), (0..24).step_by(2).collect())),
        proptest::collection::btree_set(0..5i8, 1..4).prop_map(|set| (listed(&set), set)),
    ]
}

fn listed(set: &BTreeSet<i8>) -> String {
    set.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Walks over wall-clock minutes or real ones, as the hours ask for.
fn expected(
    zone: &TimeZone,
    by_instant: bool,
    matches: impl Fn(DateTime) -> bool,
    from: Micros,
    to: Micros,
) -> Vec<Micros> {
    if by_instant {
        let shown = |at: &Micros| zone.to_datetime(Timestamp::from_microsecond(*at).unwrap());
        let first = from.div_euclid(MINUTE) * MINUTE + MINUTE;
        return (first..=to).step_by(MINUTE as usize).filter(|at| matches(shown(at))).collect();
    }
    let instant = |micros| zone.to_datetime(Timestamp::from_microsecond(micros).unwrap());
    let day = SignedDuration::from_hours(26);
    let (mut civil, end) = (instant(from).checked_sub(day).unwrap(), instant(to).checked_add(day).unwrap());
    civil = civil.date().at(0, 0, 0, 0);
    let mut found = BTreeSet::new();
    while civil < end {
        if matches(civil) {
            found.insert(first_instant_by_walking(zone, civil));
        }
        civil = civil.checked_add(SignedDuration::from_mins(1)).unwrap();
    }
    found.into_iter().filter(|at| *at > from && *at <= to).collect()
}

/// The first minute at which a clock shows `civil` or, having skipped it, something later.
fn first_instant_by_walking(zone: &TimeZone, civil: DateTime) -> Micros {
    let mut at = civil.to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond() - 15 * 60 * MINUTE;
    let shown = |at: Micros| zone.to_datetime(Timestamp::from_microsecond(at).unwrap());
    // Coarse, then fine.
    while shown(at + 180 * MINUTE) < civil {
        at += 60 * MINUTE;
    }
    while shown(at) < civil {
        at += MINUTE;
    }
    at
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nominal_times_are_those_of_a_walk_over_minutes(
        (minute, minutes) in minutes(), (hour, hours) in hours(), change in 0..CHANGES.len(), before in 0..24 * 60i64,
    ) {
        let (name, change) = CHANGES[change];
        let from = change.parse::<Timestamp>().unwrap().as_microsecond() - before * MINUTE + 30_000_000;
        let to = from + 36 * 60 * MINUTE;
        let calendar = cron(&format!("{minute} {hour} * * *"), name);
        let found: Vec<Micros> = calendar.after(from).take_while(|at| *at <= to).collect();
        let matches = |civil: DateTime| hours.contains(&civil.hour()) && minutes.contains(&civil.minute());
        prop_assert_eq!(&found, &expected(&zone(name).unwrap(), hour.contains('*'), matches, from, to));
        // Whoever looks back finds the same.
        for most in [1, 3, 100] {
            let (last, more) = calendar.last(from, to, most);
            prop_assert_eq!(&last[..], &found[found.len().saturating_sub(most)..]);
            prop_assert_eq!(more, found.len() > most);
        }
    }

    /// Whatever the clock does: times are decided in their order, each once, none before it has come.
    #[test]
    fn a_clock_may_jump_as_it_likes(
        jumps in proptest::collection::vec(prop_oneof![
            4 => 0..300_000_000i64,
            1 => -86_400_000_000..86_400_000_000i64,
            1 => Just(3_600_000_000),
            1 => Just(-3_600_000_000),
        ], 1..60),
        overlap in prop_oneof![Just(Overlap::Skip), Just(Overlap::Queue), Just(Overlap::Replace)],
        catch_up in prop_oneof![Just(CatchUp::Skip), Just(CatchUp::Latest), (1..50u32).prop_map(CatchUp::All)],
        jitter in 0..90u64, busy in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let calendar = cron("*/5 * * * *", "Europe/Berlin");
        let policy = SchedulePolicy { overlap, catch_up, jitter: Duration::from_secs(jitter) };
        let schedule = Schedule { name: "s", calendar: &calendar, policy };
        let mut now = "2026-10-25T00:00:00Z".parse::<Timestamp>().unwrap().as_microsecond();
        let (mut cursor, mut watched) = (now, now);
        let mut decided = BTreeSet::new();
        for (jump, busy) in jumps.into_iter().zip(busy) {
            now += jump;
            if !(0..=30_000_000).contains(&jump) { watched = now; }
            let load = Load { active: u32::from(busy), waiting: 0 };
            let verdict = due(schedule, State { cursor, watched, load }, now);
            prop_assert!(verdict.cursor >= cursor);
            prop_assert!(verdict.next.is_none_or(|next| next > verdict.cursor));
            let mut made_up = 0;
            for decision in &verdict.decisions {
                let (Decision::Fire { nominal } | Decision::Replace { nominal } | Decision::Wait { nominal }
                    | Decision::Skip { nominal, .. }) = *decision else { continue };
                made_up += 1;
                prop_assert!(nominal > cursor && nominal <= now && nominal <= verdict.cursor);
                prop_assert!(decided.last().is_none_or(|last| *last < nominal), "in order, and none twice");
                decided.insert(nominal);
            }
            let bound = match catch_up {
                CatchUp::Skip => 0,
                CatchUp::Latest => 1,
                CatchUp::All(most) => most as usize,
            };
            if watched == now { prop_assert!(made_up <= bound + 1); }
            cursor = verdict.cursor;
        }
    }
}
