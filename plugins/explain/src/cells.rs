//! Columns as a few values each, which divide rows into slices.

use std::collections::BTreeMap;

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::quantile;
use wasmlops_statistics::text::number;

/// Of a column's values this many make slices: the most frequent ones.
const MOST_VALUES: usize = 30;

/// Numbers with at most this many different values are taken as they are.
const FEW: usize = 10;

/// A row whose value makes no slice.
pub const NONE: u16 = u16::MAX;

/// One column.
#[derive(Clone, PartialEq, Debug)]
pub struct Cells {
    pub column: String,
    /// As reports write them.
    pub values: Vec<String>,
    /// Each row's index into `values`, or [`NONE`].
    pub of_row: Vec<u16>,
}

/// `None` for a column whose values make no slices: times, bytes, or fewer than two values that come `min_rows` times.
pub fn of(name: &str, column: &Column, bins: usize, min_rows: u64) -> Option<Cells> {
    let (values, of_row) = match column.data_type() {
        DataType::Timestamp | DataType::Binary => return None,
        DataType::Bool | DataType::Utf8 | DataType::Categorical => by_value(column, min_rows),
        DataType::S64 | DataType::F64 | DataType::F32 => {
            let mut sorted: Vec<f64> = column.numbers()?.into_iter().filter(|value| value.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            let different = sorted.chunk_by(|one, next| one == next).take(FEW + 1).count();
            if different <= FEW { by_value(column, min_rows) } else { by_bins(column, &sorted, bins) }
        }
    };
    (values.len() > 1).then(|| Cells { column: name.to_owned(), values, of_row })
}

fn by_value(column: &Column, min_rows: u64) -> (Vec<String>, Vec<u16>) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in 0..column.len() {
        let value = column.class(row).unwrap_or("null".into());
        match counts.get_mut(&*value) {
            Some(count) => *count += 1,
            None => {
                counts.insert(value.into_owned(), 1);
            }
        }
    }
    let mut frequent: Vec<(String, u64)> = counts.into_iter().filter(|(_, count)| *count >= min_rows).collect();
    // Stable: of equally frequent ones the first by text.
    frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    frequent.truncate(MOST_VALUES);
    let values: Vec<String> = frequent.into_iter().map(|(value, _)| value).collect();
    let codes: BTreeMap<&str, u16> = values.iter().map(String::as_str).zip(0..).collect();
    let code = |row: usize| codes.get(&*column.class(row).unwrap_or("null".into())).copied().unwrap_or(NONE);
    let of_row = (0..column.len()).map(code).collect();
    (values, of_row)
}

fn by_bins(column: &Column, sorted: &[f64], bins: usize) -> (Vec<String>, Vec<u16>) {
    let mut bounds: Vec<f64> =
        (1..bins).filter_map(|bound| quantile::linear(sorted, bound as f64 / bins as f64)).collect();
    bounds.dedup();
    // A bin below the least value would be empty.
    bounds.retain(|bound| *bound > sorted[0]);
    let mut values: Vec<String> = bounds.first().map(|bound| format!("<{}", number(*bound))).into_iter().collect();
    values.extend(bounds.windows(2).map(|pair| format!("[{}, {})", number(pair[0]), number(pair[1]))));
    values.extend(bounds.last().map(|bound| format!(">={}", number(*bound))));
    let missing = values.len() as u16;
    let numbers = column.numbers().unwrap_or_default();
    let bin = |value: &f64| match value.is_nan() {
        true => missing,
        false => bounds.partition_point(|bound| bound <= value) as u16,
    };
    let of_row: Vec<u16> = numbers.iter().map(bin).collect();
    if of_row.contains(&missing) {
        values.push("null".to_owned());
    }
    (values, of_row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_bins_and_nothing() {
        let text = Column::from_text([Some("b"), Some("a"), Some("b"), None, Some("c"), None]);
        let cells = of("t", &text, 4, 2).unwrap();
        assert_eq!((cells.values.join(" "), cells.of_row), ("b null".into(), vec![0, NONE, 0, 1, NONE, 1]));
        let numbers = Column::from_f64((0..100).map(|value| (value != 50).then_some(f64::from(value))));
        let cells = of("n", &numbers, 4, 2).unwrap();
        assert_eq!(cells.values.join(" "), "<24.5 [24.5, 49) [49, 74.5) >=74.5 null");
        assert_eq!((cells.of_row[0], cells.of_row[49], cells.of_row[50], cells.of_row[99]), (0, 2, 4, 3));
        assert_eq!(of("id", &Column::from_text(["a", "b", "c"]), 4, 2), None);
        assert_eq!(of("time", &Column::from_timestamp([1, 1, 2, 2]), 4, 1), None);
        let mostly_zero = Column::from_s64((0..100).map(|value| (value - 80).max(0)));
        assert_eq!(of("zero", &mostly_zero, 4, 2), None);
    }
}
