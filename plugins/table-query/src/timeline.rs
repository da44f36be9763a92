//! A column that says when: timestamps, whole numbers or floats. Null and NaN are at no time.

use std::cmp::Ordering;

use wasmlops_sdk::prelude::*;

use crate::config::Span;
use crate::plan::Planning;
use crate::span::{self, Distance};

/// Times of rows.
pub enum Timeline<'a> {
    Whole(&'a [i64], &'a Column),
    Float(Vec<f64>),
}

impl<'a> Timeline<'a> {
    /// A problem, unless columns of this type say when.
    pub fn check(data_type: DataType, key: &str, planning: &mut Planning<'_>) -> Option<()> {
        if matches!(data_type, DataType::Timestamp | DataType::S64 | DataType::F64 | DataType::F32) {
            return Some(());
        }
        planning.problems.add(key, format!("must be a timestamp or a number, and is {}", data_type.name()));
        None
    }

    /// What the configuration says of a distance, for a column of this type. `None` for a problem.
    pub fn distance(
        span: Option<&Span>,
        data_type: DataType,
        key: &str,
        planning: &mut Planning<'_>,
    ) -> Option<Option<Distance>> {
        match span.map(|span| span::distance(span, data_type)).transpose() {
            Ok(distance) => Some(distance),
            Err(problem) => {
                planning.problems.add(key, problem);
                None
            }
        }
    }

    pub fn of(column: &'a Column) -> Self {
        match column.as_s64() {
            Some(times) => Self::Whole(times, column),
            None => Self::Float(column.numbers().unwrap_or_else(|| vec![f64::NAN; column.len()])),
        }
    }

    pub fn has(&self, row: usize) -> bool {
        match self {
            Self::Whole(_, column) => !column.is_null(row),
            Self::Float(times) => !times[row].is_nan(),
        }
    }

    /// For rows that have a time, on timelines of the same type.
    pub fn compare(&self, row: usize, other: &Timeline<'_>, other_row: usize) -> Ordering {
        match (self, other) {
            (Self::Whole(ours, _), Timeline::Whole(theirs, _)) => ours[row].cmp(&theirs[other_row]),
            (Self::Float(ours), Timeline::Float(theirs)) => (ours[row] + 0.0).total_cmp(&(theirs[other_row] + 0.0)),
            _ => Ordering::Equal,
        }
    }

    /// Whether an earlier row is at most so far away.
    pub fn is_within(&self, row: usize, other: &Timeline<'_>, earlier: usize, most: Distance) -> bool {
        match (self, other, most) {
            (Self::Whole(ours, _), Timeline::Whole(theirs, _), Distance::Whole(most)) => {
                ours[row].checked_sub(theirs[earlier]).is_some_and(|far| far <= most)
            }
            (Self::Float(ours), Timeline::Float(theirs), Distance::Float(most)) => ours[row] - theirs[earlier] <= most,
            _ => true,
        }
    }
}
