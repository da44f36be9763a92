//! Keeps what a step says while it runs, and passes progress on.

use std::sync::{Arc, Mutex, PoisonError};

use wasmlops_core::call::{LogLine, MetricPoint, Observer, Progress};
use wasmlops_core::graph::StepKey;
use wasmlops_core::run::{Metrics, Micros};

use crate::clock::Clock;
use crate::watch::RunObserver;

/// What one attempt has said and nobody has taken yet.
#[derive(Default)]
pub struct Heard {
    pub logs: Vec<(Micros, LogLine)>,
    pub points: Vec<(Micros, MetricPoint)>,
    pub checkpoint: Option<Vec<u8>>,
}

/// Listens to one attempt.
pub struct Collector {
    step: StepKey,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn RunObserver>,
    heard: Mutex<Heard>,
    latest: Mutex<Metrics>,
}

impl Collector {
    pub fn new(step: StepKey, clock: Arc<dyn Clock>, observer: Arc<dyn RunObserver>) -> Self {
        Self { step, clock, observer, heard: Mutex::default(), latest: Mutex::default() }
    }

    /// What was said since the last call.
    pub fn take(&self) -> Heard {
        std::mem::take(&mut *locked(&self.heard))
    }

    /// The last value of each metric.
    pub fn metrics(&self) -> Metrics {
        locked(&self.latest).clone()
    }
}

impl Observer for Collector {
    fn log(&self, line: LogLine) {
        locked(&self.heard).logs.push((self.clock.now(), line));
    }

    fn metrics(&self, points: Vec<MetricPoint>) {
        let mut latest = locked(&self.latest);
        for point in &points {
            latest.0.insert(point.name.clone(), point.value);
        }
        let now = self.clock.now();
        locked(&self.heard).points.extend(points.into_iter().map(|point| (now, point)));
    }

    fn progress(&self, progress: Progress) {
        self.observer.progress(&self.step, &progress);
    }

    fn checkpoint(&self, state: Vec<u8>) {
        locked(&self.heard).checkpoint = Some(state);
    }
}

/// What is guarded here is whole after every statement, so a thread that panicked left nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
