//! The body of a prediction: `{"rows": [{"column": value, …}, …]}`, or lists of values with `"columns"` beside them.
//!
//! One pass from bytes to column buffers, with no tree of values between. A value that does not fit stops nothing: the
//! pass goes on to its end, so that one answer names every column that is wrong.

mod visit;

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use wasmlops_core::table::{Batch, Schema};

use super::problems::{Problems, Refusal, expectation};
use super::{Cell, ColumnBuffer, MAX_CELLS, Precision};

/// What a client asked for.
#[derive(Debug, PartialEq)]
pub struct RowsRequest {
    /// The client's own id for it.
    pub id: Option<String>,
    pub batch: Batch,
}

/// Reads the body of a prediction against the columns that the model takes. Every row has every column: one that may be
/// null says so, since a column that is left out is more often forgotten than unknown.
///
/// Errors: no JSON, another shape, no rows, too many values; otherwise every column that is wrong.
pub fn decode(body: &[u8], schema: &Schema) -> Result<RowsRequest, Refusal> {
    match decode_with(body, schema, None) {
        Err(Stop::ColumnsComeLater) => match positions(body)? {
            Some(columns) => decode_with(body, schema, Some(columns)).map_err(Stop::into_refusal),
            None => Err(Stop::ColumnsComeLater.into_refusal()),
        },
        other => other.map_err(Stop::into_refusal),
    }
}

/// Why a pass ended before its time.
enum Stop {
    Refused(Refusal),
    /// Rows are lists, and what their values belong to has not been said so far.
    ColumnsComeLater,
}

impl Stop {
    fn into_refusal(self) -> Refusal {
        match self {
            Stop::Refused(refusal) => refusal,
            Stop::ColumnsComeLater => {
                Refusal::Malformed("rows that are lists need `columns`, the list of their names".to_owned())
            }
        }
    }
}

fn decode_with(body: &[u8], schema: &Schema, columns: Option<Vec<String>>) -> Result<RowsRequest, Stop> {
    let mut decoder = Decoder::new(schema);
    if let Some(columns) = columns {
        decoder.set_positions(&columns).map_err(|text| Stop::Refused(Refusal::Malformed(text)))?;
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = visit::Document(&mut decoder).deserialize(&mut json).and_then(|()| json.end());
    if let Some(stop) = decoder.stop.take() {
        return Err(stop);
    }
    read.map_err(|error| Stop::Refused(Refusal::Malformed(error.to_string())))?;
    decoder.finish().map_err(Stop::Refused)
}

/// The `columns` of a document whose rows come first.
fn positions(body: &[u8]) -> Result<Option<Vec<String>>, Refusal> {
    #[derive(Deserialize)]
    struct Positions {
        columns: Option<Vec<String>>,
    }
    let found: Positions = serde_json::from_slice(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    Ok(found.columns)
}

/// The columns as they fill.
struct Decoder<'s> {
    schema: &'s Schema,
    columns: Vec<ColumnBuffer>,
    /// For each column the last row that gave it a value, counted from 1.
    given: Vec<usize>,
    rows: usize,
    id: Option<String>,
    /// For rows that are lists: which column each place belongs to.
    positions: Option<Vec<Option<usize>>>,
    /// Made when names do not come in the schema's order.
    by_name: Option<HashMap<&'s str, usize>>,
    /// The column that most probably comes next.
    next: usize,
    problems: Problems,
    stop: Option<Stop>,
}

impl<'s> Decoder<'s> {
    fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            columns: schema.fields.iter().map(|field| ColumnBuffer::new(field, 1)).collect(),
            given: vec![0; schema.fields.len()],
            rows: 0,
            id: None,
            positions: None,
            by_name: None,
            next: 0,
            problems: Problems::default(),
            stop: None,
        }
    }

    /// The column of that name. Clients mostly keep to one order, so that a guess is mostly right.
    fn column(&mut self, name: &str) -> Option<usize> {
        let fields = &self.schema.fields;
        let index = match fields.get(self.next) {
            Some(field) if field.name == name => Some(self.next),
            _ => {
                let by_name = self.by_name.get_or_insert_with(|| {
                    fields.iter().enumerate().map(|(index, field)| (field.name.as_str(), index)).collect()
                });
                by_name.get(name).copied()
            }
        };
        if let Some(index) = index {
            self.next = index + 1;
        } else {
            self.problems.add(name, Some(self.rows as u64), "no such column", "a value");
        }
        index
    }

    fn set_positions(&mut self, names: &[String]) -> Result<(), String> {
        let mut taken = vec![false; self.schema.fields.len()];
        let mut positions = Vec::with_capacity(names.len());
        for name in names {
            let index = self.schema.index_of(name);
            match index {
                Some(index) if std::mem::replace(&mut taken[index], true) => {
                    return Err(format!("`columns` names {} twice", super::cell::quoted(name)));
                }
                Some(_) => {}
                None => self.problems.add(name, None, "no such column", "values"),
            }
            positions.push(index);
        }
        self.positions = Some(positions);
        Ok(())
    }

    /// A value of the row that is being read.
    fn put(&mut self, index: usize, cell: Cell<'_>) {
        let (row, field) = (self.rows, &self.schema.fields[index]);
        if std::mem::replace(&mut self.given[index], row + 1) == row + 1 {
            self.problems.misfit(field, row as u64, "two values".to_owned());
        } else if let Err(found) = self.columns[index].push(cell, Precision::Decimal) {
            self.problems.misfit(field, row as u64, found);
        }
    }

    fn end_row(&mut self) -> Result<(), String> {
        let row = self.rows;
        for (index, given) in self.given.iter().enumerate() {
            if *given == row + 1 {
                continue;
            }
            let field = &self.schema.fields[index];
            self.problems.add(&field.name, Some(row as u64), expectation(field), "nothing");
        }
        self.rows += 1;
        self.next = 0;
        if self.rows.saturating_mul(self.columns.len().max(1)) > MAX_CELLS {
            self.stop = Some(Stop::Refused(Refusal::TooManyCells));
            return Err("too many values".to_owned());
        }
        Ok(())
    }

    fn finish(self) -> Result<RowsRequest, Refusal> {
        self.problems.none_or_refuse()?;
        if self.rows == 0 {
            return Err(Refusal::Malformed("`rows` is missing or empty; give at least one row".to_owned()));
        }
        let columns = self.columns.into_iter().map(ColumnBuffer::finish).collect();
        Ok(RowsRequest { id: self.id, batch: Batch { num_rows: self.rows as u64, columns } })
    }
}
