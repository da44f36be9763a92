//! When schedules fire: nominal times of cron patterns and intervals, and what to do about those that are due.
//!
//! Pure: the caller brings the time, what was decided before, and what is under way. Knows no table and no run. Doors:
//! [`Timing`] (which nominal times there are) and [`due`] (what becomes of them).

mod cron;
mod decide;
mod timing;
mod zone;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::run::Micros;

pub use cron::CronError;
pub use decide::{Decision, Load, Schedule, SkipReason, State, Verdict, due, first_look};
pub use timing::{Calendar, CalendarError, Timing};
pub use zone::{UnknownZone, day_in, zone};

/// The most nominal times that one look decides beyond those that catching up asks for. A schedule is looked at each
/// second, so that more only come together where the host was held up for long.
const MOST_AT_ONCE: usize = 64;

/// The most nominal times of a schedule that wait for an earlier run; further ones are left out.
pub const MOST_WAITING: u32 = 1000;

/// How much later than its nominal time a schedule fires: from 0 up to, and without, `most`.
///
/// The same for ever for a schedule and nominal time, and different for schedules that share one, which is what it is
/// for: the first 64 bits of BLAKE3 over both, scaled.
pub fn jitter(schedule: &str, nominal: Micros, most: Duration) -> Micros {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"wasmlops-jitter/1").update(&nominal.to_le_bytes()).update(schedule.as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    let share = u128::from(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    let most = u128::try_from(micros(most)).unwrap_or_default();
    Micros::try_from((share * most) >> 64).unwrap_or(Micros::MAX)
}

pub(crate) fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
