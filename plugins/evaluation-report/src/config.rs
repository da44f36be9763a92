//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// How to draw what a model does on held-out rows.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What stands above the page.
    #[schemars(length(max = 200))]
    pub title: String,

    /// Of two classes, the one that the curves are about. Default: the model's last class.
    pub positive: Option<Class>,

    /// Of two classes, the probability of the positive one from which on a row counts as positive. Default: the class
    /// that the model says.
    #[schemars(range(min = 0, max = 1))]
    pub threshold: Option<f64>,

    /// Bins of equal width, for calibration and histograms.
    #[schemars(range(min = 2, max = 50))]
    pub bins: usize,

    /// How many features the drawing of their importance shows: the most important ones.
    #[schemars(range(min = 1, max = 50))]
    pub features: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { title: "Evaluation".to_owned(), positive: None, threshold: None, bins: 10, features: 20 }
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
