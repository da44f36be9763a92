//! What a user can set. Read by the build script for the manifest, so it knows serde and schemars alone.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fits a linear model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What to predict.
    pub task: Task,
    /// The column to predict.
    pub target: String,
    /// The columns to predict from, all numeric. Default: every `bool`, `s64`, `f64` and `f32` column but `target` and
    /// `sample_weight`.
    #[serde(default)]
    pub features: Option<Vec<String>>,
    /// The column that says how much each row counts: numbers from 0. Default: each row counts 1.
    #[serde(default)]
    pub sample_weight: Option<String>,
    /// Classification: how much the data counts against the penalty on large coefficients; smaller is more regular. The
    /// default is 1.
    #[serde(default)]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub c: Option<f64>,
    /// Regression: the penalty on large coefficients. The default, 0, is ordinary least squares; more is ridge
    /// regression.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub alpha: Option<f64>,
    /// Whether to learn a constant term; it is not penalised.
    #[serde(default = "yes")]
    pub fit_intercept: bool,
    /// Classification: whether classes count equally however many rows they have.
    #[serde(default)]
    pub class_weight: ClassWeight,
    /// `task: binary`: the class that comes last in the model, whose coefficients are positive where a feature speaks
    /// for it. Default: the last in sorted order.
    #[serde(default)]
    pub positive: Option<Class>,
    /// Classification: the most iterations.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1))]
    pub max_iter: u64,
    /// Classification: the fit has converged when no component of the gradient, in scaled features, is larger.
    #[serde(default = "tolerance")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub tolerance: f64,
}

/// What to predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Task {
    /// A number.
    Regression,
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
}

/// How much the rows of a class count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ClassWeight {
    /// As they come.
    #[default]
    None,
    /// Inversely to the class's rows: rows / (classes × rows of the class).
    Balanced,
}

/// A class as YAML writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Class {
    Bool(bool),
    Whole(i64),
    Text(String),
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Class::Bool(value) => value.fmt(f),
            Class::Whole(value) => value.fmt(f),
            Class::Text(value) => value.fmt(f),
        }
    }
}

fn yes() -> bool {
    true
}

fn thousand() -> u64 {
    1000
}

fn tolerance() -> f64 {
    1e-4
}
