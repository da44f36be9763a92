//! One column of both tables, batch by batch: numbers sorted, texts counted.

use std::collections::HashMap;

use wasmlops_sdk::prelude::*;

use crate::counts::Counts;
use crate::samples::Sorted;

/// More different texts than this are not counted: they are names or keys, whose distribution says nothing, and the
/// memory for them would have no bound.
pub const MOST_TEXTS: usize = 10_000;

/// A column's values in the reference and in the window.
pub enum Values {
    Numbers(Numbers),
    Texts(Texts),
}

/// Finite numbers, and what else there was.
#[derive(Default)]
pub struct Numbers {
    pub reference: Sorted,
    pub window: Sorted,
    pub left_out: Both<LeftOut>,
}

/// Texts with how often they came, in the order of their first row.
#[derive(Default)]
pub struct Texts {
    /// In the order of `counts`.
    pub names: Vec<String>,
    /// `None` where there are more than [`MOST_TEXTS`].
    pub counts: Option<Counts>,
    pub left_out: Both<LeftOut>,
}

/// Something of the reference and of the window.
#[derive(Clone, Copy, Default)]
pub struct Both<T> {
    pub reference: T,
    pub window: T,
}

/// Rows without a value that could be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeftOut {
    /// Null or NaN.
    pub missing: u64,
    pub infinite: u64,
}

impl LeftOut {
    pub fn all(self) -> u64 {
        self.missing + self.infinite
    }
}

impl Values {
    /// Reads column `reference.1` of table `reference.0`, and the same of the window.
    pub fn read(is_text: bool, reference: (&Table, usize), window: (&Table, usize)) -> Result<Self> {
        if is_text {
            return read_texts(reference, window).map(Values::Texts);
        }
        let (reference, left_out_there) = read_numbers(reference)?;
        let (window, left_out_here) = read_numbers(window)?;
        let left_out = Both { reference: left_out_there, window: left_out_here };
        Ok(Values::Numbers(Numbers { reference, window, left_out }))
    }

    pub fn left_out(&self) -> Both<LeftOut> {
        match self {
            Values::Numbers(numbers) => numbers.left_out,
            Values::Texts(texts) => texts.left_out,
        }
    }
}

fn read_numbers((table, index): (&Table, usize)) -> Result<(Sorted, LeftOut)> {
    let mut values = Vec::with_capacity(table.num_rows());
    let mut left_out = LeftOut::default();
    for batch in table.batches(&[index]) {
        let batch = batch?;
        let column = &batch.columns[0];
        match column.as_f64() {
            // Whole batches at once where all is well.
            Some(numbers) if column.null_count() == 0 && numbers.iter().all(|number| number.is_finite()) => {
                values.extend_from_slice(numbers);
            }
            _ => (0..batch.num_rows).for_each(|row| match column.number(row) {
                Some(number) if number.is_finite() => values.push(number),
                Some(number) if number.is_infinite() => left_out.infinite += 1,
                _ => left_out.missing += 1,
            }),
        }
    }
    Ok((Sorted::new(values), left_out))
}

fn read_texts(reference: (&Table, usize), window: (&Table, usize)) -> Result<Texts> {
    let mut counter = Counter::default();
    let missing_there = counter.count(reference)?;
    let counts_there = std::mem::take(&mut counter.counts);
    let missing_here = counter.count(window)?;
    let (mut reference, mut window) = (counts_there, counter.counts);
    reference.resize(counter.names.len(), 0);
    window.resize(counter.names.len(), 0);
    let left_out = |missing| LeftOut { missing, infinite: 0 };
    Ok(Texts {
        names: counter.names,
        counts: (!counter.too_many).then_some(Counts { reference, window }),
        left_out: Both { reference: left_out(missing_there), window: left_out(missing_here) },
    })
}

/// Counts texts; a text keeps its number from the first table to the second.
#[derive(Default)]
struct Counter {
    numbers: HashMap<String, usize>,
    names: Vec<String>,
    counts: Vec<u64>,
    too_many: bool,
}

impl Counter {
    /// The number of nulls.
    fn count(&mut self, (table, index): (&Table, usize)) -> Result<u64> {
        let mut missing = 0;
        for batch in table.batches(&[index]) {
            let batch = batch?;
            let column = &batch.columns[0];
            missing += column.null_count() as u64;
            match column.as_codes() {
                Some(codes) => self.add_codes(column, codes),
                None => {
                    for class in (0..batch.num_rows).filter_map(|row| column.class(row)) {
                        self.add(&class, 1);
                    }
                }
            }
        }
        Ok(missing)
    }

    /// Codes are counted first, so that a text is looked up once a batch.
    fn add_codes(&mut self, column: &Column, codes: &[i32]) {
        let texts = column.categories();
        let mut counts = vec![0; texts.len()];
        if column.null_count() == 0 {
            codes.iter().for_each(|&code| counts[code as usize] += 1);
        } else {
            let rows = codes.iter().enumerate().filter(|(row, _)| !column.is_null(*row));
            rows.for_each(|(_, &code)| counts[code as usize] += 1);
        }
        for (text, count) in texts.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
            self.add(text, count);
        }
    }

    fn add(&mut self, text: &str, count: u64) {
        let number = match self.numbers.get(text) {
            Some(&number) => number,
            None if self.names.len() == MOST_TEXTS => {
                self.too_many = true;
                return;
            }
            None => {
                self.names.push(text.to_owned());
                self.numbers.insert(text.to_owned(), self.names.len() - 1);
                self.names.len() - 1
            }
        };
        if self.counts.len() <= number {
            self.counts.resize(number + 1, 0);
        }
        self.counts[number] += count;
    }
}
