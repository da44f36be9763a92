//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Between which groups a model must be fair, and how much.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The columns whose values divide people into groups: a name, or a map with bins and limits of its own.
    #[schemars(length(min = 1))]
    pub sensitive: Vec<Sensitive>,

    /// The class that is the favourable or the dreaded outcome; of many classes, this one against the rest. Default: of
    /// two classes the model's last one.
    #[serde(default)]
    pub positive: Option<Class>,

    /// The probability of the positive class from which on a row counts as positive. Default: the class that the model
    /// says.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub threshold: Option<f64>,

    /// A rate of fewer rows is reported and not judged.
    #[serde(default = "min_rows")]
    #[schemars(range(min = 1))]
    pub min_rows: u64,

    /// The most that each measure may be, for example `{ equalized_odds_difference: 0.1 }`.
    #[serde(default)]
    pub max: Limits,

    /// The least that each measure must reach, for example `{ disparate_impact: 0.8 }`.
    #[serde(default)]
    pub min: Limits,
}

/// Below about 30 rows the error of a rate exceeds 0.15, and a limit judges chance.
fn min_rows() -> u64 {
    30
}

/// A column that divides people into groups.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Sensitive {
    /// A column, judged by the limits of all.
    Column(String),
    /// A column with what is its own.
    Own(Own),
}

/// A column with bins and limits of its own.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Own {
    /// Its name.
    pub column: String,

    /// For numbers: the bounds between the groups, ascending. `[25, 65]` makes three groups: below 25, from 25 to below
    /// 65, from 65.
    #[serde(default)]
    pub bins: Option<Vec<f64>>,

    /// The group that `disparate_impact` compares the others with. Default: the one that is selected most often.
    #[serde(default)]
    pub reference: Option<Class>,

    /// In place of the limits of all.
    #[serde(default)]
    pub max: Option<Limits>,

    /// In place of the limits of all.
    #[serde(default)]
    pub min: Option<Limits>,
}

/// A class or a value as YAML writes it.
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

/// A number for each of some measures.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Limits(pub BTreeMap<Measure, f64>);

/// Written by hand, so that a wrong name is answered with the right ones and each has its description.
impl JsonSchema for Limits {
    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |measure: Measure| {
            let schema = json_schema!({ "type": "number", "description": measure.description() });
            (measure.name().to_owned(), schema.to_value())
        };
        let mut schema = json_schema!({ "type": "object", "additionalProperties": false });
        schema.insert("properties".to_owned(), Measure::ALL.map(property).into_iter().collect());
        schema
    }
}

/// What is measured between groups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    DemographicParityDifference,
    DemographicParityRatio,
    DisparateImpact,
    EqualOpportunityDifference,
    EqualOpportunityRatio,
    EqualizedOddsDifference,
    EqualizedOddsRatio,
    MeanPredictionDifference,
    MeanAbsoluteErrorDifference,
}

impl Measure {
    pub const ALL: [Measure; 9] = [
        Measure::DemographicParityDifference,
        Measure::DemographicParityRatio,
        Measure::DisparateImpact,
        Measure::EqualOpportunityDifference,
        Measure::EqualOpportunityRatio,
        Measure::EqualizedOddsDifference,
        Measure::EqualizedOddsRatio,
        Measure::MeanPredictionDifference,
        Measure::MeanAbsoluteErrorDifference,
    ];

    pub fn name(self) -> &'static str {
        self.about().0
    }

    pub fn description(self) -> &'static str {
        self.about().1
    }

    /// Whether it is about a model that predicts numbers.
    pub fn is_of_numbers(self) -> bool {
        self >= Measure::MeanPredictionDifference
    }

    fn about(self) -> (&'static str, &'static str) {
        match self {
            Measure::DemographicParityDifference => {
                ("demographic_parity_difference", "The highest selection rate of a group less the lowest.")
            }
            Measure::DemographicParityRatio => {
                ("demographic_parity_ratio", "The lowest selection rate of a group over the highest.")
            }
            Measure::DisparateImpact => (
                "disparate_impact",
                "The lowest selection rate of a group over the reference group's; 0.8 is the four-fifths rule.",
            ),
            Measure::EqualOpportunityDifference => {
                ("equal_opportunity_difference", "The highest true positive rate of a group less the lowest.")
            }
            Measure::EqualOpportunityRatio => {
                ("equal_opportunity_ratio", "The lowest true positive rate of a group over the highest.")
            }
            Measure::EqualizedOddsDifference => {
                ("equalized_odds_difference", "The greater of the differences in true and in false positive rates.")
            }
            Measure::EqualizedOddsRatio => {
                ("equalized_odds_ratio", "The smaller of the ratios of true and of false positive rates.")
            }
            Measure::MeanPredictionDifference => {
                ("mean_prediction_difference", "Numbers: the highest mean prediction of a group less the lowest.")
            }
            Measure::MeanAbsoluteErrorDifference => (
                "mean_absolute_error_difference",
                "Numbers: the highest mean absolute error of a group less the lowest.",
            ),
        }
    }
}
