//! Predictions as an inference answer, JSON or with binary tensors behind it.

use wasmlops_core::table::{Batch, DataType, Field, Schema};

use super::datatype::Datatype;
use super::request::Request;
use crate::http::codec::{Cell, ColumnView, json, write_cell};

/// What was predicted, by whom.
pub struct Answered<'a> {
    pub model: &'a str,
    pub version: u64,
    pub id: &'a str,
    pub schema: &'a Schema,
    pub rows: &'a Batch,
}

/// The body of an answer.
#[derive(Debug)]
pub struct Answer {
    pub body: Vec<u8>,
    /// Bytes of JSON before the tensors; absent where all is JSON.
    pub json_length: Option<usize>,
}

impl Request<'_> {
    /// The outputs that were asked for, or all of them, in the order asked for.
    pub fn answer(&self, answered: &Answered<'_>) -> Answer {
        let mut out = Vec::with_capacity(256);
        let mut tensors = Vec::new();
        let mut binary = false;
        out.extend_from_slice(b"{\"model_name\":");
        json(&mut out, answered.model);
        out.extend_from_slice(b",\"model_version\":\"");
        json(&mut out, &answered.version);
        out.extend_from_slice(b"\",\"id\":");
        json(&mut out, answered.id);
        out.extend_from_slice(b",\"outputs\":[");
        for (index, (column, as_binary)) in self.wanted(answered.schema).into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let (Some(field), Some(values)) = (answered.schema.fields.get(column), answered.rows.columns.get(column))
            else {
                continue;
            };
            let output =
                Output { field, view: ColumnView::new(field.data_type, values), rows: answered.rows.num_rows as usize };
            binary |= as_binary;
            output.write(&mut out, as_binary.then_some(&mut tensors));
        }
        out.extend_from_slice(b"]}");
        let json_length = binary.then_some(out.len());
        out.append(&mut tensors);
        Answer { body: out, json_length }
    }

    /// Indexes of output columns, and whether each is wanted as a binary tensor.
    fn wanted(&self, schema: &Schema) -> Vec<(usize, bool)> {
        match self.outputs.as_deref() {
            None | Some([]) => (0..schema.fields.len()).map(|index| (index, self.binary)).collect(),
            Some(outputs) => outputs
                .iter()
                .filter_map(|wanted| Some((schema.index_of(&wanted.name)?, wanted.binary.unwrap_or(self.binary))))
                .collect(),
        }
    }
}

struct Output<'a> {
    field: &'a Field,
    view: ColumnView<'a>,
    rows: usize,
}

impl Output<'_> {
    fn write(&self, out: &mut Vec<u8>, tensors: Option<&mut Vec<u8>>) {
        out.extend_from_slice(b"{\"name\":");
        json(out, &self.field.name);
        out.extend_from_slice(b",\"datatype\":");
        json(out, Datatype::name_of(self.field.data_type));
        out.extend_from_slice(b",\"shape\":[");
        json(out, &self.rows);
        match tensors {
            Some(tensors) => {
                let start = tensors.len();
                (0..self.rows).for_each(|row| self.element(row, tensors));
                out.extend_from_slice(b"],\"parameters\":{\"binary_data_size\":");
                json(out, &(tensors.len() - start));
                out.extend_from_slice(b"}}");
            }
            None => {
                out.extend_from_slice(b"],\"data\":[");
                for row in 0..self.rows {
                    if row > 0 {
                        out.push(b',');
                    }
                    match self.field.data_type {
                        // INT64, as the datatype says.
                        DataType::Timestamp => write_cell(self.view.cell(row), out),
                        _ => self.view.write_json(row, out),
                    }
                }
                out.extend_from_slice(b"]}");
            }
        }
    }

    /// Null has no form of its own here: it is NaN, zero, or no bytes.
    fn element(&self, row: usize, out: &mut Vec<u8>) {
        let cell = self.view.cell(row);
        match self.field.data_type {
            DataType::Bool => out.push(u8::from(cell == Cell::Bool(true))),
            DataType::S64 | DataType::Timestamp => {
                let value = if let Cell::Int(value) = cell { value } else { 0 };
                out.extend_from_slice(&value.to_le_bytes());
            }
            DataType::F64 => out.extend_from_slice(&float(cell).to_le_bytes()),
            DataType::F32 => out.extend_from_slice(&(float(cell) as f32).to_le_bytes()),
            DataType::Utf8 | DataType::Binary | DataType::Categorical => {
                let bytes = match cell {
                    Cell::Text(text) => text.as_bytes(),
                    Cell::Bytes(bytes) => bytes,
                    _ => &[],
                };
                out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                out.extend_from_slice(bytes);
            }
        }
    }
}

fn float(cell: Cell<'_>) -> f64 {
    if let Cell::Float(value) = cell { value } else { f64::NAN }
}
