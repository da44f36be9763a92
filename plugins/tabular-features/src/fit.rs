//! Learns each column's state, one column after the other, so that memory holds one of them at a time.

use std::collections::BTreeMap;

use wasmlops_sdk::{Column, Error, Result, Table, log, progress};

use crate::config::{CategoricalFill, Config, NumericFill, OneHot, Unseen};
use crate::plan::{Planned, Role, plan};
use crate::state::{ColumnState, Encoding, State};
use crate::statistics::{mean, median, moments};

/// What is wrong with one column's values: the column's part of the message, and the hint.
struct Fault {
    what: String,
    hint: &'static str,
}

impl Fault {
    fn new(what: String, hint: &'static str) -> Self {
        Self { what, hint }
    }
}

/// Learns from all rows.
///
/// Errors: those of [`plan`]; `invalid-input` for a table without rows and for columns that nothing can be learned
/// from, all of them at once.
pub fn fit(config: &Config, table: &Table) -> Result<State> {
    let planned = plan(config, table.schema())?;
    if table.num_rows() == 0 {
        let message = "the table has no rows to learn from\nhint: look at the step that produces it";
        return Err(Error::invalid_input(message).at("table"));
    }
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    for (done, column) in planned.iter().enumerate() {
        if progress::is_cancelled() {
            return Err(Error::internal("cancelled"));
        }
        progress::update(done as u64, Some(planned.len() as u64), &column.name);
        match fit_column(config, table, column)? {
            Ok(state) => columns.push(state),
            Err(fault) => faults.push(fault),
        }
    }
    refuse(faults)?;
    refuse_equal_names(config, &columns)?;
    let features: usize = columns.iter().map(|column| column.features().len()).sum();
    log::info(format!("{features} features of {} columns, learned from {} rows", columns.len(), table.num_rows()));
    Ok(State {
        columns,
        unseen: config.one_hot.unseen,
        pass_through: config.pass_through.clone(),
        target: config.target.clone(),
    })
}

fn refuse(faults: Vec<Fault>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let what: Vec<&str> = faults.iter().map(|fault| fault.what.as_str()).collect();
    let mut hints: Vec<&str> = faults.iter().map(|fault| fault.hint).collect();
    hints.sort_unstable();
    hints.dedup();
    let hints: String = hints.iter().map(|hint| format!("\nhint: {hint}")).collect();
    Err(Error::invalid_input(format!("{}{hints}", what.join("; "))).at("table"))
}

/// Feature names are made of column names and values, so two may meet: a column `a=b` next to a column `a` with `b`.
fn refuse_equal_names(config: &Config, columns: &[ColumnState]) -> Result<()> {
    let kept = config.pass_through.iter().chain(&config.target).map(|name| (name.clone(), name.as_str()));
    let features =
        columns.iter().flat_map(|column| column.features().into_iter().map(|name| (name, column.name.as_str())));
    let mut seen = BTreeMap::new();
    for (feature, column) in kept.chain(features) {
        if let Some(other) = seen.insert(feature.clone(), column) {
            let message = format!("columns `{other}` and `{column}` both give a feature `{feature}`");
            return Err(Error::invalid_input(format!("{message}\nhint: rename or drop one of them")).at("table"));
        }
    }
    Ok(())
}

fn fit_column(config: &Config, table: &Table, column: &Planned) -> Result<Result<ColumnState, Fault>> {
    let fitted = match column.role {
        Role::Number | Role::Bool => fit_numbers(config, column, &read_numbers(table, column)?),
        Role::Text => {
            // With a least count, rare values may be any number.
            let limit = if config.one_hot.min_count > 1 { usize::MAX } else { config.one_hot.max_categories };
            fit_categories(config, &column.name, count(table, column.index, limit)?)
        }
    };
    let state = |(encoding, missing)| ColumnState {
        name: column.name.clone(),
        indicate_missing: config.indicate_missing && missing > 0,
        encoding,
    };
    Ok(fitted.map(state))
}

/// All values, missing ones as NaN.
fn read_numbers(table: &Table, column: &Planned) -> Result<Vec<f64>> {
    let mut values = Vec::with_capacity(table.num_rows());
    for batch in table.batches(&[column.index]) {
        for part in batch?.columns {
            let numbers =
                part.numbers().ok_or_else(|| Error::internal(format!("`{}` holds no numbers", column.name)))?;
            values.extend(numbers);
        }
    }
    Ok(values)
}

