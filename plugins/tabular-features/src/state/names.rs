//! What features are called, and what was done to make them.

use serde::Serialize;
use serde_json::{Value, json};
use wasmlops_sdk::{DataType, Field};

use super::{ColumnState, Encoding, State};
use crate::config::{Scale, Tokens};

/// A feature, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feature {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// The columns that it is made of.
    pub from: Vec<String>,
    /// What was done to them, in order, for a person.
    pub steps: Vec<String>,
}

impl Feature {
    pub fn field(&self) -> Field {
        Field::new(self.name.clone(), self.data_type, self.nullable)
    }
}

/// The output `features`: every feature with its columns and steps, in the order of the table.
pub fn features_document(state: &State) -> Value {
    let features: Vec<Feature> = state.columns.iter().flat_map(ColumnState::features).collect();
    json!({ "features": features, "untouched": state.pass_through, "target": state.target })
}

impl ColumnState {
    /// The features, in order; those of [`ColumnState::indicate_missing`] last.
    pub fn features(&self) -> Vec<Feature> {
        let data_type =
            if matches!(self.encoding, Encoding::Category { .. }) { DataType::Categorical } else { DataType::F64 };
        let from: Vec<String> = self.sources().into_iter().map(str::to_owned).collect();
        let first: Vec<String> = self.filled().into_iter().collect();
        let mut features: Vec<Feature> = self
            .made()
            .into_iter()
            .enumerate()
            .map(|(number, (name, step))| {
                let steps = first.iter().cloned().chain(step).chain(self.scaled(number)).collect();
                Feature { name, data_type, nullable: self.nullable(), from: from.clone(), steps }
            })
            .collect();
        if self.indicate_missing {
            let (name, steps) = (format!("{}.missing", self.name), vec!["1 where the value is missing".to_owned()]);
            features.push(Feature { name, data_type: DataType::F64, nullable: false, from, steps });
        }
        features
    }

    /// Whether its features may be null.
    pub fn nullable(&self) -> bool {
        match &self.encoding {
            Encoding::Category { .. } => true,
            Encoding::OneHot { .. } | Encoding::Frequency { .. } | Encoding::Target(_) => false,
            Encoding::Cycle { .. } | Encoding::Hash { .. } | Encoding::Bins { one_hot: true, .. } => false,
            _ => self.keep_missing,
        }
    }

