//! What a fit learns, in the form in which it is kept: JSON that a person can read.

mod names;

use serde::{Deserialize, Serialize};
use wasmlops_sdk::DataType;

use crate::config::{Hash, Part, Scale, Unseen};
use crate::members::Members;
pub use names::features_document;

/// Everything that [`crate::apply`] needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// In the order of the features. A column with several encodings stands here several times.
    pub columns: Vec<ColumnState>,
    pub unseen: Unseen,
    /// Comes out untouched where the rows have it.
    pub pass_through: Vec<String>,
    /// Comes out untouched, last, where the rows have it.
    pub target: Option<String>,
    /// Which rows were learned from, where the encoding `target` has to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
}

/// One encoding of a column, or one interaction of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnState {
    /// The column; of an interaction the feature.
    pub name: String,
    /// Whether a feature `<name>.missing` follows.
    pub indicate_missing: bool,
    /// Whether a missing value gives a null.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_missing: bool,
    /// What the column held, where the encoding takes several kinds and it was no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Role>,
    pub encoding: Encoding,
    /// One for each feature; none where features are not scaled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scaling: Vec<Scaling>,
}

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Number,
    Bool,
    Text,
    Time,
}

/// `(value - centre) / scale`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    pub by: Scale,
    pub centre: f64,
    pub scale: f64,
}

/// How values become features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Encoding {
    /// `(value - mean) / scale`; unstandardised numbers have mean 0 and scale 1.
    Number { fill: Option<f64>, mean: f64, scale: f64 },
    /// 0 or 1.
    Bool { fill: Option<f64> },
    /// The value, scaled by other means than mean and standard deviation.
    Value { fill: Option<f64> },
    /// ln(1 + x).
    Log1p { fill: Option<f64> },
    /// The Yeo-Johnson transform.
    Power { fill: Option<f64>, lambda: f64 },
    /// How many of `edges` (ascending) are at or below the value; with `one_hot` one feature for each number.
    Bins { fill: Option<f64>, edges: Vec<f64>, one_hot: bool },
    /// One part of a timestamp.
    Part { part: Part, fill: Option<f64> },
    /// Sine and cosine of one part; 0 and 0 where it is missing.
    Cycle { part: Part },
    /// Days since a time.
    Since { time: String, fill: Option<f64> },
    /// One feature for each category.
    OneHot {
        fill: Option<String>,
        /// Sorted.
        categories: Vec<String>,
        /// Values that were seen too seldom for a feature, sorted; kept only where an unseen value is an error.
        seldom: Vec<String>,
        /// Whether a feature `<name>.other` counts all other values.
        #[serde(default, skip_serializing_if = "is_false")]
        other: bool,
    },
    /// The place among the categories; -1 for others.
    Ordinal { fill: Option<String>, categories: Vec<String>, seldom: Vec<String> },
    /// The value as a categorical column; null for others.
    Category { fill: Option<String>, categories: Vec<String>, seldom: Vec<String> },
    /// The share of rows.
    Frequency { categories: Vec<String>, shares: Vec<f64>, missing: f64 },
    /// The target's mean.
    Target(TargetState),
    /// Characters.
    Length { fill: Option<f64> },
    /// Words.
    Words { fill: Option<f64> },
    /// Words, or whole texts, counted by hash.
    Hash { hash: HashFunction, with: Hash },
    /// Columns multiplied.
    Product { of: Vec<String>, fill: Option<f64> },
    /// The first over the second.
    Ratio { of: Vec<String>, fill: Option<f64> },
}

/// Names the hash in the state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum HashFunction {
    #[serde(rename = "murmur3_32")]
    Murmur3,
}

/// The encoding `target`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetState {
    /// Of two classes the one whose share is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// More than two classes: one feature for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Sorted.
    pub categories: Vec<String>,
    /// Whether a missing value is a category too: the last.
    pub missing: bool,
    /// What rows get that were not learned from.
    pub all: Means,
    /// What rows of each fold get that were learned from: means over the other folds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<Means>,
}

/// The target's means, one list for each class (a single one for regression and two classes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Means {
    /// For unseen values.
    pub overall: Vec<f64>,
    /// For each class the categories' means.
    pub of_categories: Vec<Vec<f64>>,
}

impl State {
    /// Whether all lists have the lengths that each other asks for, so that nothing is looked for beyond an end.
    pub fn is_whole(&self) -> bool {
        self.columns.iter().all(|column| match &column.encoding {
            Encoding::Frequency { categories, shares, .. } => shares.len() == categories.len(),
            Encoding::Product { of, .. } => !of.is_empty(),
            Encoding::Ratio { of, .. } => of.len() == 2,
            Encoding::Target(target) => {
                let rows = target.categories.len() + usize::from(target.missing);
                let classes = target.classes.len().max(1);
                let fits = |means: &Means| {
                    means.overall.len() == classes
                        && means.of_categories.len() == classes
                        && means.of_categories.iter().all(|means| means.len() == rows)
                };
                std::iter::once(&target.all).chain(&target.folds).all(fits)
            }
            _ => true,
        })
    }
}

impl ColumnState {
    /// The columns that it is made of.
    pub fn sources(&self) -> Vec<&str> {
        match &self.encoding {
            Encoding::Product { of, .. } | Encoding::Ratio { of, .. } => of.iter().map(String::as_str).collect(),
            _ => vec![&self.name],
        }
    }

    /// What the columns must hold. Whole and fractional numbers are one, as are `utf8` and `categorical`: readers
    /// choose between them by the rows they happen to see, and the features come out the same.
    pub fn accepts(&self, data_type: DataType) -> bool {
        let role = Role::of(data_type);
        match &self.encoding {
            Encoding::Product { .. } | Encoding::Ratio { .. } => matches!(role, Some(Role::Number | Role::Bool)),
            _ => role == Some(self.role()),
        }
    }

    /// What the columns must hold, for messages.
    pub fn expected(&self) -> &'static str {
        match (&self.encoding, self.role()) {
            (Encoding::Product { .. } | Encoding::Ratio { .. }, _) => "numbers or `bool`",
            (_, Role::Number) => "numbers (`f64`, `f32` or `s64`)",
            (_, Role::Bool) => "`bool`",
            (_, Role::Text) => "text (`utf8` or `categorical`)",
            (_, Role::Time) => "`timestamp`",
        }
    }

    fn role(&self) -> Role {
        let by_encoding = match &self.encoding {
            Encoding::Number { .. } | Encoding::Value { .. } | Encoding::Log1p { .. } => Role::Number,
            Encoding::Power { .. } | Encoding::Bins { .. } => Role::Number,
            Encoding::Product { .. } | Encoding::Ratio { .. } => Role::Number,
            Encoding::Bool { .. } => Role::Bool,
            Encoding::Part { .. } | Encoding::Cycle { .. } | Encoding::Since { .. } => Role::Time,
            Encoding::OneHot { .. } | Encoding::Ordinal { .. } | Encoding::Category { .. } => Role::Text,
            Encoding::Frequency { .. } | Encoding::Target(_) => Role::Text,
            Encoding::Length { .. } | Encoding::Words { .. } | Encoding::Hash { .. } => Role::Text,
        };
        self.held.unwrap_or(by_encoding)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_false(value: &bool) -> bool {
    !value
}
