//! What somebody who watches a run is told, as it happens.

use wasmlops_core::call::Progress;
use wasmlops_core::graph::StepKey;

use crate::view::StepView;

/// Watches a run: a terminal's progress bars, or nobody. Called on the run's threads: must not block for long.
pub trait RunObserver: Send + Sync {
    fn step_started(&self, _step: &StepKey, _attempt: u32) {}

    fn progress(&self, _step: &StepKey, _progress: &Progress) {}

    /// The step has come to its end: succeeded, from the cache or not, failed, skipped or cancelled.
    fn step_ended(&self, _view: &StepView) {}
}

/// Nobody watches.
pub struct Unwatched;

impl RunObserver for Unwatched {}