    /// Names and steps.
    fn made(&self) -> Vec<(String, Option<String>)> {
        let name = &self.name;
        let one = |suffix: &str, step: String| vec![(format!("{name}{suffix}"), Some(step))];
        match &self.encoding {
            Encoding::Number { mean, scale, .. } => {
                let plain = *mean == 0.0 && *scale == 1.0;
                vec![(name.clone(), (!plain).then(|| step_of(Scale::Standard, *mean, *scale)))]
            }
            Encoding::Bool { .. } | Encoding::Value { .. } => vec![(name.clone(), None)],
            Encoding::Category { categories, .. } => {
                one("", format!("one of {} categories, else null", categories.len()))
            }
            Encoding::Log1p { .. } => one(".log1p", "ln(1 + x)".to_owned()),
            Encoding::Power { lambda, .. } => one(".power", format!("Yeo-Johnson with lambda {lambda}")),
            Encoding::Bins { edges, one_hot: false, .. } => one(".bin", format!("number of the bin; limits {edges:?}")),
            Encoding::Bins { edges, one_hot: true, .. } => (0..=edges.len())
                .map(|bin| (format!("{name}.bin_{bin}"), Some(format!("1 in bin {bin}; limits {edges:?}"))))
                .collect(),
            Encoding::Part { part, .. } => one(&format!(".{}", part.name()), format!("the {} (UTC)", part.name())),
            Encoding::Cycle { part } => ["sin", "cos"]
                .map(|of| {
                    (format!("{name}.{}_{of}", part.name()), Some(format!("{of} of the {} in its cycle", part.name())))
                })
                .to_vec(),
            Encoding::Since { time, .. } => one(".since", format!("days since {time}")),
            Encoding::OneHot { categories, other, .. } => {
                let of = |category: &String| {
                    (format!("{name}={category}"), Some(format!("1 where the value is `{category}`")))
                };
                let other = other.then(|| (format!("{name}.other"), Some("1 for any other value".to_owned())));
                categories.iter().map(of).chain(other).collect()
            }
            Encoding::Ordinal { categories, .. } => {
                one(".ordinal", format!("place among {} categories", categories.len()))
            }
            Encoding::Frequency { .. } => one(".frequency", "share of the rows learned from".to_owned()),
            Encoding::Target(target) if target.classes.is_empty() => one(
                ".target",
                match &target.positive {
                    Some(positive) => format!("share of `{positive}` among rows with the value"),
                    None => "mean of the target among rows with the value".to_owned(),
                },
            ),
            Encoding::Target(target) => {
                let of = |class: &String| format!("share of `{class}` among rows with the value");
                target.classes.iter().map(|class| (format!("{name}.target={class}"), Some(of(class)))).collect()
            }
            Encoding::Length { .. } => one(".length", "characters".to_owned()),
            Encoding::Words { .. } => one(".words", "words".to_owned()),
            Encoding::Hash { with, .. } => {
                let what = if with.of == Tokens::Words { "words" } else { "whole texts" };
                let step =
                    |number| format!("{what} whose murmur3_32 falls on {number} of {}, with its sign", with.features);
                (0..with.features).map(|number| (format!("{name}.hash_{number}"), Some(step(number)))).collect()
            }
            Encoding::Product { .. } => one("", "multiplied".to_owned()),
            Encoding::Ratio { .. } => one("", "the first over the second; missing where that is 0".to_owned()),
        }
    }

    fn filled(&self) -> Option<String> {
        let text = |fill: &String| format!("missing is `{fill}`");
        match &self.encoding {
            Encoding::OneHot { fill, .. } | Encoding::Ordinal { fill, .. } | Encoding::Category { fill, .. } => {
                fill.as_ref().map(text)
            }
            _ => self.encoding.fill().map(|fill| format!("missing is {fill}")),
        }
    }

    fn scaled(&self, number: usize) -> Option<String> {
        self.scaling.get(number).map(|scaling| step_of(scaling.by, scaling.centre, scaling.scale))
    }

    /// Whether features are of any size, and so scaled: not 0 and 1, a circle, a count by hash, or text.
    pub fn is_quantity(&self) -> bool {
        !matches!(
            &self.encoding,
            Encoding::Number { .. }
                | Encoding::Bool { .. }
                | Encoding::Value { .. }
                | Encoding::Cycle { .. }
                | Encoding::OneHot { .. }
                | Encoding::Category { .. }
                | Encoding::Hash { .. }
                | Encoding::Bins { one_hot: true, .. }
        )
    }
}

impl Encoding {
    /// What stands in for a missing number.
    pub fn fill(&self) -> Option<f64> {
        match self {
            Encoding::Number { fill, .. } | Encoding::Bool { fill } | Encoding::Value { fill } => *fill,
            Encoding::Log1p { fill } | Encoding::Power { fill, .. } | Encoding::Bins { fill, .. } => *fill,
            Encoding::Part { fill, .. } | Encoding::Since { fill, .. } => *fill,
            Encoding::Length { fill } | Encoding::Words { fill } => *fill,
            Encoding::Product { fill, .. } | Encoding::Ratio { fill, .. } => *fill,
            _ => None,
        }
    }
}

fn step_of(by: Scale, centre: f64, scale: f64) -> String {
    let by = match by {
        Scale::Standard => "standard",
        Scale::MinMax => "min_max",
        Scale::Robust => "robust",
        Scale::None => "none",
    };
    format!("(x - {centre}) / {scale} ({by})")
}
