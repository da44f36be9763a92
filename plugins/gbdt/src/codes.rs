//! From values to codes: numbers by bounds, text by its place among the categories. The same code that puts training
//! rows into bins serves predictions. It knows nothing of tables as a whole.

use std::collections::HashMap;

use wasmlops_sdk::{Column, Error, Result};

use crate::kernels::MISSING;

/// The fewest rows in a bin of numbers, as in LightGBM.
const FEWEST_IN_BIN: usize = 3;

/// How one feature's values become codes, ascending from 0; missing values are [`MISSING`].
#[derive(Clone, Debug, PartialEq)]
pub enum Coder {
    /// The code is the number of bounds below the value.
    Number { bounds: Bounds },
    /// The code is the category's place; text that is no category is missing.
    Text { categories: Vec<String>, places: HashMap<String, u8> },
}

/// Ascending numbers, at most 254.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    count: usize,
    /// Filled up with infinities to 2^`steps` - 1.
    values: Vec<f64>,
}

impl Bounds {
    /// `values` ascend and are at most 255, none NaN.
    pub fn new(mut values: Vec<f64>) -> Self {
        let count = values.len();
        values.resize((count + 1).next_power_of_two() - 1, f64::INFINITY);
        Self { count, values }
    }

    pub fn as_slice(&self) -> &[f64] {
        &self.values[..self.count]
    }

    /// How many bounds are below the value; of NaN, 0. A binary search without a branch to guess.
    #[inline]
    pub fn code(&self, value: f64) -> u8 {
        let mut below = 0;
        let mut step = self.values.len().div_ceil(2);
        while step > 0 {
            below += if self.values[below + step - 1] < value { step } else { 0 };
            step /= 2;
        }
        below as u8
    }
}

impl Coder {
    pub fn number(bounds: Vec<f64>) -> Self {
        Self::Number { bounds: Bounds::new(bounds) }
    }

    /// At most 255 categories.
    pub fn text(categories: Vec<String>) -> Self {
        let places = categories.iter().enumerate().map(|(place, text)| (text.clone(), place as u8)).collect();
        Self::Text { categories, places }
    }

    /// How many codes there are but that of missing values.
    pub fn codes(&self) -> usize {
        match self {
            Coder::Number { bounds } => bounds.as_slice().len() + 1,
            Coder::Text { categories, .. } => categories.len(),
        }
    }

    /// Hands each row's code to `put`, in the order of rows.
    ///
    /// Errors: `internal` for a column of another kind than the coder's.
    pub fn each_code(&self, column: &Column, mut put: impl FnMut(usize, u8)) -> Result<()> {
        match self {
            Coder::Number { bounds } => {
                let code = |value: f64| if value.is_nan() { MISSING } else { bounds.code(value) };
                if let Some(values) = column.as_f64().filter(|_| column.null_count() == 0) {
                    values.iter().enumerate().for_each(|(row, &value)| put(row, code(value)));
                } else {
                    let values = column.numbers().ok_or_else(|| Error::internal("a feature holds no numbers"))?;
                    values.iter().enumerate().for_each(|(row, &value)| put(row, code(value)));
                }
            }
            Coder::Text { places, .. } => {
                let place = |text: &str| places.get(text).copied().unwrap_or(MISSING);
                if let Some(theirs) = column.as_codes() {
                    let known: Vec<u8> = column.categories().into_iter().map(place).collect();
                    let code = |row: usize| known.get(theirs[row] as usize).copied().unwrap_or(MISSING);
                    (0..column.len()).for_each(|row| put(row, if column.is_null(row) { MISSING } else { code(row) }));
                } else {
                    column.texts().enumerate().for_each(|(row, text)| put(row, text.map_or(MISSING, place)));
                }
            }
        }
        Ok(())
    }
}

/// Bounds between sorted numbers so that at most `most` bins (2 or more) hold about equally many; where there are few
/// different numbers, each is a bin. Numbers of different signs are never in one bin. As in LightGBM's `GreedyFindBin`.
pub fn bounds_between(sorted: &[f64], most: usize) -> Vec<f64> {
    let negatives = sorted.partition_point(|&value| value < 0.0);
    let positives = sorted.len() - sorted.partition_point(|&value| value <= 0.0);
    let zeros = sorted.len() - negatives - positives;
    if negatives == 0 || positives == 0 || most < 3 {
        return bounds_of_one_sign(sorted, most);
    }
    let others = most - usize::from(zeros > 0);
    let share = (others * negatives) as f64 / (negatives + positives) as f64;
    let left = (share as usize).clamp(1, others - 1);
    let mut bounds = bounds_of_one_sign(&sorted[..negatives], left);
    bounds.push(sorted[negatives - 1].max(-SMALLEST));
    if zeros > 0 {
        bounds.push(SMALLEST.min(sorted[negatives + zeros]).next_down());
    }
    let right = most - bounds.len();
    bounds.extend(bounds_of_one_sign(&sorted[negatives + zeros..], right));
    bounds
}

/// A number nearer to 0 than this is told from 0 only where there is no other bound between.
const SMALLEST: f64 = 1e-35;

fn bounds_of_one_sign(sorted: &[f64], most: usize) -> Vec<f64> {
    let mut runs: Vec<(f64, usize)> = Vec::new();
    for &value in sorted {
        match runs.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            _ => runs.push((value, 1)),
        }
    }
    let ends = if runs.len() <= most { ends_of_few(&runs) } else { ends_of_many(&runs, sorted.len(), most) };
    ends.into_iter().map(|end| between(runs[end].0, runs[end + 1].0)).collect()
}

