//! Checks a table against expectations, column by column, in one pass.
//!
//! Data goes one way: `config` (what the user wrote) → `rules` (expectations of columns that exist; all mistakes found)
//! → `pass` (every batch shown once to every `probe`) → `report` (checks and a sentence). `key_set` holds the keys that
//! uniqueness needs, `text` writes values and times for people. As a monitor it does the same with a window's rows, in
//! `window`, with further expectations from what `learned` finds in the reference.

mod config;
mod key_set;
mod learned;
mod pass;
mod probe;
mod report;
mod rules;
mod text;
mod window;

use std::time::{SystemTime, UNIX_EPOCH};

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Finding, Window};

use config::{Config, WindowConfig};
use rules::Expectation;

struct DataQuality;

impl Validator for DataQuality {
    type Config = Config;

    fn validate(config: Config, subject: &Subject) -> Result<Report> {
        match subject {
            Subject::Table(table) => inspect(&config, table, now),
            Subject::Evaluation(_) => {
                let message = "a table is checked here, and the step has an input `model`\nhint: remove that input, or \
                               use `model-gate` to check a model";
                Err(Error::invalid_input(message).at("model"))
            }
        }
    }
}

impl Monitor for DataQuality {
    type Config = WindowConfig;

    fn observe(config: WindowConfig, window: &Window, reference: Option<&Table>) -> Result<Vec<Finding>> {
        window::findings(&config, &window.rows, reference, now)
    }
}

/// Checks `table`, reports and emits the metrics. `now` is asked only where a rule needs it, since a result that did
/// not depend on the time is good at any time.
fn inspect(config: &Config, table: &Table, now: impl Fn() -> i64) -> Result<Report> {
    let expectations = Expectation::of(config, table.schema())?;
    let seen = pass::over(table, &expectations, now)?;
    let verdict = report::of(&expectations, table, &seen);
    metrics::emit("rows", table.num_rows() as f64)?;
    metrics::emit("nulls", seen.missing_in_all() as f64)?;
    metrics::emit("failed_checks", verdict.failed as f64)?;
    metrics::emit("warnings", verdict.warnings as f64)?;
    Ok(verdict.report)
}

/// The run's nominal time, in microseconds since 1970-01-01T00:00:00Z: the host fixes the clock to it.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

wasmlops_sdk::export! { validator: DataQuality, monitor: DataQuality }

#[cfg(test)]
mod tests;
