//! Rows that cannot be read: counted, the first ones kept, and in the end a report or an error.

use wasmlops_sdk::prelude::*;

use crate::options::BadRows;
use crate::source::Sources;

/// Notes in a report; the contract allows no more.
const MAX_NOTES: usize = 100;

/// Rows in an error message.
const MAX_SHOWN: usize = 10;

/// A row that is none, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// Where it begins, counted from 1.
    pub line: u64,
    pub reason: String,
}

/// What becomes of bad rows.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    pub bad_rows: BadRows,
    pub max_bad_rows: Option<u64>,
    /// What to do about them, for each of `fail` and `skip`; it follows "hint: ".
    pub hints: Hints,
}

/// What a message advises where the step fails for bad rows.
#[derive(Clone, Copy, Debug)]
pub struct Hints {
    pub fail: &'static str,
    pub skip: &'static str,
}

/// The bad rows so far.
pub struct Problems<'a> {
    sources: &'a Sources,
    tolerance: Tolerance,
    count: u64,
    /// With the index of the input that they are from.
    first: Vec<(usize, BadRow)>,
}

impl<'a> Problems<'a> {
    pub fn new(sources: &'a Sources, tolerance: Tolerance) -> Self {
        Self { sources, tolerance, count: 0, first: Vec::new() }
    }

    /// Takes rows of the input with this index, in the order of their lines.
    pub fn add(&mut self, input: usize, rows: impl IntoIterator<Item = BadRow>) {
        for row in rows {
            self.count += 1;
            if self.first.len() < MAX_NOTES {
                self.first.push((input, row));
            }
        }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether the call will fail, so that nothing needs to be written any more.
    pub fn are_too_many(&self) -> bool {
        let allowed = match self.tolerance.bad_rows {
            BadRows::Fail => 0,
            BadRows::Skip => self.tolerance.max_bad_rows.unwrap_or(u64::MAX),
        };
        self.count > allowed
    }

    /// The report on `rows` that were written; `no_rows` is what is wrong with sources that hold neither rows nor bad
    /// ones (`holds a header and no rows`).
    ///
    /// Errors: `invalid-input` with the first bad rows, if there are too many of them or no others.
    pub fn report(self, rows: u64, no_rows: &str) -> Result<SourceReport> {
        if self.are_too_many() {
            let allowed = match (self.tolerance.bad_rows, self.tolerance.max_bad_rows) {
                (BadRows::Skip, Some(allowed)) => format!(", and `max_bad_rows` allows {allowed}"),
                _ => String::new(),
            };
            return Err(self.error(&allowed));
        }
        if rows == 0 && self.count > 0 {
            return Err(self.error(", and there are no others"));
        }
        if rows == 0 {
            return Err(self.sources.wrong(no_rows));
        }
        let many = self.sources.are_many();
        let note = |(input, row): &(usize, BadRow)| {
            let message = if many { format!("{}: {}", self.name(*input), row.reason) } else { row.reason.clone() };
            Note { line: Some(row.line), message }
        };
        Ok(SourceReport { rows, bad_rows: self.count, notes: self.first.iter().map(note).collect() })
    }

    fn error(&self, more: &str) -> Error {
        let rows = if self.count == 1 { "1 row".to_owned() } else { format!("{} rows", self.count) };
        let mut message = format!("{rows} of `{}` cannot be read{more}", self.sources.name);
        for (input, row) in self.first.iter().take(MAX_SHOWN) {
            let file = if self.sources.are_many() { format!("{} ", self.name(*input)) } else { String::new() };
            message += &format!("\n{file}line {}: {}", row.line, row.reason);
        }
        if self.count > MAX_SHOWN as u64 {
            message += &format!("\nand {} more", self.count - MAX_SHOWN as u64);
        }
        let hint = match self.tolerance.bad_rows {
            BadRows::Fail => self.tolerance.hints.fail,
            BadRows::Skip => self.tolerance.hints.skip,
        };
        Error::invalid_input(format!("{message}\nhint: {hint}")).at(self.sources.field)
    }

    fn name(&self, input: usize) -> String {
        format!("`{}`", self.sources.inputs[input].name())
    }
}

/// Why a value is none of its column's type: ``column `amount`: `12,50` is not a number (f64)``.
pub fn misfit(field: &Field, value: &str) -> String {
    let (name, shown) = (&field.name, short(value));
    let wanted = match field.data_type {
        DataType::Bool => "a truth value (bool)",
        DataType::S64 => "a whole number (s64)",
        DataType::F32 => "a number (f32)",
        DataType::F64 => "a number (f64)",
        DataType::Timestamp => "a time (timestamp)",
        DataType::Utf8 | DataType::Categorical => "a text",
        DataType::Binary => "bytes",
    };
    format!("column `{name}`: `{shown}` is not {wanted}")
}

/// Enough of a value to find it: the first 40 characters, on one line.
pub fn short(value: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
