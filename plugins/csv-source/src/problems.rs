//! Bad rows: counted, the first ones kept, and in the end a report or an error.

use wasmlops_sdk::prelude::*;

use crate::block::BadRow;
use crate::config::{BadRows, Config};

/// Notes in a report; the contract allows no more.
const MAX_NOTES: usize = 100;

/// Rows in an error message.
const MAX_SHOWN: usize = 10;

/// The bad rows of a file, so far.
#[derive(Default)]
pub struct Problems {
    count: u64,
    first: Vec<BadRow>,
}

impl Problems {
    /// Takes rows in the order of their lines.
    pub fn add(&mut self, rows: impl IntoIterator<Item = BadRow>) {
        for row in rows {
            self.count += 1;
            if self.first.len() < MAX_NOTES {
                self.first.push(row);
            }
        }
    }

    /// Whether the call will fail, so that nothing needs to be written any more.
    pub fn are_too_many(&self, config: &Config) -> bool {
        let allowed = match config.bad_rows {
            BadRows::Fail => 0,
            BadRows::Skip => config.max_bad_rows.unwrap_or(u64::MAX),
        };
        self.count > allowed
    }

    /// The report on `rows` that were written.
    ///
    /// Errors: `invalid-input` with the first bad rows, if there are too many of them or no others.
    pub fn report(self, config: &Config, rows: u64) -> Result<SourceReport> {
        if self.are_too_many(config) {
            let allowed = match (config.bad_rows, config.max_bad_rows) {
                (BadRows::Skip, Some(allowed)) => format!(", and `max_bad_rows` allows {allowed}"),
                _ => String::new(),
            };
            return Err(self.error(config, &allowed));
        }
        if rows == 0 && self.count > 0 {
            return Err(self.error(config, ", and there are no others"));
        }
        if rows == 0 {
            let path = &config.path;
            return Err(Error::invalid_input(format!("`{path}` holds a header and no rows")).at("path"));
        }
        let note = |row: BadRow| Note { line: Some(row.line), message: row.reason };
        Ok(SourceReport { rows, bad_rows: self.count, notes: self.first.into_iter().map(note).collect() })
    }

    fn error(&self, config: &Config, more: &str) -> Error {
        let rows = if self.count == 1 { "1 row".to_owned() } else { format!("{} rows", self.count) };
        let mut message = format!("{rows} of `{}` cannot be read{more}", config.path);
        for row in self.first.iter().take(MAX_SHOWN) {
            message += &format!("\nline {}: {}", row.line, row.reason);
        }
        if self.count > MAX_SHOWN as u64 {
            message += &format!("\nand {} more", self.count - MAX_SHOWN as u64);
        }
        message += match config.bad_rows {
            BadRows::Fail => "\nhint: correct the lines, declare other types under `columns`, or set `bad_rows: skip`",
            BadRows::Skip => "\nhint: correct the lines, or check `delimiter`, `quote` and `columns`",
        };
        Error::invalid_input(message).at("path")
    }
}
