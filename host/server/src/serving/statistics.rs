//! Counters of a release: written by every request without waiting, read by whoever judges or looks.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Why a release gave no answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum ErrorClass {
    /// The rows were at fault.
    Input,
    /// Too many requests waited.
    Overloaded,
    /// The deadline passed while the request waited.
    Waited,
    /// The model had the rows when its time was up.
    Slow,
    Trapped,
    InvalidResult,
    /// The model's own error.
    Model,
    /// No instance could be made.
    Unavailable,
}

impl ErrorClass {
    pub const ALL: [Self; 8] = [
        Self::Input,
        Self::Overloaded,
        Self::Waited,
        Self::Slow,
        Self::Trapped,
        Self::InvalidResult,
        Self::Model,
        Self::Unavailable,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Overloaded => "overloaded",
            Self::Waited => "waited",
            Self::Slow => "slow",
            Self::Trapped => "trapped",
            Self::InvalidResult => "invalid-result",
            Self::Model => "model",
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether the release is to blame.
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Input | Self::Overloaded | Self::Waited)
    }
}

/// Below this many microseconds each has a bucket of its own.
const EXACT: u64 = 16;
/// Buckets for each power of two above: values in one differ by at most an eighth.
const PARTS: u64 = 8;
/// 2^36 µs are 19 hours.
const LARGEST_POWER: u64 = 36;
const BUCKETS: usize = (EXACT + (LARGEST_POWER - 3) * PARTS) as usize;

pub(super) struct Statistics {
    requests: AtomicU64,
    errors: [AtomicU64; ErrorClass::ALL.len()],
    latency: Box<[AtomicU64; BUCKETS]>,
}

/// The counters at one moment, or between two.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Snapshot {
    pub requests: u64,
    errors: [u64; ErrorClass::ALL.len()],
    latency: Box<[u64; BUCKETS]>,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            requests: AtomicU64::new(0),
            errors: array::from_fn(|_| AtomicU64::new(0)),
            latency: Box::new(array::from_fn(|_| AtomicU64::new(0))),
        }
    }
}

impl Statistics {
    /// Counts a request that has come to its end.
    pub fn count(&self, took: Duration, error: Option<ErrorClass>) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.latency[bucket(micros)].fetch_add(1, Relaxed);
        if let Some(class) = error {
            self.errors[class as usize].fetch_add(1, Relaxed);
        }
        // Last: whoever reads a request here finds its error.
        self.requests.fetch_add(1, std::sync::atomic::Ordering::Release);
    }

    /// The rows of the last request that was refused were good: the release itself was at fault.
    pub fn blame(&self) {
        self.errors[ErrorClass::Input as usize].fetch_sub(1, Relaxed);
        self.errors[ErrorClass::Model as usize].fetch_add(1, Relaxed);
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            requests: self.requests.load(std::sync::atomic::Ordering::Acquire),
            errors: array::from_fn(|class| self.errors[class].load(Relaxed)),
            latency: Box::new(array::from_fn(|bucket| self.latency[bucket].load(Relaxed))),
        }
    }
}

impl Snapshot {
    pub fn empty() -> Self {
        Self { requests: 0, errors: [0; ErrorClass::ALL.len()], latency: Box::new([0; BUCKETS]) }
    }

    /// What was counted since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            errors: array::from_fn(|class| self.errors[class].saturating_sub(earlier.errors[class])),
            latency: Box::new(array::from_fn(|bucket| self.latency[bucket].saturating_sub(earlier.latency[bucket]))),
        }
    }

    pub fn errors(&self) -> impl Iterator<Item = (ErrorClass, u64)> {
        ErrorClass::ALL.into_iter().map(|class| (class, self.errors[class as usize])).filter(|(_, count)| *count > 0)
    }

    /// Errors that the release is to blame for.
    pub fn faults(&self) -> u64 {
        self.errors().filter(|(class, _)| class.is_fault()).map(|(_, count)| count).sum()
    }

    /// The least latency that at least this part of the requests did not exceed, rounded up by an eighth at most; zero
    /// without requests.
    pub fn quantile(&self, part: f64) -> Duration {
        let total: u64 = self.latency.iter().sum();
        let rank = ((part * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        for (bucket, count) in self.latency.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper(bucket as u64));
            }
        }
        Duration::ZERO
    }
}

fn bucket(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let power = u64::from(micros.ilog2()).min(LARGEST_POWER);
    let part = (micros >> (power - 3)).min(2 * PARTS - 1) - PARTS;
    (EXACT + (power - 4) * PARTS + part) as usize
}

/// The largest value of a bucket.
fn upper(bucket: u64) -> u64 {
    if bucket < EXACT {
        return bucket;
    }
    let (power, part) = ((bucket - EXACT) / PARTS + 4, (bucket - EXACT) % PARTS);
    ((PARTS + part + 1) << (power - 3)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_values_and_little_more() {
        for micros in (0..100).chain((7..40).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1])) {
            let upper = upper(bucket(micros) as u64);
            if micros < 1 << 37 {
                assert!(upper >= micros && upper - micros <= micros / 8, "{micros} is in a bucket up to {upper}");
            }
        }
        assert!(bucket(u64::MAX) == BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_of_what_was_counted_in_between() {
        let statistics = Statistics::default();
        statistics.count(Duration::from_secs(5), Some(ErrorClass::Slow));
        let before = statistics.snapshot();
        for micros in 1..=100 {
            statistics.count(Duration::from_micros(micros * 100), None);
        }
        let between = statistics.snapshot().since(&before);
        assert_eq!((between.requests, between.faults()), (100, 0));
        let near = |part, micros: u64| {
            let found = between.quantile(part).as_micros() as u64;
            assert!(found >= micros && found <= micros + micros / 8, "{found} for {micros}");
        };
        near(0.5, 5_000);
        near(0.99, 9_900);
        near(1.0, 10_000);
        assert_eq!(Snapshot::empty().quantile(0.99), Duration::ZERO);
    }
}
