//! Progress bars on a terminal: one for each step that runs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use wasmlops_core::call::Progress;
use wasmlops_core::graph::StepKey;
use wasmlops_server::view::StepView;
use wasmlops_server::watch::RunObserver;

/// Draws on standard error.
#[derive(Default)]
pub struct Bars {
    all: MultiProgress,
    steps: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    fn steps(&self) -> std::sync::MutexGuard<'_, HashMap<String, ProgressBar>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunObserver for Bars {
    fn step_started(&self, step: &StepKey, attempt: u32) {
        let bar = self.all.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:<24} {elapsed:>6} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(step.to_string());
        if attempt > 1 {
            bar.set_message(format!("attempt {attempt}"));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        self.steps().insert(step.to_string(), bar);
    }

    fn progress(&self, step: &StepKey, progress: &Progress) {
        let steps = self.steps();
        let Some(bar) = steps.get(step.as_str()) else { return };
        let total = progress.total.map_or_else(String::new, |total| format!(" of {total}"));
        // The text is a guest's: control characters must not reach the terminal.
        let message: String = progress.message.chars().filter(|c| !c.is_control()).take(100).collect();
        bar.set_message(format!("{}{total} {message}", progress.done));
    }

    fn step_ended(&self, view: &StepView) {
        let cache = view.cache.as_deref().unwrap_or("");
        let line = format!("  {:<24} {:<10} {cache}", view.step, view.status);
        if let Some(bar) = self.steps().remove(&view.step) {
            bar.finish_and_clear();
        }
        // A terminal that is gone takes nothing from the run.
        let _ = self.all.println(line);
    }
}
