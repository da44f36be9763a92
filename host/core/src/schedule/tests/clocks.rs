//! What fires where clocks are changed.

use super::{at, between, cron, every};
use crate::schedule::{CronError, Timing, day_in, zone};

#[test]
fn a_fixed_time_fires_once_a_day_through_gap_and_fold() {
    // 29 March 2026, 01:00Z: 02:00 becomes 03:00. 25 October 2026, 01:00Z: 03:00 becomes 02:00.
    let nightly = cron("30 2 * * *", "Europe/Berlin");
    assert_eq!(
        between(&nightly, "2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z"),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        between(&nightly, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    // 8 March 2026, 07:00Z: 02:00 becomes 03:00. 1 November 2026, 06:00Z: 02:00 becomes 01:00.
    let nightly = cron("30 2 * * *", "America/New_York");
    assert_eq!(
        between(&nightly, "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z"),
        ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]
    );
    let nightly = cron("30 1 * * *", "America/New_York");
    assert_eq!(
        between(&nightly, "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z"),
        ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    );
}

#[test]
fn a_shift_of_half_an_hour_is_no_exception() {
    // 3 October 2026, 15:30Z: 02:00 becomes 02:30. 4 April 2026, 15:00Z: 02:00 becomes 01:30.
    let inside = cron("15 2 * * *", "Australia/Lord_Howe");
    assert_eq!(
        between(&inside, "2026-10-02T18:00:00Z", "2026-10-04T18:00:00Z"),
        ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]
    );
    let twice = cron("45 1 * * *", "Australia/Lord_Howe");
    assert_eq!(
        between(&twice, "2026-04-03T18:00:00Z", "2026-04-05T18:00:00Z"),
        ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]
    );
    let quarters = cron("*/15 * * * *", "Australia/Lord_Howe");
    assert_eq!(between(&quarters, "2026-04-04T13:00:00Z", "2026-04-04T17:00:00Z").len(), 16);
    assert_eq!(between(&quarters, "2026-10-03T13:00:00Z", "2026-10-03T17:00:00Z").len(), 16);
}

#[test]
fn every_hour_means_every_real_hour() {
    let hourly = cron("0 * * * *", "Europe/Berlin");
    assert_eq!(
        between(&hourly, "2026-03-28T23:30:00Z", "2026-03-29T03:00:00Z"),
        ["2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z"]
    );
    assert_eq!(
        between(&hourly, "2026-10-24T23:30:00Z", "2026-10-25T03:00:00Z"),
        ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"]
    );
    // A repeated hour that the step names fires twice, one that is skipped does not come.
    let other = cron("0 */2 * * *", "Europe/Berlin");
    assert_eq!(
        between(&other, "2026-10-24T22:30:00Z", "2026-10-25T03:30:00Z"),
        ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T03:00:00Z"]
    );
    assert_eq!(
        between(&other, "2026-03-28T22:30:00Z", "2026-03-29T02:30:00Z"),
        ["2026-03-28T23:00:00Z", "2026-03-29T02:00:00Z"]
    );
}

/// Minutes of a fixed hour are fixed times, each of them once: those of a skipped hour come together, as one.
#[test]
fn several_minutes_of_a_fixed_hour() {
    let quarters = cron("*/15 2 * * *", "Europe/Berlin");
    assert_eq!(between(&quarters, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"), ["2026-03-29T01:00:00Z"]);
    assert_eq!(
        between(&quarters, "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"),
        ["2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z"]
    );
    // Asked in the second pass of the hour, the answer is the next day, not the hour again.
    assert_eq!(between(&quarters, "2026-10-25T01:10:00Z", "2026-10-26T01:00:00Z"), ["2026-10-26T01:00:00Z"]);
    // Two times that fall together are one.
    let pair = cron("30 2,3 * * *", "Europe/Berlin");
    assert_eq!(
        between(&pair, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"),
        ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
    );
}

#[test]
fn a_day_that_a_zone_left_out_and_a_midnight_that_is_none() {
    // Samoa went from 29 to 31 December 2011.
    let daily = cron("0 12 * * *", "Pacific/Apia");
    assert_eq!(
        between(&daily, "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z"),
        ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z"]
    );
    // Cairo's clocks go from 00:00 to 01:00 on 24 April 2026.
    let midnight = cron("0 0 * * *", "Africa/Cairo");
    assert_eq!(
        between(&midnight, "2026-04-23T00:00:00Z", "2026-04-24T23:00:00Z"),
        ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"]
    );
}

#[test]
fn rare_days_come() {
    assert_eq!(cron("0 0 29 2 *", "UTC").next_after(at("2096-03-01T00:00:00Z")), Some(at("2104-02-29T00:00:00Z")));
    assert_eq!(
        cron("0 */12 29 2 *", "Europe/Berlin").next_after(at("2025-01-01T00:00:00Z")),
        Some(at("2028-02-28T23:00:00Z"))
    );
    assert_eq!(cron("0 9 L * *", "UTC").next_after(at("2026-02-01T00:00:00Z")), Some(at("2026-02-28T09:00:00Z")));
    assert_eq!(cron("@hourly", "UTC").next_after(at("2026-02-01T00:00:00Z")), Some(at("2026-02-01T01:00:00Z")));
    assert!(matches!(Timing::cron("0 0 31 2 *", &zone("UTC").unwrap()), Err(CronError::Never(_))));
}

#[test]
fn intervals_count_from_their_start() {
    let start = at("2026-03-29T00:00:10Z");
    let calendar = every(3600, start);
    assert_eq!(calendar.next_after(0), Some(start));
    assert_eq!(calendar.next_after(start - 1), Some(start));
    assert_eq!(calendar.next_after(start), Some(at("2026-03-29T01:00:10Z")));
    assert_eq!(calendar.next_after(start + 1), Some(at("2026-03-29T01:00:10Z")));
    assert_eq!(every(60, 0).next_after(-1), Some(0));
}

#[test]
fn zones_are_found_whatever_the_case_and_offered_where_they_are_not() {
    assert_eq!(zone("europe/BERLIN").unwrap().iana_name(), Some("Europe/Berlin"));
    assert!(zone("Etc/Unknown").is_err());
    assert_eq!(zone("new york").unwrap_err().near.as_deref(), Some("America/New_York"));
    assert_eq!(zone("Europe/Berlni").unwrap_err().near.as_deref(), Some("Europe/Berlin"));
    assert_eq!(day_in(&zone("Africa/Cairo").unwrap(), "2026-04-24"), Some(at("2026-04-23T22:00:00Z")));
}
