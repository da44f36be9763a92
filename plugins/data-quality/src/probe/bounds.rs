//! Whether numbers lie within bounds.

use wasmlops_sdk::prelude::*;

use super::{Examples, Finding, Probe, Rows};
use crate::rules::Range;
use crate::text::share;

pub struct Bounds {
    name: String,
    range: Range,
    least: f64,
    most: f64,
    outside: u64,
    rows: u64,
    examples: Examples,
}

impl Bounds {
    pub fn new(name: &str, range: Range) -> Self {
        Self {
            name: name.to_owned(),
            range,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            outside: 0,
            rows: 0,
            examples: Examples::default(),
        }
    }

    /// First the extremes, in vector code; the values one by one only where an extreme is outside.
    fn scan<T: Number>(&mut self, column: &Column, values: &[T], first: usize) {
        let has_nulls = column.null_count() > 0;
        let Some((least, most)) = (if has_nulls {
            extremes(values.iter().enumerate().filter(|(row, _)| !column.is_null(*row)).map(|(_, value)| *value))
        } else {
            extremes_of_all(values)
        }) else {
            return;
        };
        self.least = self.least.min(least.to_f64());
        self.most = self.most.max(most.to_f64());
        let (low, high) = T::bounds(self.range);
        if least >= low && most <= high {
            return;
        }
        for (row, &value) in values.iter().enumerate() {
            if (value < low || value > high) && !(has_nulls && column.is_null(row)) {
                self.outside += 1;
                self.examples.add(column, row, first + row);
            }
        }
    }
}

impl Probe for Bounds {
    fn see(&mut self, rows: &Rows) {
        let column = rows.columns[0];
        self.rows += rows.len as u64;
        if let Some(values) = column.as_f64() {
            self.scan(column, values, rows.first);
        } else if let Some(values) = column.as_s64() {
            self.scan(column, values, rows.first);
        } else if let Some(values) = column.as_f32() {
            self.scan(column, values, rows.first);
        }
    }

    fn conclude(self: Box<Self>) -> Finding {
        let Self { name, range, least, most, outside, rows, .. } = *self;
        let none = least > most;
        let observed = match (range.low, range.high) {
            _ if none => None,
            (Some(_), None) => Some(least),
            (None, Some(_)) => Some(most),
            _ => None,
        };
        let message = match outside {
            _ if none => format!("`{name}` has no value to check"),
            0 => format!("the values of `{name}` go from {least} to {most}"),
            outside => format!("{} outside; they go from {least} to {most}", share(outside, rows, &name)),
        };
        Finding { passed: outside == 0, observed, count: outside, examples: self.examples.into_texts(), message }
    }
}

/// A type of numbers, with its own bounds, so that 64-bit integers are compared as integers.
trait Number: Copy + PartialOrd {
    const LEAST: Self;
    const MOST: Self;

    fn bounds(range: Range) -> (Self, Self);
    fn to_f64(self) -> f64;
}

impl Number for f64 {
    const LEAST: f64 = f64::NEG_INFINITY;
    const MOST: f64 = f64::INFINITY;

    fn bounds(range: Range) -> (f64, f64) {
        (range.low.unwrap_or(f64::LEAST), range.high.unwrap_or(f64::MOST))
    }

    fn to_f64(self) -> f64 {
        self
    }
}

impl Number for f32 {
    const LEAST: f32 = f32::NEG_INFINITY;
    const MOST: f32 = f32::INFINITY;

    /// The outermost f32 values inside the bounds.
    fn bounds(range: Range) -> (f32, f32) {
        let low = range.low.map_or(f32::LEAST, |low| {
            let near = low as f32;
            if f64::from(near) < low { near.next_up() } else { near }
        });
        let high = range.high.map_or(f32::MOST, |high| {
            let near = high as f32;
            if f64::from(near) > high { near.next_down() } else { near }
        });
        (low, high)
    }

    fn to_f64(self) -> f64 {
        self.into()
    }
}

