//! The one place that reads the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use wasmlops_core::run::Micros;

/// Tells the time and makes ids, which contain it.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> Micros;
}

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock that goes on by one microsecond each time it is asked, for tests.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(now: Micros) -> Self {
        Self(AtomicI64::new(now))
    }

    /// Lets time pass.
    pub fn advance(&self, by: std::time::Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Moves the clock, back as well.
    pub fn set(&self, now: Micros) {
        self.0.store(now, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Micros {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A new run's id: a UUID version 7 (RFC 9562) in 32 hex digits, so that ids sort by time.
pub fn new_id(clock: &dyn Clock) -> String {
    let now = u64::try_from(clock.now()).unwrap_or_default();
    let nanos = u32::try_from(now % 1_000_000 * 1_000).unwrap_or_default();
    let time = uuid::Timestamp::from_unix(uuid::NoContext, now / 1_000_000, nanos);
    uuid::Uuid::new_v7(time).simple().to_string()
}

/// RFC 3339 in UTC, to the millisecond.
pub fn rfc3339(at: Micros) -> String {
    match jiff::Timestamp::from_microsecond(at) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => at.to_string(),
    }
}

/// The inverse of [`rfc3339`], for any RFC 3339 time with its offset.
pub fn parse_rfc3339(text: &str) -> Option<Micros> {
    text.parse::<jiff::Timestamp>().ok().map(|time| time.as_microsecond())
}
