//! Window against reference, column by column: what the monitors of drift share. The door is [`observe`].
//!
//! Data goes one way: [`Options`] and the schemas → `plan` (columns to compare, mistakes found) → `values` (one column
//! of both tables at a time, sorted or counted) → `judge` (a statistic and its verdict) → findings.

mod judge;
mod options;
mod plan;
mod report;
mod values;

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Finding, Window};

pub use options::{Measure, Options, Statistic};
use plan::Planned;
use report::Findings;
use values::Values;

/// Which columns a monitor looks at where nobody names them, and what it calls a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// What goes into the model.
    Features,
    /// What the model says: `prediction` and `probability.*`.
    Predictions,
}

impl Subject {
    /// The signal of a finding about values.
    pub fn signal(self) -> &'static str {
        match self {
            Subject::Features => "data-drift",
            Subject::Predictions => "prediction-drift",
        }
    }

    /// The signal of a finding about values that are missing.
    fn signal_of_missing(self) -> &'static str {
        match self {
            Subject::Features => "data-quality",
            Subject::Predictions => "prediction-drift",
        }
    }
}

/// Compares each column of the reference with the window's, in one pass over both tables, one column at a time: the
/// memory needed is that of two columns of numbers, or of 10,000 different texts.
///
/// Findings: one for each column, further ones for missing and new values, and last one for all columns together
/// (`share_drifted`). A finding that could not be judged has the value NaN, is not found, and says why.
///
/// Errors: `invalid-config` for columns and statistics that do not fit the reference; `invalid-input` without a
/// reference or its rows.
pub fn observe(
    options: &Options,
    subject: Subject,
    window: &Window,
    reference: Option<&Table>,
) -> Result<Vec<Finding>> {
    let Some(reference) = reference else {
        let message = "there is no reference to compare the window with\nhint: give the monitor a `reference`";
        return Err(Error::invalid_input(message).at("reference"));
    };
    if reference.num_rows() == 0 {
        return Err(Error::invalid_input("the reference has no rows").at("reference"));
    }
    let columns = plan::columns(options, subject, reference.schema(), window.rows.schema())?;
    let mut findings = Findings::new(options, subject, window.rows.num_rows(), reference.num_rows());
    for (done, column) in columns.iter().enumerate() {
        compare(column, &window.rows, reference, &mut findings)?;
        progress::update(done as u64 + 1, Some(columns.len() as u64), "columns compared");
    }
    Ok(findings.into_list())
}

fn compare(column: &Planned, window: &Table, reference: &Table, findings: &mut Findings) -> Result<()> {
    let index = match column.window {
        Ok(index) => index,
        Err(ref reason) => {
            findings.not_comparable(column, reason);
            return Ok(());
        }
    };
    let values = Values::read(column.is_text, (reference, column.reference), (window, index))?;
    findings.missing(column, &values);
    match &values {
        Values::Texts(texts) => {
            findings.new_values(column, texts);
            findings.drift(column, judge::texts(texts, column, findings.options()));
        }
        Values::Numbers(numbers) => {
            findings.drift(column, judge::numbers(numbers, column, findings.options()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
