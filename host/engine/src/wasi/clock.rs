//! Clocks that stand still at the run's nominal time. A guest that waits really waits; only what it reads is fixed.

use std::sync::Arc;
use std::time::Duration;

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use crate::watch::Watch;

/// Time since 1970-01-01T00:00:00Z; WASI has no earlier one.
pub(super) struct NominalTime {
    time: Duration,
    watch: Arc<Watch>,
}

impl NominalTime {
    /// `microseconds` since 1970-01-01T00:00:00Z.
    pub fn new(microseconds: i64, watch: Arc<Watch>) -> Self {
        Self { time: Duration::from_micros(microseconds.try_into().unwrap_or(0)), watch }
    }

    fn read(&self) -> Duration {
        self.watch.note_clock_read();
        self.time
    }
}

impl HostWallClock for NominalTime {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        self.read()
    }
}

impl HostMonotonicClock for NominalTime {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        // Good until the year 2554.
        self.read().as_nanos().try_into().unwrap_or(u64::MAX)
    }
}
