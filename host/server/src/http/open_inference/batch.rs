//! From a request's tensors to a batch of the model's input columns.

use wasmlops_core::table::{Batch, DataType, Field, Schema};

use super::datatype::Datatype;
use super::request::{Request, Tensor};
use crate::http::codec::{ColumnBuffer, Precision, Problems, Refusal};

impl Request<'_> {
    /// The rows in the schema's column order.
    ///
    /// Errors: every input that is missing, unknown, given twice, or of another datatype, shape or range than the
    /// schema says; outputs that the model does not have.
    pub fn batch(&self, input: &Schema, output: &Schema) -> Result<Batch, Refusal> {
        let mut problems = Problems::default();
        for wanted in self.outputs.iter().flatten() {
            if output.index_of(&wanted.name).is_none() {
                problems.add(&wanted.name, None, "an output of the model", "no such output");
            }
        }
        let batch = match self.matrix(input) {
            Some(matrix) => from_matrix(matrix, input, &mut problems),
            None => self.gather(input, &mut problems),
        };
        problems.none_or_refuse()?;
        if batch.num_rows == 0 {
            return Err(Refusal::Malformed("the inputs have no rows".to_owned()));
        }
        Ok(batch)
    }

    /// The one tensor that stands for all columns.
    fn matrix(&self, input: &Schema) -> Option<&Tensor<'_>> {
        let [tensor] = &self.inputs[..] else { return None };
        let [_, width] = tensor.shape[..] else { return None };
        let numbers = |field: &Field| matches!(field.data_type, DataType::F64 | DataType::F32 | DataType::S64);
        let stands = width == input.fields.len()
            && width > 1
            && input.index_of(&tensor.name).is_none()
            && tensor.datatype.is_number()
            && input.fields.iter().all(numbers);
        stands.then_some(tensor)
    }

    fn gather(&self, input: &Schema, problems: &mut Problems) -> Batch {
        let mut by_column: Vec<Option<&Tensor<'_>>> = vec![None; input.fields.len()];
        let mut next = 0;
        for tensor in &self.inputs {
            let guess = input.fields.get(next).filter(|field| field.name == tensor.name).map(|_| next);
            match guess.or_else(|| input.index_of(&tensor.name)) {
                None => problems.add(&tensor.name, None, "an input of the model", "no such input"),
                Some(index) if by_column[index].is_some() => {
                    problems.add(&tensor.name, None, "one tensor", "two");
                }
                Some(index) => {
                    by_column[index] = Some(tensor);
                    next = index + 1;
                }
            }
        }
        let rows = by_column.iter().flatten().next().and_then(|tensor| tensor.shape.first()).copied();
        let rows = rows.unwrap_or_default();
        let mut columns = Vec::with_capacity(input.fields.len());
        for (field, tensor) in input.fields.iter().zip(by_column) {
            let datatype = Datatype::name_of(field.data_type);
            let Some(tensor) = tensor else {
                problems.add(&field.name, None, format!("an input of datatype {datatype} and shape [-1]"), "none");
                continue;
            };
            if let Err((expected, found)) = suits(tensor, field, rows) {
                problems.add(&field.name, None, expected, found);
                continue;
            }
            columns.push(column(tensor, field, (0, 1), rows, problems));
        }
        Batch { num_rows: rows as u64, columns }
    }
}

/// Errors: what was expected and what was found.
fn suits(tensor: &Tensor<'_>, field: &Field, rows: usize) -> Result<(), (String, String)> {
    let datatype = Datatype::name_of(field.data_type);
    if !tensor.datatype.suits(field.data_type) {
        return Err((format!("datatype {datatype}"), tensor.datatype.name().to_owned()));
    }
    match tensor.shape[..] {
        [count] | [count, 1] if count == rows => Ok(()),
        [_] | [_, 1] => Err((format!("{rows} rows, as in the first input"), format!("shape {:?}", tensor.shape))),
        _ => Err(("shape [-1] or [-1, 1]".to_owned(), format!("shape {:?}", tensor.shape))),
    }
}

fn from_matrix(tensor: &Tensor<'_>, input: &Schema, problems: &mut Problems) -> Batch {
    let (rows, width) = (tensor.shape[0], input.fields.len());
    let column = |(index, field)| column(tensor, field, (index, width), rows, problems);
    Batch { num_rows: rows as u64, columns: input.fields.iter().enumerate().map(column).collect() }
}

/// The elements at `first`, `first + stride`, … as a column.
fn column(
    tensor: &Tensor<'_>,
    field: &Field,
    (first, stride): (usize, usize),
    rows: usize,
    problems: &mut Problems,
) -> wasmlops_core::table::Column {
    let mut buffer = ColumnBuffer::new(field, rows);
    for row in 0..rows {
        let index = first + row * stride;
        let pushed = match tensor.cell(index) {
            Some(cell) => buffer.push(cell, Precision::Exact),
            None => Err(format!("{}, which is no {}", tensor.sent(index).describe(), tensor.datatype.name())),
        };
        if let Err(found) = pushed {
            problems.misfit(field, row as u64, found);
            break;
        }
    }
    buffer.finish()
}
