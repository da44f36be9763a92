//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// What is said of a model, and how bad it may be.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The class whose probability is judged. Default: of two classes the model's last one; of more, the one that it
    /// says.
    pub positive: Option<Class>,

    /// How the reliability table is made; `null` makes none.
    pub calibration: Option<Calibration>,

    /// How slices are looked for; `null` looks for none.
    pub slices: Option<Slices>,

    /// How the importance of columns is measured; `null` measures none.
    pub importance: Option<Importance>,

    /// The most that the Brier score may be.
    #[schemars(range(min = 0))]
    pub max_brier: Option<f64>,

    /// The most that the expected calibration error may be.
    #[schemars(range(min = 0, max = 1))]
    pub max_ece: Option<f64>,

    /// How much worse than the rest of the rows a slice may be, in the loss that `slices` says.
    #[schemars(range(min = 0))]
    pub max_slice_gap: Option<f64>,

    /// The most that one column may have of the importance of all: more is a suspected leak.
    #[schemars(range(min = 0, max = 1))]
    pub max_importance_share: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            positive: None,
            calibration: Some(Calibration::default()),
            slices: Some(Slices::default()),
            importance: Some(Importance::default()),
            max_brier: None,
            max_ece: None,
            max_slice_gap: None,
            max_importance_share: None,
        }
    }
}

/// The reliability table.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Calibration {
    /// How many bins. Default: 10.
    #[schemars(range(min = 1, max = 100))]
    pub bins: usize,

    /// Bins of equal width, or of about equally many rows. Default: `uniform`.
    pub binning: Binning,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { bins: 10, binning: Binning::Uniform }
    }
}

/// How probabilities are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Binning {
    /// Bins of equal width.
    Uniform,
    /// Bins of about equally many rows.
    Quantile,
}

/// Slices of the rows where the model is worse than elsewhere.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Slices {
    /// The columns that make slices. Default: all but the one that the model predicts.
    pub columns: Option<Vec<String>>,

    /// Columns that make none.
    pub exclude: Vec<String>,

    /// What is worse where it is more. Default: `error` for classes, `absolute` for numbers.
    pub loss: Option<Cost>,

    /// Numbers with more than ten different values are divided into this many bins of about equally many rows. Default:
    /// 4.
    #[schemars(range(min = 2, max = 20))]
    pub bins: usize,

    /// How many columns together make a slice: 1 or 2. Default: 2.
    #[schemars(range(min = 1, max = 2))]
    pub depth: u8,

    /// Slices with fewer rows are not looked at. Default: 30.
    #[schemars(range(min = 2))]
    pub min_rows: u64,

    /// The share of the slices found that may be chance. Default: 0.05.
    #[schemars(range(min = 0, max = 1))]
    pub significance: f64,

    /// How many slices are reported. Default: 10.
    #[schemars(range(min = 1))]
    pub most: usize,
}

impl Default for Slices {
    fn default() -> Self {
        Self {
            columns: None,
            exclude: Vec::new(),
            loss: None,
            bins: 4,
            depth: 2,
            min_rows: 30,
            significance: 0.05,
            most: 10,
        }
    }
}

/// What one row costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Cost {
    /// Classes: 1 for a wrong class, 0 for the right one.
    Error,
    /// Classes: the negative logarithm of the true class's probability.
    LogLoss,
    /// Classes: the squared error of the probabilities.
    Brier,
    /// Numbers: the absolute error.
    Absolute,
    /// Numbers: the squared error.
    Squared,
}

impl Cost {
    pub fn name(self) -> &'static str {
        match self {
            Cost::Error => "error",
            Cost::LogLoss => "log_loss",
            Cost::Brier => "brier",
            Cost::Absolute => "absolute",
            Cost::Squared => "squared",
        }
    }

    pub fn is_of_numbers(self) -> bool {
        matches!(self, Cost::Absolute | Cost::Squared)
    }
}

/// Permutation importance: how much worse the model becomes when one column is shuffled.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Importance {
    /// The columns that are shuffled, one after the other. Default: all but the one that the model predicts.
    pub columns: Option<Vec<String>>,

    /// Columns that are not shuffled.
    pub exclude: Vec<String>,

    /// What becomes worse. Default: `auc` where the model gives probabilities, otherwise `accuracy`; `r2` for numbers.
    pub metric: Option<Metric>,

    /// How often each column is shuffled. Default: 5.
    #[schemars(range(min = 1, max = 1000))]
    pub repeats: u32,

    /// For the shuffles and the rows that are drawn. Default: 7.
    pub seed: u64,

    /// At most this many rows, drawn at random: the model is asked about each of them once for each column and repeat.
    /// Default: 10,000.
    #[schemars(range(min = 2))]
    pub max_rows: usize,
}

impl Default for Importance {
    fn default() -> Self {
        Self { columns: None, exclude: Vec::new(), metric: None, repeats: 5, seed: 7, max_rows: 10_000 }
    }
}

/// How good a model is, as one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Metric {
    Accuracy,
    BalancedAccuracy,
    F1,
    Auc,
    LogLoss,
    Brier,
    R2,
    Rmse,
    Mae,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Metric::Accuracy => "accuracy",
            Metric::BalancedAccuracy => "balanced_accuracy",
            Metric::F1 => "f1",
            Metric::Auc => "auc",
            Metric::LogLoss => "log_loss",
            Metric::Brier => "brier",
            Metric::R2 => "r2",
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
        }
    }

    pub fn is_of_numbers(self) -> bool {
        matches!(self, Metric::R2 | Metric::Rmse | Metric::Mae)
    }

    pub fn higher_is_better(self) -> bool {
        !matches!(self, Metric::LogLoss | Metric::Brier | Metric::Rmse | Metric::Mae)
    }
}

/// A class as YAML writes it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Class {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Class::Bool(value) => value.fmt(f),
            Class::Whole(value) => value.fmt(f),
            Class::Number(value) => value.fmt(f),
            Class::Text(value) => value.fmt(f),
        }
    }
}

impl JsonSchema for Class {
    fn schema_name() -> Cow<'static, str> {
        "Class".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}
