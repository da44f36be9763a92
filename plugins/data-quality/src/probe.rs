//! What looks at values: one probe for each kind of expectation, shown every batch once.

mod bounds;
mod distinct;
mod freshness;
mod key;
mod mean;
mod members;
mod unique;

use wasmlops_sdk::prelude::*;

use crate::rules::{Expectation, Test};
use crate::text;

/// Rows of the columns that a probe asked for.
pub struct Rows<'a> {
    pub columns: &'a [&'a Column],
    pub len: usize,
    /// The table's number of the first row here.
    pub first: usize,
}

/// Looks at batches, one after the other, and then says what it found.
pub trait Probe {
    fn see(&mut self, rows: &Rows);

    fn conclude(self: Box<Self>) -> Finding;
}

/// What came of an expectation.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Finding {
    pub passed: bool,
    pub observed: Option<f64>,
    /// Rows that break the expectation.
    pub count: u64,
    pub examples: Vec<String>,
    /// A sentence.
    pub message: String,
}

/// The probe of an expectation and the columns that it looks at; none for those that need no values.
pub fn probe(
    expectation: &Expectation,
    schema: &Schema,
    now: &impl Fn() -> i64,
) -> Option<(Box<dyn Probe>, Vec<usize>)> {
    if let Test::Unique(columns) = &expectation.test {
        let names: Vec<&str> = columns.iter().map(|&column| schema.fields[column].name.as_str()).collect();
        return Some((Box::new(unique::Unique::new(&names)), columns.clone()));
    }
    let column = expectation.column?;
    let Field { name, data_type, .. } = &schema.fields[column];
    let probe: Box<dyn Probe> = match (&expectation.test, needs(&expectation.test, *data_type)) {
        (_, Some(needed)) => Box::new(WrongType {
            message: format!("`{}` needs {needed}, and `{name}` is {}", expectation.name, data_type.name()),
            rows: 0,
        }),
        (Test::Range(range), _) => Box::new(bounds::Bounds::new(name, *range)),
        (Test::Allowed(allowed), _) => Box::new(members::Members::new(name, allowed)),
        (Test::Mean(range), _) => Box::new(mean::Mean::new(name, *range)),
        (Test::Distinct(range), _) => Box::new(distinct::Distinct::new(name, *range)),
        (Test::FreshWithin(age, _), _) => Box::new(freshness::Newest::new(name, *age, now())),
        _ => return None,
    };
    Some((probe, vec![column]))
}

/// What a test needs, where a column of this type does not have it.
fn needs(test: &Test, data_type: DataType) -> Option<&'static str> {
    let number = matches!(data_type, DataType::S64 | DataType::F64 | DataType::F32);
    match test {
        Test::Range(_) | Test::Mean(_) if !number => Some("numbers"),
        Test::Allowed(_) if !(number || data_type.is_text() || data_type == DataType::Bool) => {
            Some("text, numbers or booleans")
        }
        Test::FreshWithin(..) if data_type != DataType::Timestamp => Some("timestamps"),
        _ => None,
    }
}

/// Stands in for a probe that cannot look at the column: every row breaks the expectation.
struct WrongType {
    message: String,
    rows: u64,
}

impl Probe for WrongType {
    fn see(&mut self, rows: &Rows) {
        self.rows += rows.len as u64;
    }

    fn conclude(self: Box<Self>) -> Finding {
        Finding { passed: false, count: self.rows, message: self.message, ..Finding::default() }
    }
}

/// A few of the values that break an expectation, each value once, with the row where it came first.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    found: Vec<(String, usize)>,
    /// How many rows were offered: past some number of equal ones it is not worth looking for another.
    offered: usize,
}

impl Examples {
    /// The contract's limit.
    pub const MOST: usize = 10;
    const OFFERS: usize = 1000;

    pub fn wants_more(&self) -> bool {
        self.found.len() < Self::MOST && self.offered < Self::OFFERS
    }

    /// Keeps the value of `row`, which is row `number` of the table, if there is room and it is a new one.
    pub fn add(&mut self, column: &Column, row: usize, number: usize) {
        if self.wants_more() {
            self.offered += 1;
            let value = text::value(column, row);
            if !self.found.iter().any(|(known, _)| *known == value) {
                self.found.push((value, number));
            }
        }
    }

    /// Keeps a row whose value says nothing.
    pub fn add_row(&mut self, number: usize) {
        if self.wants_more() {
            self.found.push((String::new(), number));
        }
    }

    pub fn into_texts(self) -> Vec<String> {
        let text = |(value, row): (String, usize)| match value.as_str() {
            "" => format!("row {row}"),
            value => format!("{value} in row {row}"),
        };
        self.found.into_iter().map(text).collect()
    }
}
