//! What a model can be trained on anew: rows that were answered and have a label since.

use wasmlops_core::artifact::ModelDocument;
use wasmlops_core::table::{Batch, Column, DataType, Field, Table, TableBuilder};

use super::columns;
use super::pieces::{LABEL, feature_name};
use super::window::WindowData;
use crate::error::{Error, Result};

/// The raw input columns of a model, its target from the labels, as a table to train on: the labelled rows alone, in
/// their order. A row that has null where the model's input takes none is left out.
///
/// # Errors
/// The user's, if the model has no target, or the window lacks a column of its input.
pub fn training_table(window: &WindowData, document: &ModelDocument) -> Result<Table> {
    let Some(target) = &document.target else {
        let hint = "train it with a `target`, so that labels can be joined";
        return Err(Error::user("no-target", "the model does not say which column it predicts", hint));
    };
    let fields = &document.input.fields;
    let from: Vec<usize> = fields.iter().map(|field| place(window, document, field, target)).collect::<Result<_>>()?;
    let label = window.table.schema().index_of(LABEL).ok_or_else(|| Error::bug("a window has no column of labels"))?;
    let mut required: Vec<usize> =
        fields.iter().zip(&from).filter(|(field, _)| !field.nullable).map(|(_, column)| *column).collect();
    required.push(label);
    let mut builder = TableBuilder::new(document.input.clone());
    for run in usable(&window.table, &required).chunk_by(|one, next| one + 1 == *next) {
        let push = |batch: Batch| {
            let columns: Vec<Column> = from.iter().map(|column| batch.columns[*column].clone()).collect();
            builder.push(Batch { num_rows: batch.num_rows, columns })
        };
        columns::ranges(&window.table, run[0], run.len() as u64, push).map_err(Error::bug)?;
    }
    builder.finish().map_err(Error::bug)
}

/// The column of the window that becomes this one of the training rows.
fn place(window: &WindowData, document: &ModelDocument, field: &Field, target: &str) -> Result<usize> {
    let schema = window.table.schema();
    let is_output = |name: &str| document.output.index_of(name).is_some();
    let name = if field.name == target { LABEL.to_owned() } else { feature_name(&field.name, is_output) };
    let fits = |found: DataType| found == field.data_type;
    match schema.index_of(&name) {
        Some(index) if fits(schema.fields[index].data_type) => Ok(index),
        Some(index) => {
            let (found, expected) = (schema.fields[index].data_type, field.data_type);
            let message =
                format!("column `{name}` of the window is {found}, and the model's `{}` {expected}", field.name);
            Err(Error::user("invalid-input", message, "take a window in which this model answered"))
        }
        None => {
            let message = format!("the window has no column `{name}`, which the model is trained on");
            Err(Error::user("invalid-input", message, "take a window in which this model answered"))
        }
    }
}

/// The rows that have something in each of these columns.
fn usable(table: &Table, columns: &[usize]) -> Vec<u64> {
    let mut rows = Vec::new();
    let mut start = 0;
    for chunk in table.record_batches() {
        let is_there = |row: usize| columns.iter().all(|column| !chunk.column(*column).is_null(row));
        rows.extend((0..chunk.num_rows()).filter(|row| is_there(*row)).map(|row| start + row as u64));
        start += chunk.num_rows() as u64;
    }
    rows
}
