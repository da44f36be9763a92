//! How many different values a column has.

use wasmlops_sdk::prelude::*;

use super::{Finding, Probe, Rows, key};
use crate::key_set::KeySet;
use crate::pass::is_missing;
use crate::rules::Range;
use crate::text::counted;

pub struct Distinct {
    name: String,
    range: Range,
    values: KeySet,
    key: Vec<u8>,
}

impl Distinct {
    pub fn new(name: &str, range: Range) -> Self {
        Self { name: name.to_owned(), range, values: KeySet::default(), key: Vec::new() }
    }

    fn insert(&mut self, column: &Column, row: usize) {
        self.key.clear();
        key::append(column, row, &mut self.key);
        // A value that was there before is no news.
        let _ = self.values.insert(&self.key);
    }
}

impl Probe for Distinct {
    fn see(&mut self, rows: &Rows) {
        let column = rows.columns[0];
        let Some(codes) = column.as_codes() else {
            for row in (0..rows.len).filter(|&row| !is_missing(column, row)) {
                self.insert(column, row);
            }
            return;
        };
        // A category counts where a row has it, and its text is looked up once a batch.
        let mut seen = vec![false; column.categories().len()];
        for row in (0..rows.len).filter(|&row| !column.is_null(row)) {
            if !std::mem::replace(&mut seen[codes[row] as usize], true) {
                self.insert(column, row);
            }
        }
    }

    fn conclude(self: Box<Self>) -> Finding {
        let distinct = self.values.len() as u64;
        Finding {
            passed: self.range.contains(distinct as f64),
            observed: Some(distinct as f64),
            message: format!("`{}` has {}", self.name, counted(distinct, "different value")),
            ..Finding::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distinct(batches: &[Column]) -> Option<f64> {
        let mut probe = Box::new(Distinct::new("c", Range::default()));
        for batch in batches {
            probe.see(&Rows { columns: &[batch], len: batch.len(), first: 0 });
        }
        probe.conclude().observed
    }

    #[test]
    fn counts_across_batches_and_without_missing_values() {
        let texts = [Column::from_categories([Some("a"), None, Some("b")]), Column::from_categories(["b", "c", "c"])];
        assert_eq!(distinct(&texts), Some(3.0));
        assert_eq!(distinct(&[Column::from_f64([Some(1.0), None, Some(f64::NAN), Some(1.0)])]), Some(1.0));
        assert_eq!(distinct(&[]), Some(0.0));
    }
}
