//! Which columns are features, target and weights, and the checks of the latter two. The doors are [`Chosen::of`],
//! [`read_target`] and [`read_weights`].

use wasmlops_sdk::{Column, DataType, Error, Field, Result, Schema, Table, log};

use crate::config::Config;

/// Targets and weights beyond this are refused: products of their sums must be numbers.
pub const MOST: f64 = 1e50;

/// Where the columns are in the table.
pub struct Chosen {
    pub features: Vec<usize>,
    pub target: usize,
    pub weight: Option<usize>,
}

impl Chosen {
    /// Errors: `invalid-config` for names that are no column or come twice; `invalid-input` for features of a type that
    /// cannot be learned from, all of them named.
    pub fn of(config: &Config, schema: &Schema) -> Result<Self> {
        let target = schema.require(&config.target, "target")?;
        let weight = config.sample_weight.as_ref().map(|name| schema.require(name, "sample_weight")).transpose()?;
        let features = match &config.features {
            Some(names) => named_features(config, names, schema)?,
            None => default_features(config, schema),
        };
        if features.is_empty() {
            let hint = "hint: features are numbers or text";
            return Err(Error::invalid_input(format!("there is no column to predict from\n{hint}")).at("train"));
        }
        Ok(Self { features, target, weight })
    }
}

/// Whether a feature may have this type.
pub fn is_feature_type(data_type: DataType) -> bool {
    is_number_type(data_type) || data_type.is_text()
}

/// Whether a feature of this type is a number.
pub fn is_number_type(data_type: DataType) -> bool {
    matches!(data_type, DataType::Bool | DataType::S64 | DataType::F64 | DataType::F32)
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
    let hint = "hint: `tabular-features` makes numbers of timestamps; leave other columns out";
    let message = format!("features are neither numbers nor text: {}\n{hint}", wrong.join(", "));
    Err(Error::invalid_input(message).at("train"))
}

fn default_features(config: &Config, schema: &Schema) -> Vec<usize> {
    let is_free = |field: &Field| field.name != config.target && config.sample_weight.as_ref() != Some(&field.name);
    let free = schema.fields.iter().enumerate().filter(|(_, field)| is_free(field));
    let (features, others): (Vec<_>, Vec<_>) = free.partition(|(_, field)| is_feature_type(field.data_type));
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|(_, field)| describe(field)).collect();
        log::warn(format!("columns that are neither numbers nor text are no features: {}", names.join(", ")));
    }
    features.into_iter().map(|(index, _)| index).collect()
}

fn describe(field: &Field) -> String {
    format!("`{}` ({})", field.name, field.data_type.name())
}

/// The target without gaps; `at` is the input's name.
///
/// Errors: `invalid-input` with how many are missing.
pub fn read_target(table: &Table, index: usize, at: &str) -> Result<Column> {
    let column = table.column(index)?;
    let is_missing = |&row: &usize| column.is_null(row) || column.number(row).is_some_and(f64::is_nan);
    let mut missing = (0..column.len()).filter(is_missing);
    let Some(first) = missing.next() else { return Ok(column) };
    let (name, count) = (&table.schema().fields[index].name, 1 + missing.count());
    let message = format!("target `{name}` is missing in {count} of {} rows, first in row {first}", table.num_rows());
    Err(Error::invalid_input(format!("{message}\nhint: leave out rows without a target")).at(at))
}

/// A target of regression.
///
/// Errors: `invalid-input` where it is no number, or too large to compute with.
pub fn target_numbers(target: &Column, name: &str, at: &str) -> Result<Vec<f64>> {
    let refused = |what: String, hint: &str| Err(Error::invalid_input(format!("{what}\nhint: {hint}")).at(at));
    if !matches!(target.data_type(), DataType::S64 | DataType::F64 | DataType::F32) {
        let what = format!("target `{name}` is `{}`, and regression predicts numbers", target.data_type().name());
        return refused(what, "`task: binary` and `task: multiclass` predict classes");
    }
    let values = target.numbers().unwrap_or_default();
    match values.iter().position(|&value| value.is_nan() || value.abs() > MOST) {
        Some(row) => {
            refused(format!("target `{name}` is infinite or beyond {MOST:e} in row {row}"), "leave out such rows")
        }
        None => Ok(values),
    }
}

/// Errors: `invalid-input` for weights that are missing, negative or too large, and where all are 0.
pub fn read_weights(table: &Table, index: usize) -> Result<Vec<f64>> {
    let field = &table.schema().fields[index];
    let refused = |what: String| {
        let hint = format!("hint: weights are numbers from 0 to {MOST:e}, and not all of them 0");
        Err(Error::invalid_input(format!("sample weight `{}` {what}\n{hint}", field.name)).at("train"))
    };
    if !is_number_type(field.data_type) {
        return refused(format!("is `{}`", field.data_type.name()));
    }
    let weights = table.column(index)?.numbers().unwrap_or_default();
    if let Some(row) = weights.iter().position(|weight| !(0.0..=MOST).contains(weight)) {
        let value = if weights[row].is_nan() { "missing".to_owned() } else { weights[row].to_string() };
        return refused(format!("is {value} in row {row}"));
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return refused("is 0 in every row".to_owned());
    }
    Ok(weights)
}
