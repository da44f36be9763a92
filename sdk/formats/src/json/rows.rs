//! Gathers rows until they make a batch.

use std::borrow::Cow;

use wasmlops_sdk::BATCH_ROWS;
use wasmlops_sdk::prelude::*;

use super::discovery::Columns;
use super::keys::Keys;
use super::parse::{Event, Kind};
use super::text;
use crate::problems;
use crate::value;

/// The contract advises batches of up to 2 MiB.
const BATCH_BYTES: usize = 2 << 20;

/// Rows after which the size of a batch is looked at.
const STEP_ROWS: usize = 64;

/// A batch in the making.
pub struct Rows<'a> {
    columns: &'a Columns,
    schema: &'a Schema,
    builders: Vec<ColumnBuilder>,
    /// Whether the last builder is for the name of the file.
    with_file: bool,
    rows: usize,
    /// Rows (in the batch) that are to be left out, ascending.
    left_out: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// `schema` has the file's column behind the others, if there is one.
    pub fn new(columns: &'a Columns, schema: &'a Schema) -> Self {
        let with_file = schema.fields.len() > columns.fields.len();
        Self { columns, schema, builders: empty(schema), with_file, rows: 0, left_out: Vec::new() }
    }

    /// Takes the values of a record; says why it is left out, if it is.
    pub fn add(&mut self, record: &str, events: &[Event], keys: &Keys, file: &str) -> Result<(), String> {
        let mut problem = None;
        for event in events {
            let Some(column) = self.columns.of(event.entry, keys) else { continue };
            let (field, builder) = (&self.schema.fields[column], &mut self.builders[column]);
            if builder.len() > self.rows {
                problem = problem.or_else(|| Some(format!("column `{}` comes twice", field.name)));
            } else if !push(builder, field.data_type, event, record) {
                builder.push_null();
                let value = &record[event.start as usize..event.end as usize];
                problem = problem.or_else(|| Some(problems::misfit(field, value)));
            }
        }
        let (all, file_builder) = self.builders.split_at_mut(self.columns.fields.len());
        for builder in all {
            if builder.len() == self.rows {
                builder.push_null();
            }
        }
        if self.with_file {
            file_builder[0].push_text(file);
        }
        self.rows += 1;
        problem.map_or(Ok(()), |problem| {
            self.left_out.push(self.rows - 1);
            Err(problem)
        })
    }

    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS
            || self.rows.is_multiple_of(STEP_ROWS)
                && self.builders.iter().map(ColumnBuilder::bytes).sum::<usize>() >= BATCH_BYTES
    }

    /// The rows taken since the last call.
    pub fn take(&mut self) -> Batch {
        let builders = std::mem::replace(&mut self.builders, empty(self.schema));
        let mut columns: Vec<Column> = builders.into_iter().map(ColumnBuilder::finish).collect();
        let mut num_rows = std::mem::take(&mut self.rows);
        if !self.left_out.is_empty() {
            let good: Vec<usize> = (0..num_rows).filter(|row| self.left_out.binary_search(row).is_err()).collect();
            columns = columns.iter().map(|column| column.take(&good)).collect();
            num_rows = good.len();
            self.left_out.clear();
        }
        Batch { num_rows, columns }
    }
}

fn empty(schema: &Schema) -> Vec<ColumnBuilder> {
    schema.fields.iter().map(|field| ColumnBuilder::new(field.data_type)).collect()
}

/// Pushes the value, if it is one of the type.
#[inline]
fn push(builder: &mut ColumnBuilder, data_type: DataType, event: &Event, record: &str) -> bool {
    let raw = &record[event.start as usize..event.end as usize];
    let meant = || if event.kind == Kind::Escaped { Cow::Owned(text::unescape(raw)) } else { Cow::Borrowed(raw) };
    if event.kind == Kind::Null {
        builder.push_null();
        return true;
    }
    // A truth value is no number, and JSON text is neither.
    let is_text = matches!(event.kind, Kind::Text | Kind::Escaped);
    let number = (is_text || event.kind == Kind::Number).then(|| value::trimmed(raw.as_bytes()));
    let pushed = match data_type {
        DataType::Utf8 | DataType::Categorical => {
            builder.push_text(&meant());
            return true;
        }
        DataType::S64 => number.and_then(value::parse_s64).map(|value| builder.push_s64(value)),
        // JSON has no infinity; a text may say `inf`.
        DataType::F64 => {
            let value = number.and_then(value::parse_f64).filter(|value| is_text || value.is_finite());
            value.map(|value| builder.push_f64(value))
        }
        DataType::F32 => {
            let value = number.and_then(value::parse_f32).filter(|value| is_text || value.is_finite());
            value.map(|value| builder.push_f32(value))
        }
        DataType::Bool => {
            let value = value::parse_bool(raw.as_bytes()).filter(|_| event.kind != Kind::Json);
            value.map(|value| builder.push_bool(value))
        }
        DataType::Timestamp if is_text => value::timestamp(raw.as_bytes()).map(|value| builder.push_s64(value)),
        DataType::Timestamp | DataType::Binary => None,
    };
    pushed.is_some()
}
