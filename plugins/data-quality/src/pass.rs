//! The one pass over the rows: counts what is missing in each column and shows every batch to every probe.

use wasmlops_sdk::prelude::*;

use crate::probe::{Examples, Finding, Probe, Rows, probe};
use crate::rules::Expectation;

/// What the pass found.
pub struct Seen {
    /// What is missing, for each column of the table.
    pub missing: Vec<Missing>,
    /// For each expectation that looks at values, what it found.
    pub findings: Vec<Option<Finding>>,
}

impl Seen {
    pub fn missing_in_all(&self) -> u64 {
        self.missing.iter().map(|missing| missing.count).sum()
    }
}

/// Null and NaN in one column.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    pub count: u64,
    pub examples: Examples,
}

/// Reads the columns that can have missing values or that an expectation looks at; the others stay where they are.
pub fn over(table: &Table, expectations: &[Expectation], now: impl Fn() -> i64) -> Result<Seen> {
    let schema = table.schema();
    let mut probes: Vec<Option<Looking>> =
        expectations.iter().map(|expectation| Looking::at(expectation, schema, &now)).collect();
    let looked_at = |column| probes.iter().flatten().any(|looking| looking.columns.contains(&column));
    let columns: Vec<usize> =
        (0..schema.fields.len()).filter(|&column| may_miss(&schema.fields[column]) || looked_at(column)).collect();
    for looking in probes.iter_mut().flatten() {
        looking.columns = looking.columns.iter().filter_map(|wanted| columns.binary_search(wanted).ok()).collect();
    }

    let mut missing = vec![Missing::default(); schema.fields.len()];
    let mut first = 0;
    for batch in table.batches(&columns) {
        let batch = batch?;
        for (&column, values) in columns.iter().zip(&batch.columns) {
            missing[column].see(values, first);
        }
        for looking in probes.iter_mut().flatten() {
            let columns: Vec<&Column> = looking.columns.iter().map(|&place| &batch.columns[place]).collect();
            looking.probe.see(&Rows { columns: &columns, len: batch.num_rows, first });
        }
        first += batch.num_rows;
        progress::update(first as u64, Some(table.num_rows() as u64), "rows checked");
    }
    let findings = probes.into_iter().map(|looking| Some(looking?.probe.conclude())).collect();
    Ok(Seen { missing, findings })
}

/// A probe with the columns that it looks at: first by their place in the table, then by that in a batch.
struct Looking {
    probe: Box<dyn Probe>,
    columns: Vec<usize>,
}

impl Looking {
    fn at(expectation: &Expectation, schema: &Schema, now: &impl Fn() -> i64) -> Option<Self> {
        let (probe, columns) = probe(expectation, schema, now)?;
        Some(Self { probe, columns })
    }
}

fn may_miss(field: &Field) -> bool {
    field.nullable || matches!(field.data_type, DataType::F64 | DataType::F32)
}

impl Missing {
    fn see(&mut self, column: &Column, first: usize) {
        let nulls = column.null_count();
        let not_a_number = match (column.as_f64(), column.as_f32()) {
            (Some(values), _) => count_nan(values),
            (_, Some(values)) => count_nan(values),
            _ => 0,
        };
        // The place of a null holds 0, so that no value is counted twice.
        self.count += (nulls + not_a_number) as u64;
        if nulls + not_a_number > 0 && self.examples.wants_more() {
            for row in (0..column.len()).filter(|&row| is_missing(column, row)).take(Examples::MOST) {
                self.examples.add_row(first + row);
            }
        }
    }
}

/// Whether a value is null or NaN.
pub fn is_missing(column: &Column, row: usize) -> bool {
    column.is_null(row)
        || match (column.as_f64(), column.as_f32()) {
            (Some(values), _) => values[row].is_nan(),
            (_, Some(values)) => values[row].is_nan(),
            _ => false,
        }
}

/// Only NaN differs from itself. Counted in a loop without branches, which the compiler turns into vector code.
#[allow(clippy::eq_op, reason = "that is the point")]
fn count_nan<T: Copy + PartialEq>(values: &[T]) -> usize {
    values.iter().map(|&value| usize::from(value != value)).sum()
}
