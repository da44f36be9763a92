//! Cron patterns on wall clocks, and what becomes of them where a clock is changed.
//!
//! The pattern is evaluated on civil time and mapped to instants here, by the rule of Vixie cron: a pattern with fixed
//! hours fires once for each wall-clock time that it names (one that is skipped fires when the clock is moved, one that
//! comes twice the first time), while a pattern whose hours hold `*` fires at each real instant that it matches.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::zone::first_instant;

/// More changes of a clock than any pattern that comes at all lets pass without firing: two a year for two leap years
/// around a century without one, and as many again.
const MOST_CHANGES: usize = 64;

const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or `L` for the last"),
    ("month", "1 to 12, or `JAN` to `DEC`"),
    ("day of the week", "0 to 7 with Sunday as 0 and 7, or `SUN` to `SAT`"),
];

const NICKNAMES: [(&str, &str); 5] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
];

/// Why a text is no pattern.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CronError {
    #[error("a cron pattern has five fields, and `{text}` has {found}")]
    Fields { text: String, found: usize },
    #[error("`{value}` is no {field} of a cron pattern")]
    Field { field: &'static str, value: String, allowed: &'static str },
    #[error("there is no nickname `{0}`")]
    Nickname(String),
    #[error("the times of `{0}` never come")]
    Never(String),
}

impl CronError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Fields { .. } => {
                "write minute, hour, day of the month, month, day of the week: `30 2 * * *` is 02:30 each day"
                    .to_owned()
            }
            Self::Field { allowed, .. } => {
                format!("it is {allowed}; also `*`, a list `1,3`, a range `1-5`, a step `*/2`")
            }
            Self::Nickname(_) => {
                format!("nicknames are {}", crate::config::listed(NICKNAMES.map(|(name, _)| name)))
            }
            Self::Never(_) => "name a day that its month has".to_owned(),
        }
    }
}

/// A pattern that comes at least once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pattern {
    cron: Cron,
    /// Its hours are not named, so that it fires at each real instant that it matches.
    by_instant: bool,
}

impl Pattern {
    /// A pattern as a person wrote it, checked field by field.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let short: String = text.chars().take(100).collect();
        let fields: Vec<&str> = spelled_out(text)?.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(CronError::Fields { text: short, found: fields.len() });
        }
        for (at, (field, allowed)) in FIELDS.into_iter().enumerate() {
            let mut alone = ["*"; FIELDS.len()];
            alone[at] = fields[at];
            // The parser leaves an empty item of a list out and says nothing.
            if fields[at].split(',').any(str::is_empty) || parser().parse(&alone.join(" ")).is_err() {
                let value = fields[at].chars().take(100).collect();
                return Err(CronError::Field { field, value, allowed });
            }
        }
        let pattern = Self::read(text)?;
        // Whatever comes at all comes after this date as well as after any other.
        pattern.next_after(&TimeZone::UTC, Timestamp::UNIX_EPOCH).ok_or(CronError::Never(short))?;
        Ok(pattern)
    }

    /// A pattern that was checked before.
    pub fn read(text: &str) -> Result<Self, CronError> {
        let text = spelled_out(text)?;
        let cron = parser().parse(text).map_err(|_| CronError::Never(text.chars().take(100).collect()))?;
        let by_instant = text.split_whitespace().nth(1).is_some_and(|hours| hours.contains('*'));
        Ok(Self { cron, by_instant })
    }

    /// The first instant after `after` at which the pattern fires.
    pub fn next_after(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        if self.by_instant { self.next_instant(zone, after) } else { self.next_wall_time(zone, after) }
    }

    /// Wall-clock times are mapped to instants in their own order, so the first that lies behind is the next. What was
    /// mapped to the same instant, or to one in the first pass of a repeated hour, is passed over.
    fn next_wall_time(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let mut civil = zone.to_datetime(after);
        loop {
            civil = self.cron.find_next_occurrence(&civil, false).ok()?;
            let at = first_instant(zone, civil)?;
            if at > after {
                return Some(at);
            }
        }
    }

    /// Between two changes of the clock, civil time is an instant plus an offset: each such stretch is searched alone.
    fn next_instant(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let (mut from, mut inclusive) = (after, false);
        for _ in 0..MOST_CHANGES {
            let offset = zone.to_offset(from);
            let civil = self.cron.find_next_occurrence(&offset.to_datetime(from), inclusive).ok()?;
            let at = offset.to_timestamp(civil).ok()?;
            match zone.following(from).next() {
                Some(change) if change.timestamp() <= at => (from, inclusive) = (change.timestamp(), true),
                _ => return Some(at),
            }
        }
        None
    }
}

fn spelled_out(text: &str) -> Result<&str, CronError> {
    let text = text.trim();
    match NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, pattern)) => Ok(pattern),
        None if text.starts_with('@') => Err(CronError::Nickname(text.chars().take(100).collect())),
        None => Ok(text),
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}
