//! Learns each column's state, one column after the other, so that memory holds one of them at a time.

mod automatic;
mod categories;
mod interactions;
mod numbers;
mod scaling;
mod target;
mod times;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use wasmlops_sdk::{Error, Result, Table, log, progress};

use crate::config::{CategoricalFill, Config, NumericFill};
use crate::plan::{Plan, Planned, Settings, plan};
use crate::problems::{Fault, Problems};
use crate::state::{ColumnState, Encoding, Role, State};
use target::Learning;

/// Learns from all rows.
///
/// Errors: those of [`plan`]; `invalid-input` for a table without rows and for columns that nothing can be learned
/// from, all of them at once.
pub fn fit(config: &Config, table: &Table) -> Result<State> {
    let Plan { columns: planned, settings, key } = plan(config, table.schema())?;
    if table.num_rows() == 0 {
        let message = "the table has no rows to learn from\nhint: look at the step that produces it";
        return Err(Error::invalid_input(message).at("table"));
    }
    let fitting = Fitting { config, table, settings, key, learning: OnceCell::new() };
    let (mut columns, mut problems) = (Vec::new(), Problems::default());
    let mut keep = |fitted: Result<Vec<ColumnState>, Fault>| match fitted {
        Ok(states) => columns.extend(states),
        Err(fault) => problems.add("table", fault),
    };
    for (done, column) in planned.iter().enumerate() {
        stop_if_cancelled()?;
        progress::update(done as u64, Some(planned.len() as u64), &column.name);
        keep(fitting.column(column)?);
    }
    for interaction in &config.interactions {
        stop_if_cancelled()?;
        keep(interactions::fit(&fitting, interaction)?.map(|state| vec![state]));
    }
    problems.refuse_input()?;
    if columns.is_empty() {
        let hint = "hint: say under `encode` what to make of them";
        return Err(Error::invalid_input(format!("every column was left out\n{hint}")).at("table"));
    }
    refuse_equal_names(config, &columns)?;
    let features: usize = columns.iter().map(|column| column.features().len()).sum();
    let mut sources: Vec<&str> = columns.iter().flat_map(ColumnState::sources).collect();
    sources.sort_unstable();
    sources.dedup();
    log::info(format!("{features} features of {} columns, learned from {} rows", sources.len(), table.num_rows()));
    let cross_fitted =
        |column: &ColumnState| matches!(&column.encoding, Encoding::Target(target) if !target.folds.is_empty());
    let members = fitting.learning.into_inner().filter(|_| columns.iter().any(cross_fitted));
    Ok(State {
        unseen: config.one_hot.unseen,
        pass_through: config.pass_through.clone(),
        target: config.target.clone(),
        members: members.and_then(Result::ok).and_then(|learning| learning.members),
        columns,
    })
}

fn stop_if_cancelled() -> Result<()> {
    if progress::is_cancelled() { Err(Error::internal("cancelled")) } else { Ok(()) }
}

/// Feature names are made of column names and values, so two may meet: a column `a=b` next to a column `a` with `b`.
fn refuse_equal_names(config: &Config, columns: &[ColumnState]) -> Result<()> {
    let kept = config.pass_through.iter().chain(&config.target).map(|name| (name.clone(), name.as_str()));
    let features = columns
        .iter()
        .flat_map(|column| column.features().into_iter().map(|feature| (feature.name, column.name.as_str())));
    let mut seen = BTreeMap::new();
    for (feature, column) in kept.chain(features) {
        if let Some(other) = seen.insert(feature.clone(), column) {
            let message = if other == column {
                format!("two encodings of column `{column}` give a feature `{feature}`\nhint: keep one of them")
            } else {
                format!(
                    "columns `{other}` and `{column}` both give a feature `{feature}`\nhint: rename or drop one of them"
                )
            };
            return Err(Error::invalid_input(message).at("table"));
        }
    }
    Ok(())
}

/// A fit under way.
struct Fitting<'a> {
    config: &'a Config,
    table: &'a Table,
    settings: Settings,
    key: Vec<String>,
    /// What the target says, read when an encoding asks for it first.
    learning: OnceCell<Result<Learning, Fault>>,
}

/// One encoding that was learned, and what it needs beside it.
struct Fitted {
    encoding: Encoding,
    held: Option<Role>,
    keep_missing: bool,
}

impl Fitting<'_> {
    fn column(&self, column: &Planned) -> Result<Result<Vec<ColumnState>, Fault>> {
        let fitted = match column.role {
            Role::Number | Role::Bool => numbers::fit(self, column)?,
            Role::Text => categories::fit(self, column)?,
            Role::Time => times::fit(self, column)?,
        };
        let (fitted, missing) = match fitted {
            Ok(fitted) => fitted,
            Err(fault) => return Ok(Err(fault)),
        };
        let count = fitted.len();
        let mut states = Vec::with_capacity(count);
        for (number, Fitted { encoding, held, keep_missing }) in fitted.into_iter().enumerate() {
            // The indicator follows the column's last encoding.
            let indicate_missing = self.config.indicate_missing && missing > 0 && number + 1 == count;
            let name = column.name.clone();
            let state = ColumnState { name, indicate_missing, keep_missing, held, encoding, scaling: Vec::new() };
            match scaling::scaled(self, state)? {
                Ok(state) => states.push(state),
                Err(fault) => return Ok(Err(fault)),
            }
        }
        Ok(Ok(states))
    }

    /// What the target says.
    fn learning(&self) -> Result<Result<&Learning, &Fault>> {
        if self.learning.get().is_none() {
            let learning = target::learn(self)?;
            // It was empty a line ago.
            _ = self.learning.set(learning);
        }
        Ok(self.learning.get().expect("it was set above").as_ref())
    }

    fn keeps_numbers(&self) -> bool {
        self.settings.numeric == NumericFill::Keep
    }

    fn keeps_texts(&self) -> bool {
        self.settings.categorical == CategoricalFill::Keep
    }

    /// What stands in for a missing number, given those that are known (not empty).
    fn fill(&self, known: &[f64]) -> Option<f64> {
        match self.settings.numeric {
            NumericFill::Median => Some(crate::statistics::median(known)),
            NumericFill::Mean => Some(crate::statistics::mean(known)),
            NumericFill::Constant(value) => Some(value),
            NumericFill::None | NumericFill::Keep => None,
        }
    }

    /// As [`Fitting::fill`], from values of which missing ones are NaN.
    fn fill_of(&self, name: &str, values: &[f64]) -> Result<Option<f64>, Fault> {
        let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        if known.is_empty() {
            return Err(only_nulls(name));
        }
        let missing = values.len() - known.len();
        match self.fill(&known) {
            None if missing > 0 && !self.keeps_numbers() => Err(missing_unwanted(name, missing, "numeric")),
            fill => Ok(fill),
        }
    }
}

fn only_nulls(name: &str) -> Fault {
    Fault::new(format!("column `{name}` has no value in any row"), "put columns without values under `drop`")
}

fn missing_unwanted(name: &str, missing: usize, key: &str) -> Fault {
    let what = format!("column `{name}` has rows without a value ({missing}), and `impute.{key}` is `none`");
    Fault::new(what, "let `impute` fill missing values, or put the column under `drop`")
}