/// The encoding and how many values are missing.
fn fit_numbers(config: &Config, column: &Planned, values: &[f64]) -> Result<(Encoding, usize), Fault> {
    let name = &column.name;
    if let Some(row) = values.iter().position(|value| value.is_infinite()) {
        let what = format!("column `{name}` is infinite in row {row}");
        return Err(Fault::new(what, "make infinite values null or finite before this step"));
    }
    let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let missing = values.len() - known.len();
    if known.is_empty() {
        return Err(only_nulls(name));
    }
    let fill = match config.impute.numeric {
        NumericFill::Median => Some(median(&known)),
        NumericFill::Mean => Some(mean(&known)),
        NumericFill::Constant(value) => Some(value),
        NumericFill::None => None,
    };
    let Some(stand_in) = fill.or((missing == 0).then_some(0.0)) else {
        return Err(missing_unwanted(name, missing, "numeric"));
    };
    if column.role == Role::Bool {
        return Ok((Encoding::Bool { fill }, missing));
    }
    if !config.standardise {
        return Ok((Encoding::Number { fill, mean: 0.0, scale: 1.0 }, missing));
    }
    known.clear();
    known.extend(values.iter().map(|&value| if value.is_nan() { stand_in } else { value }));
    let moments = moments(&known).ok_or_else(|| {
        let what = format!("column `{name}` has values too large to standardise");
        Fault::new(what, "rescale the column, or set `standardise: false`")
    })?;
    Ok((Encoding::Number { fill, mean: moments.mean, scale: moments.scale }, missing))
}

/// How often each text comes, and how often none does.
#[derive(Default)]
struct Counts {
    texts: BTreeMap<String, u64>,
    missing: usize,
}

/// Counts until there are more than `limit` texts.
fn count(table: &Table, column: usize, limit: usize) -> Result<Counts> {
    let mut counts = Counts::default();
    for batch in table.batches(&[column]) {
        for part in batch?.columns {
            match part.as_codes() {
                Some(codes) => count_codes(&mut counts, &part, codes),
                None => part.texts().for_each(|text| counts.add(text, 1)),
            }
        }
        if counts.texts.len() > limit {
            break;
        }
    }
    Ok(counts)
}

/// Counts numbers first, so that each text is looked up once a batch.
fn count_codes(counts: &mut Counts, column: &Column, codes: &[i32]) {
    let categories = column.categories();
    let mut rows = vec![0; categories.len()];
    for (row, &code) in codes.iter().enumerate() {
        match usize::try_from(code).ok().and_then(|code| rows.get_mut(code)) {
            Some(count) if !column.is_null(row) => *count += 1,
            _ => counts.missing += 1,
        }
    }
    categories.iter().zip(rows).filter(|(_, rows)| *rows > 0).for_each(|(text, rows)| counts.add(Some(text), rows));
}

impl Counts {
    fn add(&mut self, text: Option<&str>, rows: u64) {
        match text {
            None => self.missing += 1,
            Some(text) => match self.texts.get_mut(text) {
                Some(count) => *count += rows,
                None => _ = self.texts.insert(text.to_owned(), rows),
            },
        }
    }
}

/// The encoding and how many values are missing.
fn fit_categories(config: &Config, name: &str, counts: Counts) -> Result<(Encoding, usize), Fault> {
    let Counts { mut texts, missing } = counts;
    if texts.is_empty() {
        return Err(only_nulls(name));
    }
    // Keys come sorted, and the last of the largest is the first of them in reverse.
    let most_frequent = texts.iter().rev().max_by_key(|(_, count)| **count).map(|(text, _)| text.clone());
    let fill = match &config.impute.categorical {
        CategoricalFill::MostFrequent => most_frequent,
        CategoricalFill::Constant(text) => Some(text.clone()),
        CategoricalFill::None if missing > 0 => return Err(missing_unwanted(name, missing, "categorical")),
        CategoricalFill::None => None,
    };
    if let (Some(fill), true) = (&fill, missing > 0) {
        *texts.entry(fill.clone()).or_default() += missing as u64;
    }
    let OneHot { max_categories, min_count, unseen } = config.one_hot;
    let (often, seldom): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(_, count)| *count >= min_count);
    let names = |texts: Vec<(String, u64)>| texts.into_iter().map(|(text, _)| text).collect::<Vec<_>>();
    if often.is_empty() {
        let what = format!("no value of column `{name}` comes {min_count} times (`one_hot.min_count`)");
        return Err(Fault::new(what, "lower `one_hot.min_count`, or put the column under `drop`"));
    }
    if often.len() > max_categories {
        let what = format!("column `{name}` has more than {max_categories} values (`one_hot.max_categories`)");
        return Err(Fault::new(what, TOO_MANY));
    }
    let seldom = if unseen == Unseen::Error { names(seldom) } else { Vec::new() };
    Ok((Encoding::OneHot { fill, categories: names(often), seldom }, missing))
}

const TOO_MANY: &str =
    "put columns with many values (names, identifiers, free text) under `drop`, or raise `one_hot.max_categories`";

fn only_nulls(name: &str) -> Fault {
    Fault::new(format!("column `{name}` has no value in any row"), "put columns without values under `drop`")
}

fn missing_unwanted(name: &str, missing: usize, key: &str) -> Fault {
    let what = format!("column `{name}` has rows without a value ({missing}), and `impute.{key}` is `none`");
    Fault::new(what, "let `impute` fill missing values, or put the column under `drop`")
}
