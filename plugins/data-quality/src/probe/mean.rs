//! The mean of a column of numbers.

use super::{Finding, Probe, Rows};
use crate::rules::Range;

pub struct Mean {
    name: String,
    range: Range,
    sum: Sum,
    count: u64,
}

impl Mean {
    pub fn new(name: &str, range: Range) -> Self {
        Self { name: name.to_owned(), range, sum: Sum::default(), count: 0 }
    }

    fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.sum.add(value);
            self.count += 1;
        }
    }
}

impl Probe for Mean {
    fn see(&mut self, rows: &Rows) {
        let column = rows.columns[0];
        match column.as_f64() {
            Some(values) if column.null_count() == 0 => values.iter().for_each(|&value| self.add(value)),
            _ => (0..rows.len).filter_map(|row| column.number(row)).for_each(|value| self.add(value)),
        }
    }

    fn conclude(self: Box<Self>) -> Finding {
        let Self { name, range, sum, count } = *self;
        if count == 0 {
            let message = format!("`{name}` has no value to take the mean of");
            return Finding { passed: false, message, ..Finding::default() };
        }
        let mean = sum.value() / count as f64;
        let message = format!("the mean of `{name}` is {mean}");
        Finding { passed: range.contains(mean), observed: Some(mean), message, ..Finding::default() }
    }
}

/// A sum that does not lose small values beside large ones. Source: A. Neumaier, "Rundungsfehleranalyse einiger
/// Verfahren zur Summation endlicher Summen", ZAMM 54 (1974).
#[derive(Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn value(&self) -> f64 {
        // With an infinite value among them, what was lost is NaN and says nothing.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

#[cfg(test)]
mod tests {
    use wasmlops_sdk::Column;

    use super::*;

    fn mean(column: &Column) -> Option<f64> {
        let mut probe = Box::new(Mean::new("x", Range::default()));
        probe.see(&Rows { columns: &[column], len: column.len(), first: 0 });
        probe.conclude().observed
    }

    #[test]
    fn means() {
        assert_eq!(mean(&Column::from_f64([1.0, 1e100, 1.0, -1e100])), Some(0.5));
        assert_eq!(mean(&Column::from_s64([Some(1), None, Some(2)])), Some(1.5));
        assert_eq!(mean(&Column::from_f64([f64::NAN, 3.0])), Some(3.0));
        assert_eq!(mean(&Column::from_f64([f64::INFINITY, 3.0])), Some(f64::INFINITY));
        assert_eq!(mean(&Column::from_f64([f64::NAN])), None);
    }
}
