//! Gathered rows as one table.

use std::collections::BTreeMap;

use serde_json::Value;
use wasmlops_core::table::{Batch, Column, DataType, Field, Schema, TableBuilder};

use super::WindowData;
use super::gather::{Gathered, GatheredRow};
use crate::error::{Error, Result};
use crate::inference::columns::{self, field, nulls};
use crate::inference::pieces::{LABEL, Piece};
use crate::labels;

/// The columns of the host that a window shows.
const SHOWN: [(&str, DataType); 5] = [
    ("_id", DataType::Utf8),
    ("_time", DataType::Timestamp),
    ("_version", DataType::S64),
    ("_latency_ms", DataType::F64),
    ("_error", DataType::Utf8),
];

/// `labels` by id.
pub(super) fn assemble(gathered: &Gathered, labels: &BTreeMap<String, Value>) -> Result<WindowData> {
    let newest_first = by_age(gathered);
    let label = label_type(&newest_first, labels);
    let schema = schema(&newest_first, label)?;
    let label_at = schema.index_of(LABEL).expect("the schema has a column of labels");
    let sources: Vec<Vec<Option<usize>>> = gathered.pieces.iter().map(|piece| sources(piece, &schema)).collect();
    let mut builder = TableBuilder::new(schema.clone());
    let mut labelled = 0;
    let follows = |one: &GatheredRow, next: &GatheredRow| one.piece == next.piece && one.row + 1 == next.row;
    for run in gathered.rows.chunk_by(follows) {
        let (table, from) = (&gathered.pieces[run[0].piece].table, &sources[run[0].piece]);
        let mut rows = run.iter();
        let push = |batch: Batch| {
            let num_rows = batch.num_rows;
            let ids = rows.by_ref().take(num_rows as usize).map(|row| &row.index.id);
            let cells: Vec<Option<Value>> =
                ids.map(|id| labels.get(id).and_then(|value| labels::normal(value, label))).collect();
            labelled += cells.iter().flatten().count() as u64;
            let mut columns = united(batch, from, &schema);
            columns[label_at] = columns::of_json(label, &cells);
            builder.push(Batch { num_rows, columns })
        };
        columns::ranges(table, run[0].row, run.len() as u64, push).map_err(Error::bug)?;
    }
    let times = || gathered.rows.iter().map(|row| row.index.time);
    Ok(WindowData {
        table: builder.finish().map_err(Error::bug)?,
        rows: gathered.rows.len() as u64,
        labelled,
        from_seq: gathered.rows.first().map_or(0, |row| row.index.seq as i64),
        to_seq: gathered.rows.last().map_or(0, |row| row.index.seq as i64 + 1),
        first_time: times().min().unwrap_or_default(),
        last_time: times().max().unwrap_or_default(),
        versions: versions(&gathered.rows),
    })
}

/// The pieces, the one with the newest row first.
fn by_age(gathered: &Gathered) -> Vec<&Piece> {
    let mut newest = vec![0; gathered.pieces.len()];
    gathered.rows.iter().for_each(|row| newest[row.piece] = row.index.seq);
    let mut pieces: Vec<(u64, &Piece)> = newest.into_iter().zip(&gathered.pieces).collect();
    pieces.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    pieces.into_iter().map(|(_, piece)| piece).collect()
}

/// As the newest model that says what it predicts; else as its `prediction`; else as the labels are.
fn label_type(newest_first: &[&Piece], labels: &BTreeMap<String, Value>) -> DataType {
    let target = newest_first.iter().find_map(|piece| piece.target.as_ref());
    let prediction = || newest_first.iter().find_map(|piece| prediction(piece));
    let known = target.map(|target| target.data_type).or_else(|| prediction().map(|field| field.data_type));
    known.unwrap_or_else(|| labels::type_of(labels.values()))
}

fn prediction(piece: &Piece) -> Option<&Field> {
    let index = piece.table.schema().index_of("prediction")?;
    piece.is_prediction(index).then(|| &piece.table.schema().fields[index])
}

fn schema(newest_first: &[&Piece], label: DataType) -> Result<Schema> {
    let mut fields: Vec<Field> = Vec::new();
    let mut add = |new: &Field| {
        if !fields.iter().any(|known| known.name == new.name) {
            fields.push(new.clone());
        }
    };
    for piece in newest_first {
        piece.table.schema().fields[..piece.features].iter().for_each(&mut add);
    }
    for piece in newest_first {
        let fields = piece.table.schema().fields.iter().enumerate();
        fields.filter(|(index, _)| piece.is_prediction(*index)).for_each(|(_, field)| add(field));
    }
    fields.push(field(LABEL, label, true));
    fields.extend(SHOWN.iter().map(|(name, data_type)| field(name, *data_type, *name == "_error")));
    Schema::new(fields).map_err(Error::bug)
}

/// Where each column of the window is in a piece.
fn sources(piece: &Piece, schema: &Schema) -> Vec<Option<usize>> {
    let there = &piece.table.schema().fields;
    let same =
        |field: &Field| there.iter().position(|known| known.name == field.name && known.data_type == field.data_type);
    schema.fields.iter().map(same).collect()
}

fn united(mut batch: Batch, sources: &[Option<usize>], schema: &Schema) -> Vec<Column> {
    let rows = batch.num_rows;
    let column = |(source, field): (&Option<usize>, &Field)| match source {
        Some(index) => std::mem::take(&mut batch.columns[*index]),
        None => nulls(field.data_type, rows),
    };
    sources.iter().zip(&schema.fields).map(column).collect()
}

/// By last appearance.
fn versions(rows: &[GatheredRow]) -> Vec<u64> {
    let mut versions = Vec::new();
    for row in rows.iter().rev() {
        if !versions.contains(&row.index.version) {
            versions.push(row.index.version);
        }
    }
    versions.reverse();
    versions
}
