//! The features of a table as codes, one byte a cell. Columns are read a few at a time, so that a table never lies in
//! memory as numbers. The doors are [`learn_coders`] and [`Bins::read`].

use std::collections::HashMap;

use wasmlops_sdk::{Column, Error, Result, Table, progress};

use crate::codes::{Coder, bounds_between, sort};
use crate::kernels::{LANES, MISSING};
use crate::random::{Purpose, Stream};

/// Bounds of bins are found in at most this many rows, as in LightGBM.
const SAMPLE: usize = 200_000;
/// More different texts than this are the sign of an identifier, and would all have to be kept.
const MOST_TEXTS: usize = 100_000;

/// Looks at the values of each column (at numbers in a sample of the rows) and chooses how they become codes.
///
/// Errors: `invalid-input` for a text column with more than 100,000 different values.
pub fn learn_coders(table: &Table, columns: &[usize], most: usize, seed: u64) -> Result<Vec<Coder>> {
    let rows = table.num_rows();
    let sample = (rows > SAMPLE).then(|| Stream::new(seed, Purpose::Sample, 0).choose(SAMPLE, rows));
    let mut coders = Vec::with_capacity(columns.len());
    for columns in columns.chunks(LANES) {
        stop_if_cancelled()?;
        let mut seen: Vec<Seen> = columns.iter().map(|_| Seen::default()).collect();
        let mut start = 0;
        for batch in table.batches(columns) {
            let batch = batch?;
            let rows = sample.as_ref().map(|sample| {
                let from = sample.partition_point(|&row| (row as usize) < start);
                let to = sample.partition_point(|&row| (row as usize) < start + batch.num_rows);
                &sample[from..to]
            });
            for (column, seen) in batch.columns.iter().zip(&mut seen) {
                seen.look_at(column, rows, start);
            }
            start += batch.num_rows;
        }
        for (seen, &column) in seen.into_iter().zip(columns) {
            let field = &table.schema().fields[column];
            coders.push(if field.data_type.is_text() { seen.texts(&field.name, most)? } else { seen.numbers(most) });
        }
    }
    Ok(coders)
}

#[derive(Default)]
struct Seen {
    numbers: Vec<f64>,
    texts: HashMap<String, usize>,
}

impl Seen {
    fn look_at(&mut self, column: &Column, sample: Option<&[u32]>, start: usize) {
        if column.data_type().is_text() {
            return self.look_at_texts(column);
        }
        let values = column.numbers().unwrap_or_default();
        match sample {
            Some(rows) => self.numbers.extend(rows.iter().map(|&row| values[row as usize - start])),
            None => self.numbers.extend(values),
        }
    }

    fn look_at_texts(&mut self, column: &Column) {
        if self.texts.len() > MOST_TEXTS {
            return;
        }
        let mut count = |text: &str, rows: usize| match self.texts.get_mut(text) {
            Some(count) => *count += rows,
            None => drop(self.texts.insert(text.to_owned(), rows)),
        };
        let Some(codes) = column.as_codes() else {
            return column.texts().flatten().for_each(|text| count(text, 1));
        };
        let categories = column.categories();
        let mut counts = vec![0; categories.len()];
        for (_, &code) in codes.iter().enumerate().filter(|(row, _)| !column.is_null(*row)) {
            counts[code as usize] += 1;
        }
        categories.iter().zip(counts).filter(|(_, rows)| *rows > 0).for_each(|(text, rows)| count(text, rows));
    }

    fn numbers(mut self, most: usize) -> Coder {
        self.numbers.retain(|value| !value.is_nan());
        sort(&mut self.numbers);
        Coder::number(bounds_between(&self.numbers, most))
    }

    /// The most frequent first, of equally frequent ones the first by their bytes.
    fn texts(self, name: &str, most: usize) -> Result<Coder> {
        if self.texts.len() > MOST_TEXTS {
            let message = format!("feature `{name}` has more than {MOST_TEXTS} different texts");
            let hint = "hint: leave an identifier out, or let `tabular-features` encode it";
            return Err(Error::invalid_input(format!("{message}\n{hint}")).at("train"));
        }
        let mut texts: Vec<(String, usize)> = self.texts.into_iter().collect();
        texts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        texts.truncate(most);
        Ok(Coder::text(texts.into_iter().map(|(text, _)| text).collect()))
    }
}

/// A feature among the bins.
#[derive(Clone, Debug)]
pub struct Feature {
    /// How many codes it has but that of missing values.
    pub codes: usize,
    pub is_text: bool,
    /// Whether some row lacks it.
    pub has_missing: bool,
}

/// All rows' codes, eight features to a word.
pub struct Bins {
    pub rows: usize,
    pub features: Vec<Feature>,
    /// Each group's words, one a row.
    pub groups: Vec<Vec<u64>>,
}

impl Bins {
    /// Reads the features in `columns`.
    pub fn read(table: &Table, columns: &[usize], coders: &[Coder]) -> Result<Self> {
        let rows = table.num_rows();
        let mut bins = Self { rows, features: Vec::with_capacity(columns.len()), groups: Vec::new() };
        for (columns, coders) in columns.chunks(LANES).zip(coders.chunks(LANES)) {
            stop_if_cancelled()?;
            let mut words = vec![0_u64; rows];
            let mut missing = [false; LANES];
            let mut start = 0;
            for batch in table.batches(columns) {
                let batch = batch?;
                let words = &mut words[start..start + batch.num_rows];
                for (lane, (column, coder)) in batch.columns.iter().zip(coders).enumerate() {
                    coder.each_code(column, |row, code| {
                        words[row] |= u64::from(code) << (8 * lane);
                        missing[lane] |= code == MISSING;
                    })?;
                }
                start += batch.num_rows;
            }
            bins.groups.push(words);
            bins.features.extend(coders.iter().zip(missing).map(|(coder, has_missing)| Feature {
                codes: coder.codes(),
                is_text: matches!(coder, Coder::Text { .. }),
                has_missing,
            }));
        }
        Ok(bins)
    }

    /// The features that tell rows apart.
    pub fn useful(&self) -> Vec<usize> {
        let tells = |feature: &Feature| feature.codes + usize::from(feature.has_missing) > 1;
        (0..self.features.len()).filter(|&feature| tells(&self.features[feature])).collect()
    }

    /// A feature's code in a row.
    #[inline]
    pub fn code(&self, feature: usize, row: usize) -> u8 {
        (self.groups[feature / LANES][row] >> (8 * (feature % LANES))) as u8
    }
}

/// Errors: `internal`, which the host takes for the end that it asked for.
pub fn stop_if_cancelled() -> Result<()> {
    if progress::is_cancelled() { Err(Error::internal("the run is being cancelled")) } else { Ok(()) }
}
