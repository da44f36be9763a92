//! Nominal times and decisions, against tables and against simpler ways to find them.

mod clocks;
mod decisions;
mod properties;

use jiff::Timestamp;

use super::{Calendar, Timing, zone};
use crate::run::Micros;

fn at(text: &str) -> Micros {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

fn cron(pattern: &str, name: &str) -> Calendar {
    Timing::cron(pattern, &zone(name).unwrap()).unwrap().calendar().unwrap()
}

fn every(seconds: u64, start: Micros) -> Calendar {
    Timing::Every { every: std::time::Duration::from_secs(seconds), start }.calendar().unwrap()
}

/// The nominal times after `from` and up to `to`, in UTC.
fn between(calendar: &Calendar, from: &str, to: &str) -> Vec<String> {
    let times = calendar.after(at(from)).take_while(|time| *time <= at(to));
    times.map(|time| Timestamp::from_microsecond(time).unwrap().to_string()).collect()
}
