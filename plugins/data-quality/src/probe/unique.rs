//! Whether a key comes twice. Exact: keys are compared whole.

use super::{Examples, Finding, Probe, Rows, key};
use crate::key_set::KeySet;
use crate::text::{self, counted};

pub struct Unique {
    /// The key in words: ``value of `id` ``.
    what: String,
    keys: KeySet,
    /// The row in which each key came first.
    rows: Vec<usize>,
    repeats: u64,
    examples: Vec<String>,
    key: Vec<u8>,
}

impl Unique {
    pub fn new(columns: &[&str]) -> Self {
        let noun = if columns.len() == 1 { "value" } else { "combination" };
        Self {
            what: format!("{noun} of {}", text::names(columns.iter().copied())),
            keys: KeySet::default(),
            rows: Vec::new(),
            repeats: 0,
            examples: Vec::new(),
            key: Vec::new(),
        }
    }
}

impl Probe for Unique {
    fn see(&mut self, rows: &Rows) {
        for row in 0..rows.len {
            self.key.clear();
            for column in rows.columns {
                key::append(column, row, &mut self.key);
            }
            match self.keys.insert(&self.key) {
                Ok(()) => self.rows.push(rows.first + row),
                Err(earlier) => {
                    self.repeats += 1;
                    if self.examples.len() < Examples::MOST {
                        let values: Vec<_> = rows.columns.iter().map(|column| text::value(column, row)).collect();
                        let (values, earlier) = (values.join(", "), self.rows[earlier]);
                        self.examples.push(format!("{values} in rows {earlier} and {}", rows.first + row));
                    }
                }
            }
        }
    }

    fn conclude(self: Box<Self>) -> Finding {
        let Self { what, repeats, examples, .. } = *self;
        let message = match repeats {
            0 => format!("no {what} comes twice"),
            repeats => format!("{} with a {what} that came before", counted(repeats, "row")),
        };
        Finding { passed: repeats == 0, observed: None, count: repeats, examples, message }
    }
}

#[cfg(test)]
mod tests {
    use wasmlops_sdk::Column;

    use super::*;

    fn found(batches: &[(Column, Column)]) -> Finding {
        let mut probe = Box::new(Unique::new(&["a", "b"]));
        let mut first = 0;
        for (a, b) in batches {
            probe.see(&Rows { columns: &[a, b], len: a.len(), first });
            first += a.len();
        }
        probe.conclude()
    }

    #[test]
    fn keys_are_combined_and_a_missing_value_is_a_value() {
        let one = (Column::from_s64([Some(1), Some(1), None]), Column::from_text(["x", "y", "x"]));
        let two = (Column::from_s64([Some(2), None]), Column::from_text(["x", "x"]));
        let finding = found(&[one, two]);
        assert_eq!((finding.passed, finding.count), (false, 1));
        assert_eq!(finding.examples, ["`null`, `x` in rows 2 and 4"]);
        assert!(found(&[]).passed);
    }
}
