//! Keeps what a step says while it runs, and passes progress on.

use std::sync::{Arc, Mutex, PoisonError};

use wasmlops_core::call::{Cancel, LogLine, MetricPoint, Observer, Progress};
use wasmlops_core::graph::StepKey;
use wasmlops_core::run::{Metrics, Micros};
use wasmlops_core::search::Stopper;

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
    stopping: Option<Stopping>,
}

/// Ends an attempt early.
struct Stopping {
    stopper: Mutex<Stopper>,
    cancel: Cancel,
}

impl Collector {
    pub fn new(step: StepKey, clock: Arc<dyn Clock>, observer: Arc<dyn RunObserver>) -> Self {
        Self { step, clock, observer, heard: Mutex::default(), latest: Mutex::default(), stopping: None }
    }

    /// Lets each point decide whether the attempt goes on. What is said after the end counts for nothing: how long a
    /// guest takes to stop must not show.
    pub fn stopping(self, stopper: Stopper, cancel: Cancel) -> Self {
        Self { stopping: Some(Stopping { stopper: Mutex::new(stopper), cancel }), ..self }
    }

    /// As it is now.
    pub fn stopper(&self) -> Option<Stopper> {
        self.stopping.as_ref().map(|stopping| locked(&stopping.stopper).clone())
    }

    /// The points up to the one that ends the attempt, with that one.
    fn until_stopped(&self, mut points: Vec<MetricPoint>) -> Vec<MetricPoint> {
        let Some(Stopping { stopper, cancel }) = &self.stopping else { return points };
        let mut stopper = locked(stopper);
        if stopper.stopped().is_some() {
            return Vec::new();
        }
        let last = points.iter().position(|point| stopper.point(&point.name, point.step, point.value).is_some());
        if let Some(last) = last {
            points.truncate(last + 1);
            cancel.cancel();
        }
        points
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
        let points = self.until_stopped(points);
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
