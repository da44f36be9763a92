//! What kind of prediction is judged, and whether the configuration makes sense for it. Reads no row.

use wasmlops_sdk::prelude::*;

use crate::config::{Config, Task};

/// What the names of probability columns start with; the class follows.
pub const PROBABILITY: &str = "probability.";

/// The task that the user names, or that the predictions' columns show.
///
/// Errors: `invalid-input` for a window without predictions.
pub fn task(config: &Config, window: &Schema) -> Result<Task> {
    let Some(prediction) = window.field("prediction") else {
        let message = format!("the window has no column `prediction`; it has {}", window.names_for_message());
        return Err(Error::invalid_input(message).at("window"));
    };
    let gives_probabilities = window.names().any(|name| name.starts_with(PROBABILITY));
    let says_class = prediction.data_type.is_text() || prediction.data_type == DataType::Bool;
    let shown = if gives_probabilities || says_class { Task::Classification } else { Task::Regression };
    Ok(config.task.unwrap_or(shown))
}

/// A reference without predictions or labels says nothing of performance.
pub fn can_be_measured(reference: &Schema) -> bool {
    reference.field("prediction").is_some() && reference.field("label").is_some()
}

/// Errors: `invalid-config` with everything that contradicts the task, at the place of the first.
pub fn check(config: &Config, task: Task) -> Result<()> {
    let mut problems = Vec::new();
    for (key, thresholds) in [("min", &config.min), ("max", &config.max), ("max_drop", &config.max_drop)] {
        for metric in thresholds.0.keys().filter(|metric| metric.task() != task) {
            let (name, of) = (metric.name(), metric.task().name());
            let message = format!("`{name}` is a metric of {of}, and the model's task is {}", task.name());
            problems.push((format!("{key}.{name}"), message));
        }
    }
    for (metric, drop) in config.max_drop.0.iter().filter(|(_, drop)| **drop < 0.0) {
        let message = format!("{drop} is negative, and a drop is how much worse a metric may be");
        problems.push((format!("max_drop.{}", metric.name()), message));
    }
    if config.positive.is_some() && task == Task::Regression {
        let message = "`positive` is for classification, and the model's task is regression".to_owned();
        problems.push(("positive".to_owned(), message));
    }
    match problems.as_slice() {
        [] => Ok(()),
        [(key, message)] => Err(Error::invalid_config(key, message)),
        [(first, _), ..] => {
            let lines = problems.iter().map(|(key, message)| format!("\n`{key}`: {message}"));
            let message = format!("{} options do not fit{}", problems.len(), lines.collect::<String>());
            Err(Error::invalid_config(first, message))
        }
    }
}
