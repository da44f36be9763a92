//! Whether values are among those that are allowed.

use std::collections::HashSet;

use wasmlops_sdk::prelude::*;

use super::{Examples, Finding, Probe, Rows};
use crate::pass::is_missing;
use crate::text::share;

pub struct Members {
    name: String,
    texts: HashSet<String>,
    /// The allowed values that are numbers, for columns of numbers.
    whole: HashSet<i64>,
    numbers: Vec<f64>,
    others: u64,
    rows: u64,
    examples: Examples,
}

impl Members {
    pub fn new(name: &str, allowed: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            texts: allowed.iter().cloned().collect(),
            whole: allowed.iter().filter_map(|text| text.parse().ok()).collect(),
            numbers: allowed.iter().filter_map(|text| text.parse().ok()).collect(),
            others: 0,
            rows: 0,
            examples: Examples::default(),
        }
    }

    fn scan(&mut self, column: &Column, first: usize, allowed: impl Fn(&Self, usize) -> bool) {
        for row in 0..column.len() {
            if !allowed(self, row) && !is_missing(column, row) {
                self.others += 1;
                self.examples.add(column, row, first + row);
            }
        }
    }
}

impl Probe for Members {
    fn see(&mut self, rows: &Rows) {
        let column = rows.columns[0];
        self.rows += rows.len as u64;
        if let Some(codes) = column.as_codes() {
            // One look at each category instead of one at each row; a null's code may lie beyond them.
            let mask: Vec<bool> = column.categories().into_iter().map(|text| self.texts.contains(text)).collect();
            self.scan(column, rows.first, |_, row| mask.get(codes[row] as usize).copied().unwrap_or(false));
        } else if let Some(values) = column.as_s64() {
            self.scan(column, rows.first, |this, row| this.whole.contains(&values[row]));
        } else if column.data_type().is_numeric() && column.data_type() != DataType::Bool {
            self.scan(column, rows.first, |this, row| {
                column.number(row).is_some_and(|value| this.numbers.contains(&value))
            });
        } else {
            self.scan(column, rows.first, |this, row| {
                column.class(row).is_some_and(|text| this.texts.contains(&*text))
            });
        }
    }

    fn conclude(self: Box<Self>) -> Finding {
        let Self { name, others, rows, .. } = *self;
        let message = match others {
            0 => format!("every value of `{name}` is allowed"),
            others => format!("{} not allowed", share(others, rows, &name)),
        };
        Finding { passed: others == 0, observed: None, count: others, examples: self.examples.into_texts(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(allowed: &[&str], column: &Column) -> Finding {
        let allowed: Vec<String> = allowed.iter().map(|&text| text.to_owned()).collect();
        let mut probe = Box::new(Members::new("c", &allowed));
        probe.see(&Rows { columns: &[column], len: column.len(), first: 5 });
        probe.conclude()
    }

    #[test]
    fn texts() {
        let values = [Some("a"), None, Some("x"), Some("b"), Some("x")];
        for column in [Column::from_text(values), Column::from_categories(values)] {
            let finding = found(&["a", "b"], &column);
            assert_eq!((finding.passed, finding.count), (false, 2));
            assert_eq!(finding.examples, ["`x` in row 7"]);
        }
        assert!(found(&["a"], &Column::from_categories([None::<&str>, None])).passed);
    }

    #[test]
    fn numbers_and_booleans() {
        assert_eq!(found(&["1", "2"], &Column::from_s64([1, 2, 3])).count, 1);
        assert_eq!(found(&["0.1", "2"], &Column::from_f64([0.1, 2.0, f64::NAN, 0.3])).count, 1);
        assert_eq!(found(&["true"], &Column::from_bool([true, false])).count, 1);
    }
}
