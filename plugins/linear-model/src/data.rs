//! Reads and checks the rows to learn from. The door is [`read`].

use wasmlops_sdk::{Column, DataType, Error, Field, Result, Schema, Table, log};

use crate::config::Config;
use crate::panels::Panels;

/// Features and targets beyond this are refused: sums of their squares must be numbers.
pub const MOST: f64 = 1e150;

/// What can be learned from: finite features, a target without gaps, weights.
pub struct Rows {
    /// The names of the panels' columns.
    pub features: Vec<String>,
    pub panels: Panels,
    pub target: Column,
    /// One for each row of the panels, 0 for those that fill up the last panel.
    pub weights: Vec<f64>,
}

/// The features that were asked for, or every numeric column.
///
/// Errors: `invalid-config` for names that are no column; `invalid-input` for a table without rows, and for features,
/// target and weights with missing, infinite or wrong-typed values.
pub fn read(config: &Config, table: &Table) -> Result<Rows> {
    let schema = table.schema();
    let target = schema.require(&config.target, "target")?;
    let weight = config.sample_weight.as_ref().map(|name| schema.require(name, "sample_weight")).transpose()?;
    let features = features(config, schema)?;
    if table.num_rows() == 0 {
        let message = "the table has no rows to learn from\nhint: look at the step that produces it";
        return Err(Error::invalid_input(message).at("train"));
    }
    let target = read_target(table, target)?;
    let panels = read_features(table, &features)?;
    let mut weights = match weight {
        Some(column) => read_weights(table, column)?,
        None => vec![1.0; table.num_rows()],
    };
    weights.resize(panels.padded_rows(), 0.0);
    let features = features.iter().map(|&index| schema.fields[index].name.clone()).collect();
    Ok(Rows { features, panels, target, weights })
}

/// Whether a feature may have this type.
pub fn is_feature_type(data_type: DataType) -> bool {
    matches!(data_type, DataType::Bool | DataType::S64 | DataType::F64 | DataType::F32)
}

fn features(config: &Config, schema: &Schema) -> Result<Vec<usize>> {
    let features = match &config.features {
        Some(names) => named_features(config, names, schema)?,
        None => default_features(config, schema),
    };
    if features.is_empty() {
        let hint = "hint: `tabular-features` makes numbers of text";
        return Err(Error::invalid_input(format!("there is no numeric column to predict from\n{hint}")).at("train"));
    }
    Ok(features)
}

fn named_features(config: &Config, names: &[String], schema: &Schema) -> Result<Vec<usize>> {
    let unknown: Vec<String> =
        names.iter().filter(|name| schema.index_of(name).is_none()).map(|name| format!("`{name}`")).collect();
    if !unknown.is_empty() {
        let hint = format!("hint: the table has {}", schema.names_for_message());
        return Err(Error::invalid_config("features", format!("no such column: {}\n{hint}", unknown.join(", "))));
    }
    for (position, name) in names.iter().enumerate() {
        let twice = names[..position].contains(name);
        if twice || *name == config.target || config.sample_weight.as_ref() == Some(name) {
            let why = if twice { "twice" } else { "and is the target or the weight" };
            let message = format!("column `{name}` is a feature {why}\nhint: take it out of `features`");
            return Err(Error::invalid_config("features", message));
        }
    }
    let features: Vec<usize> = names.iter().filter_map(|name| schema.index_of(name)).collect();
    let fields = features.iter().map(|&index| &schema.fields[index]);
    let wrong: Vec<String> = fields.filter(|field| !is_feature_type(field.data_type)).map(describe).collect();
    if wrong.is_empty() {
        return Ok(features);
    }
    let hint = "hint: `tabular-features` makes numbers of text; leave other columns out";
    Err(Error::invalid_input(format!("features are not numeric: {}\n{hint}", wrong.join(", "))).at("train"))
}

fn default_features(config: &Config, schema: &Schema) -> Vec<usize> {
    let is_free = |field: &Field| field.name != config.target && config.sample_weight.as_ref() != Some(&field.name);
    let free = schema.fields.iter().enumerate().filter(|(_, field)| is_free(field));
    let (features, others): (Vec<_>, Vec<_>) = free.partition(|(_, field)| is_feature_type(field.data_type));
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|(_, field)| describe(field)).collect();
        log::warn(format!("columns that are not numeric are no features: {}", names.join(", ")));
    }
    features.into_iter().map(|(index, _)| index).collect()
}

fn describe(field: &Field) -> String {
    format!("`{}` ({})", field.name, field.data_type.name())
}

fn read_target(table: &Table, index: usize) -> Result<Column> {
    let column = table.column(index)?;
    let is_missing = |&row: &usize| column.is_null(row) || column.number(row).is_some_and(f64::is_nan);
    let mut missing = (0..column.len()).filter(is_missing);
    let Some(first) = missing.next() else { return Ok(column) };
    let (name, count) = (&table.schema().fields[index].name, 1 + missing.count());
    let message = format!("target `{name}` is missing in {count} of {} rows, first in row {first}", table.num_rows());
    Err(Error::invalid_input(format!("{message}\nhint: leave out rows without a target")).at("train"))
}

fn read_weights(table: &Table, index: usize) -> Result<Vec<f64>> {
    let field = &table.schema().fields[index];
    let refused = |what: String| {
        let hint = "hint: weights are finite numbers from 0, and not all of them 0";
        Err(Error::invalid_input(format!("sample weight `{}` {what}\n{hint}", field.name)).at("train"))
    };
    if !is_feature_type(field.data_type) {
        return refused(format!("is `{}`", field.data_type.name()));
    }
    let weights = table.column(index)?.numbers().unwrap_or_default();
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        let value = if weights[row].is_nan() { "missing".to_owned() } else { weights[row].to_string() };
        return refused(format!("is {value} in row {row}"));
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return refused("is 0 in every row".to_owned());
    }
    Ok(weights)
}

/// Whether a value can be computed with; NaN cannot.
pub fn is_usable(value: f64) -> bool {
    value.abs() <= MOST
}

/// Values of one feature that cannot be used.
#[derive(Clone, Copy, Default)]
struct Unusable {
    count: usize,
    first: usize,
}

fn read_features(table: &Table, features: &[usize]) -> Result<Panels> {
    let mut panels = Panels::new(table.num_rows(), features.len());
    let mut unusable = vec![Unusable::default(); features.len()];
    let mut start = 0;
    for batch in table.batches(features) {
        let batch = batch?;
        for (index, (column, unusable)) in batch.columns.iter().zip(&mut unusable).enumerate() {
            let values = column.numbers().ok_or_else(|| Error::internal("a feature holds no numbers"))?;
            for (row, _) in values.iter().enumerate().filter(|(_, value)| !is_usable(**value)) {
                if unusable.count == 0 {
                    unusable.first = start + row;
                }
                unusable.count += 1;
            }
            panels.set(index, start, &values);
        }
        start += batch.num_rows;
    }
    let name = |index: usize| &table.schema().fields[index].name;
    let what: Vec<String> = features
        .iter()
        .zip(&unusable)
        .filter(|(_, unusable)| unusable.count > 0)
        .map(|(&index, Unusable { count, first })| {
            format!("`{}` ({count} of {start} rows, first row {first})", name(index))
        })
        .collect();
    if what.is_empty() {
        return Ok(panels);
    }
    let hint = "hint: `tabular-features` fills missing values";
    let message = format!("features are missing, infinite or beyond {MOST:e}: {}\n{hint}", what.join(", "));
    Err(Error::invalid_input(message).at("train"))
}
