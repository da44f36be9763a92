//! How old the newest timestamp is.

use super::{Finding, Probe, Rows};
use crate::text;

pub struct Newest {
    name: String,
    /// The age that is still fine, in microseconds.
    within: i64,
    now: i64,
    newest: Option<i64>,
}

impl Newest {
    pub fn new(name: &str, within: i64, now: i64) -> Self {
        Self { name: name.to_owned(), within, now, newest: None }
    }
}

impl Probe for Newest {
    fn see(&mut self, rows: &Rows) {
        let column = rows.columns[0];
        for (row, &micros) in column.as_s64().into_iter().flatten().enumerate() {
            if self.newest.is_none_or(|newest| micros > newest) && !column.is_null(row) {
                self.newest = Some(micros);
            }
        }
    }

    fn conclude(self: Box<Self>) -> Finding {
        let Self { name, within, now, newest } = *self;
        let Some(newest) = newest else {
            let message = format!("`{name}` has no timestamp to judge by");
            return Finding { passed: false, message, ..Finding::default() };
        };
        let age = now.saturating_sub(newest);
        Finding {
            passed: age <= within,
            observed: Some(age as f64 / 1e6),
            message: format!(
                "the newest `{name}` is {}, and the run's time is {}",
                text::time(newest),
                text::time(now)
            ),
            ..Finding::default()
        }
    }
}
