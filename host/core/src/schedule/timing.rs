//! The nominal times of a schedule: a cron pattern in a time zone, or an interval.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::cron::Pattern;
use super::{CronError, UnknownZone, micros, zone};
use crate::config::format_duration;
use crate::run::Micros;

/// When a schedule fires, as it is written. [`Timing::calendar`] answers questions about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// A pattern of five fields on the clocks of a zone.
    Cron { pattern: String, zone: String },
    /// At `start` and each `every` after it.
    Every { every: Duration, start: Micros },
}

/// A timing that is ready to be asked. Made for a few questions and dropped: a parsed pattern has kilobytes.
#[derive(Clone, Debug)]
pub struct Calendar(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Cron { pattern: Box<Pattern>, zone: TimeZone },
    Every { every: Micros, start: Micros },
}

impl Timing {
    /// A pattern whose zone is known already.
    pub fn cron(pattern: &str, zone: &TimeZone) -> Result<Self, CronError> {
        Pattern::parse(pattern)?;
        let fields: Vec<&str> = pattern.split_whitespace().collect();
        let zone = zone.iana_name().unwrap_or("UTC").to_owned();
        Ok(Self::Cron { pattern: fields.join(" "), zone })
    }

    /// # Errors
    /// Only for a value that did not come from [`Timing::cron`], or was stored by a version that knew other zones.
    pub fn calendar(&self) -> Result<Calendar, CalendarError> {
        Ok(Calendar(match self {
            Self::Cron { pattern, zone: name } => {
                Kind::Cron { pattern: Box::new(Pattern::read(pattern)?), zone: zone(name)? }
            }
            Self::Every { every, start } => Kind::Every { every: micros(*every).max(1), start: *start },
        }))
    }

    /// The zone in which days begin; UTC for an interval.
    pub fn zone(&self) -> TimeZone {
        match self {
            Self::Cron { zone: name, .. } => zone(name).unwrap_or(TimeZone::UTC),
            Self::Every { .. } => TimeZone::UTC,
        }
    }
}

/// `30 2 * * * in Europe/Berlin`, `every 6h`.
impl std::fmt::Display for Timing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cron { pattern, zone } => write!(f, "{pattern} in {zone}"),
            Self::Every { every, start: 0 } => write!(f, "every {}", format_duration(*every)),
            Self::Every { every, start } => match Timestamp::from_microsecond(*start) {
                Ok(start) => write!(f, "every {} from {start}", format_duration(*every)),
                Err(_) => write!(f, "every {}", format_duration(*every)),
            },
        }
    }
}

/// A timing that cannot be evaluated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CalendarError {
    #[error(transparent)]
    Cron(#[from] CronError),
    #[error(transparent)]
    Zone(#[from] UnknownZone),
}

impl Calendar {
    /// The first nominal time after `after`; none where it would lie beyond the calendar's end.
    pub fn next_after(&self, after: Micros) -> Option<Micros> {
        match &self.0 {
            Kind::Cron { pattern, zone } => {
                let after = Timestamp::from_microsecond(after).ok()?;
                pattern.next_after(zone, after).map(Timestamp::as_microsecond)
            }
            Kind::Every { start, .. } if after < *start => Some(*start),
            Kind::Every { every, start } => {
                let passed = after.checked_sub(*start)? / every;
                start.checked_add(every.checked_mul(passed + 1)?)
            }
        }
    }

    /// The nominal times after `after`, without end.
    pub fn after(&self, after: Micros) -> impl Iterator<Item = Micros> + '_ {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
    }

    /// The last `most` nominal times after `after` and up to `until`, and whether there were more before them.
    ///
    /// Looks back in growing steps, so that the cost follows `most` and not the length of the span.
    pub(super) fn last(&self, after: Micros, until: Micros, most: usize) -> (Vec<Micros>, bool) {
        // A pattern fires once a minute at the most.
        let unit = match &self.0 {
            Kind::Cron { .. } => 60_000_000,
            Kind::Every { every, .. } => *every,
        };
        let mut width = unit.saturating_mul(Micros::try_from(most).unwrap_or(Micros::MAX)).max(1);
        loop {
            let from = until.saturating_sub(width).max(after);
            let mut times: Vec<Micros> = self.after(from).take_while(|at| *at <= until).collect();
            if from == after || times.len() > most {
                let more = times.len().saturating_sub(most);
                times.drain(..more);
                return (times, more > 0);
            }
            width = width.saturating_mul(4);
        }
    }
}
