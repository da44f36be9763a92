//! What happens in one project, counted as it happens: for `/metrics`, and for nothing else. Knows no noun's rules;
//! whoever does something counts it here. A count costs a look-up and an atomic addition.
//!
//! Label sets are bounded: beyond `SERIES` of one family, what is new is counted under `other`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Series of one family at the most.
const SERIES: usize = 1_000;
/// Bytes of a label's value at the most.
const VALUE: usize = 128;

/// Upper bounds of buckets in seconds: a request or prediction takes tens of microseconds, a deadline is seconds.
pub const REQUESTS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Of steps: from a small table to a day of training.
const STEPS: &[f64] = &[0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 1_800.0, 7_200.0];
/// Of how late something due was begun.
const LATENESS: &[f64] = &[0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3_600.0];

/// Of one project, since the process began.
pub struct Counts {
    /// By plugin and outcome (`succeeded`, `failed`, `cancelled`).
    pub steps: Family<2, Histogram>,
    /// Calls of guests by plugin, export (its kind) and outcome (`ok`, or the failure's code).
    pub guest_calls: Family<3, Counter>,
    /// Processor time that guests took, by plugin, in microseconds.
    pub guest_cpu: Family<1, Counter>,
    /// The most memory that a guest of a plugin held, in bytes.
    pub guest_memory: Family<1, Gauge>,
    /// Steps that an earlier result stood in for, by pipeline.
    pub cache_hits: Family<1, Counter>,
    /// Runs that ended here, by pipeline and status.
    pub runs: Family<2, Counter>,
    /// Runs that the dispatcher may run at a time, and those that it runs.
    pub slots: Gauge,
    pub slots_taken: Gauge,
    /// How long after their nominal time, jitter included, schedules gave runs.
    pub lateness: Histogram,
    /// Tries to tell a subscriber of an event, by outcome (`delivered`, `failed`, `given-up`).
    pub deliveries: Family<1, Counter>,
    /// Events that came in and runs that they started, by trigger and outcome.
    pub triggered: Family<2, Counter>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            steps: Family::new(|| Histogram::new(STEPS)),
            guest_calls: Family::default(),
            guest_cpu: Family::default(),
            guest_memory: Family::default(),
            cache_hits: Family::default(),
            runs: Family::default(),
            slots: Gauge::default(),
            slots_taken: Gauge::default(),
            lateness: Histogram::new(LATENESS),
            deliveries: Family::default(),
            triggered: Family::default(),
        }
    }
}

#[derive(Default, Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Default, Debug)]
pub struct Gauge(AtomicU64);

impl Gauge {
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Keeps the larger one.
    pub fn raise(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long things took.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    buckets: Box<[AtomicU64]>,
    count: AtomicU64,
    nanos: AtomicU64,
}

/// What a histogram holds at a moment.
pub struct Measured {
    /// Upper bounds and how many took at most so long.
    pub buckets: Vec<(f64, u64)>,
    pub count: u64,
    pub seconds: f64,
}

impl Histogram {
    /// `bounds` in seconds, rising.
    pub fn new(bounds: &'static [f64]) -> Self {
        let buckets = bounds.iter().map(|_| AtomicU64::new(0)).collect();
        Self { bounds, buckets, count: AtomicU64::new(0), nanos: AtomicU64::new(0) }
    }

    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(bucket) = self.bounds.iter().position(|bound| seconds <= *bound) {
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn read(&self) -> Measured {
        let mut below = 0;
        let buckets = self.bounds.iter().zip(&self.buckets).map(|(bound, bucket)| {
            below += bucket.load(Ordering::Relaxed);
            (*bound, below)
        });
        let buckets: Vec<_> = buckets.collect();
        // Read after the buckets: what is counted meanwhile must not make a bucket larger than the whole.
        let count = self.count.load(Ordering::Relaxed).max(below);
        Measured { buckets, count, seconds: self.nanos.load(Ordering::Relaxed) as f64 / 1e9 }
    }
}

/// One number for each set of `N` labels.
#[derive(Debug)]
pub struct Family<const N: usize, V> {
    make: fn() -> V,
    series: RwLock<BTreeMap<[String; N], Arc<V>>>,
}

impl<const N: usize, V: Default> Default for Family<N, V> {
    fn default() -> Self {
        Self::new(V::default)
    }
}

impl<const N: usize, V> Family<N, V> {
    pub fn new(make: fn() -> V) -> Self {
        Self { make, series: RwLock::default() }
    }

    /// The number of these labels. Keep it where it is counted often.
    pub fn of(&self, labels: [&str; N]) -> Arc<V> {
        let labels = labels.map(bounded);
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = series.get(&labels) {
            return value.clone();
        }
        let labels = if series.len() < SERIES { labels } else { std::array::from_fn(|_| "other".to_owned()) };
        drop(series);
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        series.entry(labels).or_insert_with(|| Arc::new((self.make)())).clone()
    }

    /// All of them, in the order of their labels.
    pub fn read(&self) -> Vec<([String; N], Arc<V>)> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        series.iter().map(|(labels, value)| (labels.clone(), value.clone())).collect()
    }
}

fn bounded(value: &str) -> String {
    let mut end = value.len().min(VALUE);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_bounded() {
        let family = Family::<1, Counter>::default();
        for number in 0..3_000 {
            family.of([&number.to_string()]).add(1);
        }
        let series = family.read();
        assert_eq!(series.len(), SERIES + 1);
        assert_eq!(series.iter().map(|(_, counter)| counter.get()).sum::<u64>(), 3_000);
        family.of([&"é".repeat(1_000)]).add(1);
    }

    #[test]
    fn buckets_add_up() {
        let histogram = Histogram::new(REQUESTS);
        histogram.observe(Duration::from_micros(300));
        histogram.observe(Duration::from_secs(60));
        let measured = histogram.read();
        assert_eq!(measured.count, 2);
        assert_eq!(measured.buckets.iter().find(|(bound, _)| *bound == 0.0005).unwrap().1, 1);
        assert_eq!(measured.buckets.last().unwrap().1, 1);
    }
}