impl Number for i64 {
    const LEAST: i64 = i64::MIN;
    const MOST: i64 = i64::MAX;

    /// The outermost integers inside the bounds; bounds beyond all integers let none in.
    fn bounds(range: Range) -> (i64, i64) {
        let low = range.low.map_or(i128::from(i64::MIN), |low| low.ceil() as i128);
        let high = range.high.map_or(i128::from(i64::MAX), |high| high.floor() as i128);
        if low > i128::from(i64::MAX) || high < i128::from(i64::MIN) {
            return (i64::MAX, i64::MIN);
        }
        (low.max(i64::MIN.into()) as i64, high.min(i64::MAX.into()) as i64)
    }

    fn to_f64(self) -> f64 {
        self as f64
    }
}

/// The least and the greatest value; NaN is neither. None for no values.
fn extremes<T: Number>(values: impl Iterator<Item = T>) -> Option<(T, T)> {
    let (least, most) = values.fold((T::MOST, T::LEAST), |(least, most), value| {
        (if value < least { value } else { least }, if value > most { value } else { most })
    });
    (least <= most).then_some((least, most))
}

/// The same for a slice: eight at a time, each place with its own extremes, which compiles to vector code.
fn extremes_of_all<T: Number>(values: &[T]) -> Option<(T, T)> {
    let (chunks, rest) = values.as_chunks::<8>();
    let (mut least, mut most) = ([T::MOST; 8], [T::LEAST; 8]);
    for chunk in chunks {
        for lane in 0..8 {
            least[lane] = if chunk[lane] < least[lane] { chunk[lane] } else { least[lane] };
            most[lane] = if chunk[lane] > most[lane] { chunk[lane] } else { most[lane] };
        }
    }
    // A lane that saw only NaN still holds its start: leave it out.
    let lanes = least.into_iter().zip(most).filter(|(least, most)| least <= most).flat_map(|(low, high)| [low, high]);
    extremes(lanes.chain(rest.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(range: Range, column: Column) -> Finding {
        let mut probe = Box::new(Bounds::new("x", range));
        let half = column.len() / 2;
        let parts = [(0, (0..half).collect::<Vec<_>>()), (half, (half..column.len()).collect())];
        for (first, rows) in parts {
            let part = column.take(&rows);
            probe.see(&Rows { columns: &[&part], len: rows.len(), first });
        }
        probe.conclude()
    }

    fn range(low: f64, high: f64) -> Range {
        Range { low: Some(low), high: Some(high) }
    }

    #[test]
    fn counts_what_is_outside_and_passes_over_what_is_missing() {
        let mut values: Vec<Option<f64>> = (0..40).map(|value| Some(f64::from(value))).collect();
        values[3] = None;
        values[20] = Some(f64::NAN);
        let finding = found(range(1.0, 37.0), Column::from_f64(values));
        assert_eq!((finding.passed, finding.count), (false, 3));
        assert_eq!(finding.examples, ["`0` in row 0", "`38` in row 38", "`39` in row 39"]);
        assert_eq!(finding.message, "3 of 40 values of `x` are outside; they go from 0 to 39");
    }

    #[test]
    fn infinity_is_outside_and_bounds_are_inside() {
        let values = [-1.0, 1.0, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(found(range(-1.0, 1.0), Column::from_f64(values)).count, 2);
        assert!(found(range(f64::NEG_INFINITY, f64::INFINITY), Column::from_f64(values)).passed);
        assert!(found(range(0.0, 1.0), Column::from_f64([f64::NAN, f64::NAN])).passed);
    }

    #[test]
    fn integers_are_compared_as_integers() {
        let edge = 1_i64 << 53;
        assert_eq!(found(range(0.0, edge as f64), Column::from_s64([edge, edge + 1])).count, 1);
        assert_eq!(found(range(0.5, 2.5), Column::from_s64([0, 1, 2, 3])).count, 2);
        assert_eq!(found(range(1e19, 1e20), Column::from_s64([i64::MAX, 0])).count, 2);
    }
}
