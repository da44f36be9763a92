//! Results of measures, one for each row to come.

use wasmlops_sdk::prelude::*;

use crate::config::Function;
use crate::frame::{NO_ROW, take_or_null};

/// One result.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cell {
    Null,
    Whole(i64),
    Float(f64),
    /// The value of this row.
    Row(usize),
}

/// Results of one measure; null until they are set.
pub enum Cells {
    Whole(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Rows(Vec<usize>),
}

impl Cells {
    pub fn new(data_type: DataType, function: Function, len: usize) -> Self {
        match (function, data_type) {
            (Function::First | Function::Last | Function::Min | Function::Max, _) => Self::Rows(vec![NO_ROW; len]),
            (_, DataType::S64) => Self::Whole(vec![None; len]),
            _ => Self::Float(vec![None; len]),
        }
    }

    pub fn set(&mut self, at: usize, cell: Cell) {
        match (self, cell) {
            (Self::Whole(values), Cell::Whole(value)) => values[at] = Some(value),
            (Self::Float(values), Cell::Float(value)) => values[at] = Some(value).filter(|value| !value.is_nan()),
            (Self::Rows(rows), Cell::Row(row)) => rows[at] = row,
            _ => {}
        }
    }

    /// `column` is what rows are of.
    pub fn finish(self, column: Option<&Column>) -> Column {
        match self {
            Self::Whole(values) => Column::from_s64(values),
            Self::Float(values) => Column::from_f64(values),
            Self::Rows(rows) => take_or_null(column.expect("only `count` has no column"), &rows),
        }
    }
}
