//! Reads the one column that a plan depends on: classes to keep in proportion or together, or times to sort by.

use std::collections::HashMap;

use wasmlops_sdk::prelude::*;

use super::{Part, Sizes};

/// Rows with equal values, numbered in the order of their first row. Null is a value of its own.
pub(crate) struct Classes {
    class_of: Vec<u32>,
    /// The value as a person would write it, and its rows.
    classes: Vec<(String, usize)>,
}

impl Classes {
    /// Errors: `invalid-config` at `key` where there is no such column or it holds bytes.
    pub fn read(table: &Table, name: &str, key: &str) -> Result<Self> {
        let column = table.schema().require(name, key)?;
        if table.schema().fields[column].data_type == DataType::Binary {
            return Err(Error::invalid_config(key, format!("column `{name}` is binary, which has no classes")));
        }
        let mut known: HashMap<Option<String>, u32> = HashMap::new();
        let mut read = Self { class_of: Vec::with_capacity(table.num_rows()), classes: Vec::new() };
        for batch in table.batches(&[column]) {
            let batch = batch?;
            for row in 0..batch.num_rows {
                let value = batch.columns[0].class(row).map(|value| value.into_owned());
                let class = *known.entry(value).or_insert_with(|| {
                    read.classes.push((batch.columns[0].display(row), 0));
                    read.classes.len() as u32 - 1
                });
                read.classes[class as usize].1 += 1;
                read.class_of.push(class);
            }
        }
        Ok(read)
    }

    /// Classes, not rows.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    pub fn class_of(&self, row: usize) -> usize {
        self.class_of[row] as usize
    }

    /// The output of each row: every class gives `test` and `validation` its share.
    pub fn stratified(&self, order: &[usize], sizes: &Sizes) -> Result<Vec<Part>> {
        self.check(sizes)?;
        let counts: Vec<usize> = self.classes.iter().map(|&(_, count)| count).collect();
        let mut test = shares(&counts, sizes.test);
        let left: Vec<usize> = counts.iter().zip(&test).map(|(count, taken)| count - taken).collect();
        let mut validation = shares(&left, sizes.validation);

        let mut parts = vec![Part::Train; order.len()];
        for &row in order {
            let class = self.class_of(row);
            for (part, wanted) in [(Part::Test, &mut test), (Part::Validation, &mut validation)] {
                if wanted[class] > 0 {
                    wanted[class] -= 1;
                    parts[row] = part;
                    break;
                }
            }
        }
        Ok(parts)
    }

    fn check(&self, sizes: &Sizes) -> Result<()> {
        const SHOWN: usize = 5;
        let alone: Vec<&str> =
            self.classes.iter().filter(|(_, count)| *count < 2).map(|(class, _)| class.as_str()).collect();
        if !alone.is_empty() {
            let mut shown: Vec<String> = alone.iter().take(SHOWN).map(|class| format!("`{}`", short(class))).collect();
            if alone.len() > SHOWN {
                shown.push(format!("{} more", alone.len() - SHOWN));
            }
            let message = format!(
                "too few rows to stratify: each value needs 2 or more, and there is only one row with {}\n\
                 hint: stratify by a column with fewer values, or leave out the rare rows before",
                shown.join(", ")
            );
            return Err(Error::invalid_config("stratify", message));
        }
        let outputs = [(Part::Train, sizes.train), (Part::Validation, sizes.validation), (Part::Test, sizes.test)];
        for (part, size) in outputs.into_iter().filter(|&(part, size)| part != Part::Validation || size > 0) {
            if size < self.len() {
                let (output, values) = (part.output(), self.len());
                let message =
                    format!("`{output}` would get {size} rows, fewer than the {values} values to stratify by");
                return Err(Error::invalid_config("stratify", message));
            }
        }
        Ok(())
    }
}

/// Divides `total` among classes in proportion to their counts (largest remainder; of equal ones the class that came
/// first in the table). `total` is at most the sum of `counts`, so that no class is asked for more than it has.
fn shares(counts: &[usize], total: usize) -> Vec<usize> {
    let sum = counts.iter().sum::<usize>().max(1) as u128;
    let exact = |count: &usize| *count as u128 * total as u128;
    let mut shares: Vec<usize> = counts.iter().map(|count| (exact(count) / sum) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(exact(&counts[class]) % sum));
    let missing = total - shares.iter().sum::<usize>();
    for &class in &by_remainder[..missing] {
        shares[class] += 1;
    }
    shares
}

/// The rows from oldest to newest; rows of the same time keep their order.
///
/// Errors: `invalid-config` where there is no such column or it holds neither times nor numbers, `invalid-input` with
/// the row's number, counted from 0, where a row has no time.
pub(crate) fn by_time(table: &Table, name: &str) -> Result<Vec<usize>> {
    let index = table.schema().require(name, "by_time")?;
    let data_type = table.schema().fields[index].data_type;
    if !matches!(data_type, DataType::Timestamp | DataType::S64 | DataType::F64 | DataType::F32) {
        let data_type = data_type.name();
        let message = format!(
            "column `{name}` is {data_type}, which is neither a time nor a number\n\
             hint: declare it as `timestamp` where the table is read"
        );
        return Err(Error::invalid_config("by_time", message));
    }
    let column = table.column(index)?;
    let numbers = if column.as_s64().is_some() { Vec::new() } else { column.numbers().unwrap_or_default() };
    let is_nan = |row: usize| numbers.get(row).is_some_and(|number| number.is_nan());
    if let Some(row) = (0..column.len()).find(|&row| column.is_null(row) || is_nan(row)) {
        return Err(Error::invalid_input(format!("row {row} has no time in column `{name}`")).at("table"));
    }

    let mut rows: Vec<usize> = (0..column.len()).collect();
    match column.as_s64() {
        Some(times) => rows.sort_by_key(|&row| times[row]),
        None => rows.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b])),
    }
    Ok(rows)
}

/// Enough of a value to know it again.
fn short(value: &str) -> String {
    const SHOWN: usize = 40;
    if value.chars().count() <= SHOWN { value.to_owned() } else { value.chars().take(SHOWN).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_go_by_largest_remainder() {
        assert_eq!(shares(&[5, 5], 3), [2, 1], "of equal remainders the first class wins");
        assert_eq!(shares(&[7, 2, 1], 5), [4, 1, 0]);
        assert_eq!(shares(&[3, 3, 3], 0), [0, 0, 0]);
        assert_eq!(shares(&[4, 6], 10), [4, 6]);
    }
}
