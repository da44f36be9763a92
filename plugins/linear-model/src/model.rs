//! A trained model as it is kept: JSON, so that anything can read the coefficients.

use serde::{Deserialize, Serialize};
use wasmlops_sdk::{Error, Result, decode};

use crate::config::Task;

/// Everything that predicting needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub task: Task,
    pub target: String,
    /// The columns that the coefficients belong to.
    pub features: Vec<String>,
    /// Empty for regression. Of two classes, the second is the positive one.
    pub classes: Vec<String>,
    /// One row for regression and for two classes, else one for each class.
    pub coefficients: Vec<Vec<f64>>,
    /// One for each row of coefficients.
    pub intercepts: Vec<f64>,
}

impl Model {
    /// Errors: `invalid-input` for bytes that are no model of this plugin.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let model: Self = decode(bytes)?;
        let rows = if model.classes.len() > 2 { model.classes.len() } else { 1 };
        let fits = model.coefficients.len() == rows
            && model.intercepts.len() == rows
            && model.coefficients.iter().all(|row| row.len() == model.features.len())
            && (model.task == Task::Regression) == model.classes.is_empty()
            && model.classes.len() != 1;
        if fits { Ok(model) } else { Err(Error::invalid_input("the model's parts do not fit each other").at("model")) }
    }

    /// Whether all numbers are numbers: JSON has no others.
    pub fn is_finite(&self) -> bool {
        self.coefficients.iter().flatten().chain(&self.intercepts).all(|value| value.is_finite())
    }
}
