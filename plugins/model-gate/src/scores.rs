//! Metrics with their values, or with the reason why they have none.

use std::collections::BTreeMap;

use wasmlops_sdk::prelude::*;

use crate::config::Metric;

/// A metric's value on some rows.
#[derive(Clone, PartialEq, Debug)]
pub enum Score {
    Value(f64),
    /// A value by convention, with the reason: 0 where a division by zero is asked for, as in scikit-learn.
    Convention(f64, String),
    /// No value, with the reason.
    Undefined(String),
}

impl Score {
    pub fn value(&self) -> Option<f64> {
        match self {
            Score::Value(value) | Score::Convention(value, _) => Some(*value),
            Score::Undefined(_) => None,
        }
    }
}

/// All metrics of a task on some rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scores(BTreeMap<Metric, Score>);

impl Scores {
    pub fn set(&mut self, metric: Metric, score: Score) {
        self.0.insert(metric, score);
    }

    /// Why the metric's value is a convention, where it is one.
    pub fn convention(&self, metric: Metric) -> Option<&str> {
        match self.0.get(&metric) {
            Some(Score::Convention(_, reason)) => Some(reason),
            _ => None,
        }
    }

    /// The metric's value.
    ///
    /// Errors: the reason why it has none.
    pub fn get(&self, metric: Metric) -> Result<f64, String> {
        match self.0.get(&metric) {
            Some(Score::Value(value) | Score::Convention(value, _)) => Ok(*value),
            Some(Score::Undefined(reason)) => Err(reason.clone()),
            None => Err("it is not a metric of this task".to_owned()),
        }
    }

    /// Hands all values to the host under `prefix` and the metric's name, and logs why some are missing or conventions.
    pub fn emit(&self, prefix: &str) -> Result<()> {
        for (metric, score) in &self.0 {
            let name = format!("{prefix}{}", metric.name());
            if let Some(value) = score.value() {
                metrics::emit(&name, value)?;
            }
            match score {
                Score::Value(_) => {}
                Score::Convention(value, reason) => log::warn(format!("`{name}` is {value} by convention: {reason}")),
                Score::Undefined(reason) => log::warn(format!("`{name}` is undefined: {reason}")),
            }
        }
        Ok(())
    }
}
