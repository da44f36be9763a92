//! What kind of prediction is judged, and whether the configuration makes sense for it. Reads no row.

use wasmlops_sdk::prelude::*;

use crate::classes;
use crate::config::{Config, Metric, Task};

/// The task that the user names, or that the predictions' columns show.
///
/// Errors: `invalid-input` for predictions of another form than the contract's.
pub fn task(config: &Config, predictions: &Table) -> Result<Task> {
    let schema = predictions.schema();
    let gives_probabilities = schema.names().any(|name| name.starts_with(classes::PROBABILITY));
    let prediction = schema.field("prediction");
    if prediction.is_none() && !gives_probabilities {
        let columns = schema.names_for_message();
        let message = format!("the model's predictions have no column `prediction`; they have {columns}");
        return Err(Error::invalid_input(message).at("model"));
    }
    let says_class = prediction.is_some_and(|field| field.data_type.is_text() || field.data_type == DataType::Bool);
    let shown = if gives_probabilities || says_class { Task::Classification } else { Task::Regression };
    Ok(config.task.unwrap_or(shown))
}

/// Errors: `invalid-config` with everything that contradicts itself, the task or the table.
pub fn check(config: &Config, task: Task, features: &Schema) -> Result<()> {
    let mut problems = Vec::new();
    let mut wrong_task = |key: String, metric: Metric| {
        if metric.task() != task {
            let (name, of) = (metric.name(), metric.task().name());
            problems.push((key, format!("`{name}` is a metric of {of}, and the model's task is {}", task.name())));
        }
    };
    let thresholds = [
        ("min", &config.min),
        ("max", &config.max),
        ("slice_min", &config.slice_min),
        ("slice_max", &config.slice_max),
    ];
    for (key, thresholds) in thresholds {
        thresholds.0.keys().for_each(|&metric| wrong_task(format!("{key}.{}", metric.name()), metric));
    }
    for (index, comparison) in config.compare.iter().enumerate() {
        wrong_task(format!("compare.{index}.metric"), comparison.metric);
    }
    for (key, given) in [("positive", config.positive.is_some()), ("threshold", config.threshold.is_some())] {
        if given && task == Task::Regression {
            problems
                .push((key.to_owned(), format!("`{key}` is for classification, and the model's task is regression")));
        }
    }
    for (key, thresholds) in &thresholds[2..] {
        if config.slices.is_empty() && !thresholds.0.is_empty() {
            problems.push(((*key).to_owned(), format!("`{key}` needs `slices`, the columns to divide the rows by")));
        }
    }
    for (index, name) in config.slices.iter().enumerate() {
        problems.extend(not_a_slice(features, name).map(|message| (format!("slices.{index}"), message)));
    }
    into_result(problems)
}

/// Why a column cannot divide the rows.
fn not_a_slice(features: &Schema, name: &str) -> Option<String> {
    match features.field(name) {
        None => Some(format!("there is no column `{name}`; the table has {}", features.names_for_message())),
        Some(field) => match field.data_type {
            DataType::Categorical | DataType::Utf8 | DataType::Bool | DataType::S64 => None,
            other => {
                let other = other.name();
                Some(format!(
                    "`{name}` is {other}, and slices are by text, `bool` or `s64`\nhint: make bins of it first"
                ))
            }
        },
    }
}

/// One error that names all problems, at the place of the first.
fn into_result(problems: Vec<(String, String)>) -> Result<()> {
    match problems.as_slice() {
        [] => Ok(()),
        [(key, message)] => Err(Error::invalid_config(key, message)),
        [(first, _), ..] => {
            let lines = problems.iter().map(|(key, message)| format!("\n`{key}`: {}", message.replace('\n', "; ")));
            let message = format!("{} options do not fit{}", problems.len(), lines.collect::<String>());
            Err(Error::invalid_config(first, message))
        }
    }
}