/// The runs after which a bin ends, where each may be a bin of its own.
fn ends_of_few(runs: &[(f64, usize)]) -> Vec<usize> {
    let (mut ends, mut rows) = (Vec::new(), 0);
    for (end, (_, count)) in runs.iter().enumerate().take(runs.len().saturating_sub(1)) {
        rows += count;
        if rows >= FEWEST_IN_BIN {
            ends.push(end);
            rows = 0;
        }
    }
    ends
}

fn ends_of_many(runs: &[(f64, usize)], rows: usize, most: usize) -> Vec<usize> {
    let most = most.min(rows / FEWEST_IN_BIN).max(1);
    let share = rows as f64 / most as f64;
    // A number with more than its share is a bin of its own; the others share what is left.
    let is_big: Vec<bool> = runs.iter().map(|&(_, count)| count as f64 >= share).collect();
    let big = || runs.iter().zip(&is_big).filter(|(_, is_big)| **is_big);
    let mut bins_left = most - big().count();
    let mut rows_left = rows - big().map(|((_, count), _)| count).sum::<usize>();
    let mean = |rows: usize, bins: usize| rows as f64 / bins.max(1) as f64;
    let mut share = mean(rows_left, bins_left);
    let (mut ends, mut rows) = (Vec::new(), 0);
    for end in 0..runs.len() - 1 {
        if !is_big[end] {
            rows_left -= runs[end].1;
        }
        rows += runs[end].1;
        let full = rows as f64 >= share;
        if is_big[end] || full || (is_big[end + 1] && rows as f64 >= (share * 0.5).max(1.0)) {
            ends.push(end);
            if ends.len() + 1 >= most {
                break;
            }
            rows = 0;
            if !is_big[end] {
                bins_left = bins_left.saturating_sub(1);
                share = mean(rows_left, bins_left);
            }
        }
    }
    ends
}

/// A number from `low` on and below `high`, half way where that is a number.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

/// Sorts numbers, none of them NaN: by their bits, eleven at a time, which for many numbers is faster than comparing.
pub fn sort(values: &mut Vec<f64>) {
    const BITS: usize = 11;
    if values.len() < 2048 {
        return values.sort_unstable_by(f64::total_cmp);
    }
    // Negative numbers descend by their bits, so all are turned; of others the sign.
    let turn = |bits: u64| if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    let back = |key: u64| f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key });
    let mut keys: Vec<u64> = values.iter().map(|value| turn(value.to_bits())).collect();
    let mut spare = vec![0; keys.len()];
    for shift in (0..64).step_by(BITS) {
        let digit = |key: u64| (key >> shift) as usize & ((1 << BITS) - 1);
        let mut starts = vec![0_usize; 1 << BITS];
        keys.iter().for_each(|&key| starts[digit(key)] += 1);
        if starts[digit(keys[0])] == keys.len() {
            continue;
        }
        let mut before = 0;
        for start in &mut starts {
            before += std::mem::replace(start, before);
        }
        for &key in &keys {
            let place = &mut starts[digit(key)];
            spare[*place] = key;
            *place += 1;
        }
        std::mem::swap(&mut keys, &mut spare);
    }
    values.clear();
    values.extend(keys.into_iter().map(back));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_the_bounds_below() {
        for count in [0, 1, 2, 3, 4, 100, 254] {
            let bounds: Vec<f64> = (0..count).map(f64::from).collect();
            let coder = Bounds::new(bounds);
            for at in -1..=count {
                let expected = (at.max(0) as usize).min(count as usize);
                assert_eq!(usize::from(coder.code(f64::from(at))), expected, "{count} {at}");
            }
            assert_eq!(coder.code(f64::INFINITY), count as u8);
            assert_eq!(coder.code(f64::NEG_INFINITY), 0);
        }
    }

    #[test]
    fn few_values_are_bins_of_their_own() {
        let sorted = [[1.0; 3], [2.0; 3], [4.0; 3]].concat();
        assert_eq!(bounds_between(&sorted, 255), [1.5, 3.0]);
        assert_eq!(bounds_between(&[1.0, 2.0], 255), [0.0; 0], "fewer than three rows are no bin");
        assert_eq!(bounds_between(&[], 255), [0.0; 0]);
        let signs = [[-1.0; 3], [0.0; 3], [5.0; 3]].concat();
        assert_eq!(bounds_between(&signs, 255), [-1e-35, 1e-35_f64.next_down()]);
        assert_eq!(bounds_between(&[-1.0, 1.0], 255), [-1e-35]);
        let infinite = [[f64::NEG_INFINITY; 3], [f64::MAX; 3], [f64::INFINITY; 3]].concat();
        assert_eq!(bounds_between(&infinite, 255), [-1e-35, f64::MAX]);
    }

    #[test]
    fn many_values_share_bins() {
        let mut sorted: Vec<f64> = (0..10_000).map(f64::from).collect();
        sorted.extend([20_000.0; 5000]);
        let bounds = bounds_between(&sorted, 16);
        assert_eq!(bounds.len(), 15);
        assert!(bounds.is_sorted() && bounds[14] > 9999.0 && bounds[14] < 20_000.0, "{bounds:?}");
    }

    #[test]
    fn sorts_like_the_standard_library() {
        let mut values: Vec<f64> = (0..5000_i64).map(|at| ((at * 7919) % 5003 - 2500) as f64 * 1e-3).collect();
        values.extend([f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE]);
        let mut expected = values.clone();
        expected.sort_by(f64::total_cmp);
        sort(&mut values);
        assert_eq!(values, expected);
    }
}
