//! Everything that is wrong with a request's columns, told at once.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use wasmlops_core::table::{DataType, Field};

use super::cell::quoted;

/// Problems that one answer lists.
const LISTED: usize = 100;

/// One column that is not as the model needs it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ColumnProblem {
    pub column: String,
    /// The first row at fault, counted from 0; absent where the column as a whole is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for ColumnProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}", quoted(&self.column))?;
        if let Some(row) = self.row {
            write!(f, " in row {row}")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}

/// Why a body is no request.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the body is not what this endpoint takes: {0}")]
    Malformed(String),
    #[error("the request has more than {} values", super::MAX_CELLS)]
    TooManyCells,
    #[error("{}", listed(.0, *.1))]
    Columns(Vec<ColumnProblem>, More),
}

/// Whether more columns are wrong than are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum More {
    #[default]
    None,
    Some,
}

fn listed(problems: &[ColumnProblem], more: More) -> String {
    let mut texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if more == More::Some {
        texts.push("and more columns".to_owned());
    }
    texts.join("; ")
}

/// Collects the first problem of each column.
#[derive(Default)]
pub struct Problems {
    list: Vec<ColumnProblem>,
    columns: HashSet<String>,
    more: More,
}

impl Problems {
    pub fn add(&mut self, column: &str, row: Option<u64>, expected: impl Into<String>, found: impl Into<String>) {
        let named: String = column.chars().take(200).collect();
        if self.columns.contains(&named) {
            return;
        }
        if self.list.len() >= LISTED {
            self.more = More::Some;
            return;
        }
        self.columns.insert(named.clone());
        self.list.push(ColumnProblem { column: named, row, expected: expected.into(), found: found.into() });
    }

    /// The cell of a column that is there and does not fit.
    pub fn misfit(&mut self, field: &Field, row: u64, found: String) {
        self.add(&field.name, Some(row), expectation(field), found);
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Errors: the problems, if there are any.
    pub fn none_or_refuse(self) -> Result<(), Refusal> {
        if self.list.is_empty() { Ok(()) } else { Err(Refusal::Columns(self.list, self.more)) }
    }
}

/// What a column takes, in words.
pub fn expectation(field: &Field) -> String {
    let what = match field.data_type {
        DataType::Bool => "true or false (bool)",
        DataType::S64 => "a whole number of 64 bits (s64)",
        DataType::F64 => "a number (f64)",
        DataType::F32 => "a number that 32 bits can hold (f32)",
        DataType::Utf8 => "a text (utf8)",
        DataType::Categorical => "a text (categorical)",
        DataType::Binary => "a text that stands for its bytes (binary)",
        DataType::Timestamp => "an RFC 3339 time, or whole microseconds since 1970 (timestamp)",
    };
    if field.nullable { format!("{what} or null") } else { format!("{what}, not null and not NaN") }
}
