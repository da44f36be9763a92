//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// How good a model in use must be.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What kind of prediction is judged. Default: `classification` where the model gives probabilities, text or
    /// booleans, otherwise `regression`.
    pub task: Option<Task>,

    /// Of two classes, the one that `precision`, `recall`, `f1` and `auc` are about. Default: the model's last class.
    pub positive: Option<Class>,

    /// The least that each metric must reach, for example `{ accuracy: 0.9 }`.
    pub min: Thresholds,

    /// The most that each metric may be, for example `{ rmse: 2.5 }`.
    pub max: Thresholds,

    /// By how much each metric may be worse than on the reference, for example `{ accuracy: 0.05 }`.
    pub max_drop: Thresholds,

    /// With fewer labelled rows nothing is judged by labels.
    #[schemars(range(min = 1))]
    pub min_rows: u64,

    /// Whether metrics are also estimated without labels, from the model's probabilities.
    pub estimate: bool,

    /// How probabilities become those that estimates use: `isotonic` learns from the reference's labels how often each
    /// probability came true, `none` takes them as they are.
    pub calibrate: Calibration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            task: None,
            positive: None,
            min: Thresholds::default(),
            max: Thresholds::default(),
            max_drop: Thresholds::default(),
            // Below about 30 rows the error of a rate exceeds 0.15, and a threshold judges chance.
            min_rows: 30,
            estimate: true,
            calibrate: Calibration::Isotonic,
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

/// How probabilities are made honest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Calibration {
    /// Isotonic regression on the reference.
    Isotonic,
    /// Not at all.
    None,
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

/// What is measured. The names are those of the fields under `min`, and of the findings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Accuracy,
    BalancedAccuracy,
    Precision,
    Recall,
    F1,
    Auc,
    LogLoss,
    Brier,
    Rmse,
    Mae,
    R2,
}

impl Metric {
    pub const ALL: [Metric; 11] = [
        Metric::Accuracy,
        Metric::BalancedAccuracy,
        Metric::Precision,
        Metric::Recall,
        Metric::F1,
        Metric::Auc,
        Metric::LogLoss,
        Metric::Brier,
        Metric::Rmse,
        Metric::Mae,
        Metric::R2,
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
        !matches!(self, Metric::LogLoss | Metric::Brier | Metric::Rmse | Metric::Mae)
    }

    fn about(self) -> (&'static str, &'static str) {
        match self {
            Metric::Accuracy => ("accuracy", "Classification: the part of the rows that is right."),
            Metric::BalancedAccuracy => ("balanced_accuracy", "Classification: the mean of the classes' recall."),
            Metric::Precision => ("precision", "Classification: of the rows called positive, the part that is."),
            Metric::Recall => ("recall", "Classification: of the positive rows, the part called so."),
            Metric::F1 => ("f1", "Classification: the harmonic mean of precision and recall."),
            Metric::Auc => ("auc", "Classification: the area under the receiver operating characteristic."),
            Metric::LogLoss => {
                ("log_loss", "Classification: the mean negative logarithm of the true class's probability.")
            }
            Metric::Brier => ("brier", "Classification: the mean squared error of the probabilities."),
            Metric::Rmse => ("rmse", "Regression: the root of the mean squared error."),
            Metric::Mae => ("mae", "Regression: the mean absolute error."),
            Metric::R2 => ("r2", "Regression: the coefficient of determination, at most 1."),
        }
    }
}
