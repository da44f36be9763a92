//! Features of one numeric column. A missing value is NaN until it is filled, and stays NaN where it is to be kept.

use wasmlops_sdk::{Column, Error, Result};

use super::missing;
use crate::power::yeo_johnson;

/// A column to make numbers of.
pub struct Operand<'a> {
    pub name: &'a str,
    pub column: &'a Column,
    /// Whether missing values stay missing.
    pub keep: bool,
}

impl Operand<'_> {
    /// The values without gaps, unless gaps are kept.
    pub fn numbers(&self, fill: Option<f64>) -> Result<Vec<f64>> {
        self.filled(finite(self.name, self.column)?, fill)
    }

    /// Fills the gaps.
    ///
    /// Errors: `invalid-input` for a gap that nothing fills, and for an infinite value.
    pub fn filled(&self, mut values: Vec<f64>, fill: Option<f64>) -> Result<Vec<f64>> {
        for (row, value) in values.iter_mut().enumerate() {
            if value.is_nan() {
                match fill {
                    Some(fill) => *value = fill,
                    None if self.keep => {}
                    None => return Err(missing(self.name, row)),
                }
            } else if value.is_infinite() {
                return Err(infinite(self.name, row));
            }
        }
        Ok(values)
    }

    pub fn log1p(&self, fill: Option<f64>) -> Result<Vec<f64>> {
        let mut values = self.numbers(fill)?;
        for (row, value) in values.iter_mut().enumerate() {
            if *value <= -1.0 {
                let hint = "hint: `power` takes any number";
                let message = format!("column `{}` is not above -1 in row {row} of the batch\n{hint}", self.name);
                return Err(Error::invalid_input(message).at("table"));
            }
            *value = value.ln_1p();
        }
        Ok(values)
    }

    pub fn power(&self, fill: Option<f64>, lambda: f64) -> Result<Vec<f64>> {
        let mut values = self.numbers(fill)?;
        for (row, value) in values.iter_mut().enumerate() {
            *value = yeo_johnson(*value, lambda);
            if value.is_infinite() {
                return Err(infinite(self.name, row));
            }
        }
        Ok(values)
    }

    /// How many of `edges` are at or below each value.
    pub fn bins(&self, fill: Option<f64>, edges: &[f64]) -> Result<Vec<f64>> {
        let mut values = self.numbers(fill)?;
        let bin = |value: f64| edges.partition_point(|edge| *edge <= value) as f64;
        values.iter_mut().filter(|value| !value.is_nan()).for_each(|value| *value = bin(*value));
        Ok(values)
    }
}

/// 1 in the feature of the value, which is a whole number below `width`; all 0 for NaN.
pub fn one_hot(values: &[f64], width: usize) -> Vec<Vec<f64>> {
    let mut features = vec![vec![0.0; values.len()]; width];
    for (row, &value) in values.iter().enumerate() {
        if !value.is_nan() {
            features[value as usize][row] = 1.0;
        }
    }
    features
}

/// All values, missing ones as NaN.
///
/// Errors: `invalid-input` for an infinite one.
pub fn finite(name: &str, column: &Column) -> Result<Vec<f64>> {
    let values = column.numbers().ok_or_else(|| Error::internal(format!("`{name}` holds no numbers")))?;
    match values.iter().position(|value| value.is_infinite()) {
        Some(row) => Err(infinite(name, row)),
        None => Ok(values),
    }
}

fn infinite(name: &str, row: usize) -> Error {
    let hint = "hint: make infinite values null or finite before this step";
    Error::invalid_input(format!("column `{name}` is infinite in row {row} of the batch\n{hint}")).at("table")
}
