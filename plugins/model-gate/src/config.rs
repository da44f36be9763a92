//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// What a model must reach on rows that it did not learn from.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What kind of prediction is judged. Default: `classification` where the model gives probabilities or text,
    /// otherwise `regression`.
    pub task: Option<Task>,

    /// Of two classes, the one that `precision`, `recall`, `f1`, `auc` and `average_precision` are about. Default: the
    /// model's last class.
    pub positive: Option<Class>,

    /// Of two classes, the probability of the positive one from which on a row counts as positive. Default: the class
    /// that the model says.
    #[schemars(range(min = 0, max = 1))]
    pub threshold: Option<f64>,

    /// The least that each metric must reach, for example `{ auc: 0.98 }`.
    pub min: Thresholds,

    /// The most that each metric may be, for example `{ log_loss: 0.2 }`.
    pub max: Thresholds,

    /// Metrics in which the model must not be worse than the model under the input `baseline`.
    pub compare: Vec<Comparison>,

    /// Whether the gate stays shut without an input `baseline`. Otherwise `compare` then passes, and says so.
    pub require_baseline: bool,

    /// Columns of the table whose values divide the rows into slices, each with its own metrics: text, `bool`, or `s64`
    /// with few different values.
    pub slices: Vec<String>,

    /// Slices with fewer rows are not judged.
    #[schemars(range(min = 1))]
    pub min_slice_rows: usize,

    /// The least that each metric must reach in every slice.
    pub slice_min: Thresholds,

    /// The most that each metric may be in every slice.
    pub slice_max: Thresholds,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            task: None,
            positive: None,
            threshold: None,
            min: Thresholds::default(),
            max: Thresholds::default(),
            compare: Vec::new(),
            require_baseline: false,
            slices: Vec::new(),
            // Below about 30 rows the error of a rate exceeds 0.15, and a threshold judges chance.
            min_slice_rows: 30,
            slice_min: Thresholds::default(),
            slice_max: Thresholds::default(),
        }
    }
}

/// What kind of prediction a model makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Task {
    /// One of several classes.
    Classification,
    /// A number.
    Regression,
}

impl Task {
    pub fn name(self) -> &'static str {
        match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
        }
    }
}

/// A metric with what it must gain on the baseline.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Comparison {
    /// The metric's name.
    pub metric: Metric,

    /// How much better than the baseline the model must be: higher, or lower for metrics where less is better.
    /// Negative: how much worse it may be.
    #[serde(default)]
    pub min_improvement: f64,
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

/// A number for each of some metrics.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Thresholds(pub BTreeMap<Metric, f64>);

/// Written by hand, so that a wrong name is answered with the right ones and each has its description.
impl JsonSchema for Thresholds {
    fn schema_name() -> Cow<'static, str> {
        "Thresholds".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |metric: Metric| {
            let schema = json_schema!({ "type": "number", "description": metric.description() });
            (metric.name().to_owned(), schema.to_value())
        };
        let mut schema = json_schema!({ "type": "object", "additionalProperties": false });
        schema.insert("properties".to_owned(), Metric::ALL.map(property).into_iter().collect());
        schema
    }
}

/// What is measured. The names are those of the fields under `min`, and of the run's metrics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Accuracy,
    BalancedAccuracy,
    Precision,
    Recall,
    F1,
    Auc,
    AveragePrecision,
    LogLoss,
    Brier,
    Mcc,
    Rmse,
    Mae,
    R2,
    Mape,
    MaxError,
    MedianAbsoluteError,
}

impl Metric {
    pub const ALL: [Metric; 16] = [
        Metric::Accuracy,
        Metric::BalancedAccuracy,
        Metric::Precision,
        Metric::Recall,
        Metric::F1,
        Metric::Auc,
        Metric::AveragePrecision,
        Metric::LogLoss,
        Metric::Brier,
        Metric::Mcc,
        Metric::Rmse,
        Metric::Mae,
        Metric::R2,
        Metric::Mape,
        Metric::MaxError,
        Metric::MedianAbsoluteError,
    ];

    pub fn name(self) -> &'static str {
        self.about().0
    }

    pub fn description(self) -> &'static str {
        self.about().1
    }

    pub fn task(self) -> Task {
        if self < Metric::Rmse { Task::Classification } else { Task::Regression }
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        match self {
            Metric::Accuracy | Metric::BalancedAccuracy | Metric::Precision | Metric::Recall | Metric::F1 => true,
            Metric::Auc | Metric::AveragePrecision | Metric::Mcc | Metric::R2 => true,
            Metric::LogLoss | Metric::Brier => false,
            Metric::Rmse | Metric::Mae | Metric::Mape | Metric::MaxError | Metric::MedianAbsoluteError => false,
        }
    }

    fn about(self) -> (&'static str, &'static str) {
        match self {
            Metric::Accuracy => ("accuracy", "Classification: the part of the rows that is right."),
            Metric::BalancedAccuracy => ("balanced_accuracy", "Classification: the mean of the classes' recall."),
            Metric::Precision => ("precision", "Classification: of the rows called positive, the part that is."),
            Metric::Recall => ("recall", "Classification: of the positive rows, the part called so."),
            Metric::F1 => ("f1", "Classification: the harmonic mean of precision and recall."),
            Metric::Auc => ("auc", "Classification: the area under the receiver operating characteristic."),
            Metric::AveragePrecision => {
                ("average_precision", "Classification: the mean precision over the steps of recall.")
            }
            Metric::LogLoss => {
                ("log_loss", "Classification: the mean negative logarithm of the true class's probability.")
            }
            Metric::Brier => ("brier", "Classification: the mean squared error of the probabilities."),
            Metric::Mcc => ("mcc", "Classification: the Matthews correlation coefficient, from -1 to 1."),
            Metric::Rmse => ("rmse", "Regression: the root of the mean squared error."),
            Metric::Mae => ("mae", "Regression: the mean absolute error."),
            Metric::R2 => ("r2", "Regression: the coefficient of determination, at most 1."),
            Metric::Mape => ("mape", "Regression: the mean absolute error relative to the truth, as a fraction."),
            Metric::MaxError => ("max_error", "Regression: the largest absolute error."),
            Metric::MedianAbsoluteError => ("median_absolute_error", "Regression: the median absolute error."),
        }
    }
}

impl JsonSchema for Metric {
    fn schema_name() -> Cow<'static, str> {
        "Metric".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Metric::ALL.map(Metric::name).to_vec() })
    }
}
