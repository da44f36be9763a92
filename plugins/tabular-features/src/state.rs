//! What a fit learns, in the form in which it is kept.

use serde::{Deserialize, Serialize};
use wasmlops_sdk::DataType;

use crate::config::Unseen;

/// Everything that [`crate::apply`] needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// In the order of the features.
    pub columns: Vec<ColumnState>,
    pub unseen: Unseen,
    /// Comes out untouched where the rows have it.
    pub pass_through: Vec<String>,
    /// Comes out untouched, last, where the rows have it.
    pub target: Option<String>,
}

/// One column in, one or more features out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnState {
    pub name: String,
    /// Whether a feature `<name>.missing` follows.
    pub indicate_missing: bool,
    pub encoding: Encoding,
}

/// How values become features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Encoding {
    /// `(value - mean) / scale`; unstandardised numbers have mean 0 and scale 1.
    Number { fill: Option<f64>, mean: f64, scale: f64 },
    /// 0 or 1.
    Bool { fill: Option<f64> },
    /// One feature for each category.
    OneHot {
        fill: Option<String>,
        /// Sorted.
        categories: Vec<String>,
        /// Values that were seen too seldom for a feature, sorted; kept only where an unseen value is an error.
        seldom: Vec<String>,
    },
}

impl Encoding {
    /// What the column must hold. Whole and fractional numbers are one, as are `utf8` and `categorical`: readers choose
    /// between them by the rows they happen to see, and the features come out the same.
    pub fn accepts(&self, data_type: DataType) -> bool {
        match self {
            Encoding::Number { .. } => matches!(data_type, DataType::S64 | DataType::F64 | DataType::F32),
            Encoding::Bool { .. } => data_type == DataType::Bool,
            Encoding::OneHot { .. } => data_type.is_text(),
        }
    }

    /// What the column must hold, for messages.
    pub fn expected(&self) -> &'static str {
        match self {
            Encoding::Number { .. } => "numbers (`f64`, `f32` or `s64`)",
            Encoding::Bool { .. } => "`bool`",
            Encoding::OneHot { .. } => "text (`utf8` or `categorical`)",
        }
    }
}

impl ColumnState {
    /// The names of the features, in order.
    pub fn features(&self) -> Vec<String> {
        let mut names = match &self.encoding {
            Encoding::Number { .. } | Encoding::Bool { .. } => vec![self.name.clone()],
            Encoding::OneHot { categories, .. } => {
                categories.iter().map(|category| format!("{}={category}", self.name)).collect()
            }
        };
        if self.indicate_missing {
            names.push(format!("{}.missing", self.name));
        }
        names
    }
}
