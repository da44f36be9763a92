//! `metrics`: numbers that the run keeps.

use wasmlops_core::call::MetricPoint;

use super::{exhausted, invalid_input};
use crate::bindings::imports::metrics::{Host, Metric};
use crate::bindings::imports::types::Error;
use crate::state::State;
use crate::text::neutralise_within;

/// Characters in a metric's name: MLflow's limit, whose clients read the same tables.
const MAX_NAME: usize = 250;

impl Host for State {
    fn emit(&mut self, points: Vec<Metric>) -> wasmtime::Result<Result<(), Error>> {
        self.watch.host_call(points.iter().map(|point| point.name.len() + 16).sum())?;
        if let Some(point) = points.iter().find(|point| !is_name(&point.name)) {
            return Ok(Err(invalid_input(format!(
                "`{}` is not a metric name: expected 1 to {MAX_NAME} letters, digits, `_ - . / :` and spaces",
                neutralise_within(&point.name, 100)
            ))));
        }
        let Some(left) = self.metric_points_left.checked_sub(points.len() as u64) else {
            return Ok(Err(exhausted("the step's limit of metric points is reached")));
        };
        self.metric_points_left = left;
        let points = points.into_iter().map(|Metric { name, value, step }| MetricPoint { name, value, step });
        self.observer.metrics(points.collect());
        Ok(Ok(()))
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ' ');
    !name.is_empty() && name.chars().count() <= MAX_NAME && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["loss", "eval/auc", "a b:c-d.e_f", "präzision", &"x".repeat(250)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "a\nb", "a\"b", "<b>", "a\u{202e}", &"x".repeat(251)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
