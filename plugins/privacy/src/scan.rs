//! One column, row by row: what its values look like, and how many of them come once.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use wasmlops_sdk::BATCH_ROWS;
use wasmlops_sdk::prelude::*;

use crate::config::{Config, What};
use crate::detect::{self, Traits};

/// Forms that a report shows of one kind.
const MOST_SHAPES: usize = 5;

/// What was found in a column.
#[derive(Debug, Default)]
pub struct Found {
    /// Values that are not missing.
    pub values: u64,
    pub matches: BTreeMap<What, Matches>,
    /// How many of the values differ from each other, where nearly all do.
    pub distinct: Option<u64>,
}

#[derive(Debug, Default)]
pub struct Matches {
    pub count: u64,
    /// Forms of the first ones, each once: never a value.
    pub shapes: Vec<String>,
}

/// Looks through one column. Booleans, times and bytes hold nothing that could be told.
pub fn column(table: &Table, index: usize, config: &Config) -> Result<Found> {
    let data_type = table.schema().fields[index].data_type;
    let wanted = |what: &What| config.look_for.as_ref().is_none_or(|look_for| look_for.contains(what));
    let kinds: Vec<What> = What::IN_VALUES.into_iter().filter(wanted).collect();
    let mut scan = Scan { kinds, found: Found::default(), unique: unique(data_type, table, config) };
    if matches!(data_type, DataType::Bool | DataType::Timestamp | DataType::Binary) {
        return Ok(Found::default());
    }
    let (rows, step) = rows_and_step(table, config);
    let mut row = 0;
    while row < rows {
        let batch = table.read(&[index], row, BATCH_ROWS.min(rows - row))?;
        if batch.num_rows == 0 {
            return Err(Error::internal("the host gave fewer rows than the table has"));
        }
        // The first row of the batch that is a multiple of the step.
        let first = row.next_multiple_of(step) - row;
        scan.add(&batch.columns[0], (first..batch.num_rows).step_by(step));
        row += batch.num_rows;
    }
    Ok(scan.finish())
}

fn rows_and_step(table: &Table, config: &Config) -> (usize, usize) {
    let rows = table.num_rows();
    let most = config.max_rows.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    (rows, rows.div_ceil(most.max(1)).max(1))
}

fn unique(data_type: DataType, table: &Table, config: &Config) -> Option<Unique> {
    let wanted = config.look_for.as_ref().is_none_or(|look_for| look_for.contains(&What::Identifier));
    let could_be = matches!(data_type, DataType::Utf8 | DataType::Categorical | DataType::S64);
    (wanted && could_be).then(|| {
        let (rows, step) = rows_and_step(table, config);
        let looked_at = rows.div_ceil(step) as f64;
        Unique {
            hasher: RandomState::new(),
            seen: HashSet::new(),
            repeated: 0,
            most_repeated: ((1.0 - config.unique_share) * looked_at) as u64,
        }
    })
}

struct Scan {
    kinds: Vec<What>,
    found: Found,
    /// Given up once too many values have come twice.
    unique: Option<Unique>,
}

/// Counts values that came before, by their hashes: of ten million values two share one with a chance of 3 in a
/// million.
struct Unique {
    hasher: RandomState,
    seen: HashSet<u64>,
    repeated: u64,
    most_repeated: u64,
}

impl Scan {
    fn add(&mut self, column: &Column, rows: impl Iterator<Item = usize>) {
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then(|| (number as i64).to_string());
        for row in rows {
            if column.is_null(row) {
                continue;
            }
            match column.data_type() {
                DataType::Utf8 | DataType::Categorical => {
                    let text = column.text(row).unwrap_or_default();
                    self.found.values += 1;
                    self.value(text, detect::text);
                }
                DataType::S64 => {
                    let text = column.as_s64().map_or(0, |values| values[row]).to_string();
                    self.found.values += 1;
                    self.value(&text, detect::number);
                }
                _ => {
                    let number = column.number(row).unwrap_or(f64::NAN);
                    if number.is_nan() {
                        continue;
                    }
                    self.found.values += 1;
                    if let Some(text) = whole(number) {
                        self.value(&text, detect::number);
                    }
                }
            }
        }
    }

    fn value(&mut self, value: &str, is: fn(What, &str) -> bool) {
        let traits = Traits::of(value);
        for &what in &self.kinds {
            if traits.allow(what) && is(what, value) {
                let matches = self.found.matches.entry(what).or_default();
                matches.count += 1;
                if matches.shapes.len() < MOST_SHAPES {
                    let shape = detect::shape(value);
                    if !matches.shapes.contains(&shape) {
                        matches.shapes.push(shape);
                    }
                }
            }
        }
        if let Some(unique) = &mut self.unique
            && !unique.seen.insert(unique.hasher.hash_one(value))
        {
            unique.repeated += 1;
            if unique.repeated > unique.most_repeated {
                self.unique = None;
            }
        }
    }

    fn finish(mut self) -> Found {
        self.found.distinct = self.unique.map(|unique| unique.seen.len() as u64);
        self.found
    }
}
