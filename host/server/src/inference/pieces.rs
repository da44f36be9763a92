//! Rows of the log as tables: one for each set of columns. The same for journals and for what is sealed.
//!
//! Features come first, then predictions, then what the host knows of each row. A feature that has a name of the others
//! is called `features.<name>`.

mod block;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use wasmlops_core::run::Micros;
use wasmlops_core::table::{Batch, Column, DataType, Field, Schema, Table, TableBuilder, TableError};

use super::Source;
use super::codec::BatchView;
use super::columns::{categories, f64s, field, nulls, s64s, texts};
use super::journal::{Journal, JournalRecord};
use crate::error::{Error, Result};
use block::Block;

/// The columns that the host adds, in this order.
const META: [(&str, DataType); 8] = [
    ("_id", DataType::Utf8),
    ("_seq", DataType::S64),
    ("_time", DataType::Timestamp),
    ("_version", DataType::S64),
    ("_latency_ms", DataType::F64),
    ("_error", DataType::Utf8),
    ("_model", DataType::Categorical),
    ("_release", DataType::Categorical),
];

/// The column of labels in a window.
pub(crate) const LABEL: &str = "label";

/// The error of a row whose batches do not fit their schema, which is a bug of whoever wrote it. The row is kept
/// without them.
const UNREADABLE: &str = "unreadable-record";

/// Some rows of the log with the same columns.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub table: Table,
    /// How many of the first columns are features.
    pub features: usize,
    /// The field that the model predicts.
    pub target: Option<Field>,
}

/// What a row is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RowIndex {
    pub id: String,
    pub seq: u64,
    pub time: Micros,
    pub version: u64,
}

impl Piece {
    /// All rows, in their order.
    pub fn index(&self) -> Vec<RowIndex> {
        let column = |name: &str| self.table.schema().index_of(name).expect("the host adds it to each piece");
        let (id, seq, time, version) = (column("_id"), column("_seq"), column("_time"), column("_version"));
        let mut rows = Vec::with_capacity(self.table.num_rows() as usize);
        for chunk in self.table.record_batches() {
            let ids = chunk.column(id).as_string::<i32>();
            let seqs = chunk.column(seq).as_primitive::<Int64Type>();
            let times = chunk.column(time).as_primitive::<TimestampMicrosecondType>();
            let versions = chunk.column(version).as_primitive::<Int64Type>();
            rows.extend((0..chunk.num_rows()).map(|row| RowIndex {
                id: ids.value(row).to_owned(),
                seq: seqs.value(row) as u64,
                time: times.value(row),
                version: versions.value(row) as u64,
            }));
        }
        rows
    }

    /// A table that was sealed.
    pub fn of_segment(bytes: Vec<u8>, features: usize, target: Option<&str>) -> Result<Self> {
        let table = Table::from_ipc(bytes).map_err(|error| Error::Host(format!("a segment is damaged: {error}")))?;
        if META.iter().any(|(name, _)| table.schema().index_of(name).is_none()) {
            return Err(Error::Host("a segment lacks the columns of the host".to_owned()));
        }
        let target = target.map(serde_json::from_str).transpose().map_err(Error::bug)?;
        Ok(Self { table, features, target })
    }

    /// Whether a column holds predictions.
    pub fn is_prediction(&self, column: usize) -> bool {
        (self.features..self.table.schema().fields.len() - META.len()).contains(&column)
    }
}

/// What a feature is called where the log has it.
pub(crate) fn feature_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let reserved = name == LABEL || META.iter().any(|(known, _)| *known == name);
    if reserved || is_taken(name) { format!("features.{name}") } else { name.to_owned() }
}

/// The rows of a journal, in pieces in the order in which their columns first appear.
pub(crate) fn of_journal(journal: &Journal) -> Result<Vec<Piece>> {
    let mut drafts: Vec<Draft> = Vec::new();
    for record in journal.records.iter().filter(|record| record.rows > 0) {
        let source = &journal.sources[record.source];
        let known = drafts.iter().position(|draft| draft.takes(source));
        let index = match known {
            Some(index) => index,
            None => {
                drafts.push(Draft::new(journal, source.clone())?);
                drafts.len() - 1
            }
        };
        drafts[index].push(record)?;
    }
    drafts.into_iter().map(Draft::finish).collect()
}

/// Rows that become a batch together: what a batch costs by itself is then little.
const BLOCK_ROWS: u64 = 1024;

/// A piece that is being made.
struct Draft<'j> {
    journal: &'j Journal,
    /// One of those that have these columns.
    like: Arc<Source>,
    builder: TableBuilder,
    /// Features and predictions of `pending`.
    block: Block,
    pending: Vec<&'j JournalRecord>,
}

impl<'j> Draft<'j> {
    fn new(journal: &'j Journal, like: Arc<Source>) -> Result<Self> {
        let schema = schema(&like).map_err(|error| Error::Host(format!("the log holds no table: {error}")))?;
        let own = schema.fields.len() - META.len();
        let block = Block::new(schema.fields[..own].iter().map(|field| field.data_type));
        Ok(Self { journal, like, builder: TableBuilder::new(schema), block, pending: Vec::new() })
    }

    fn takes(&self, source: &Arc<Source>) -> bool {
        let (like, other) = (&self.like, source);
        Arc::ptr_eq(like, other)
            || (like.input == other.input && like.output == other.output && like.target == other.target)
    }

    fn push(&mut self, record: &'j JournalRecord) -> Result<()> {
        if !self.joins(record) {
            self.flush()?;
            return self.push_alone(record);
        }
        self.pending.push(record);
        if self.block.rows() >= BLOCK_ROWS { self.flush() } else { Ok(()) }
    }

    /// Lays the record's rows behind those of the block, if it is as whole records are.
    fn joins(&mut self, record: &JournalRecord) -> bool {
        let Some((features, predictions)) = self.journal.batches(record) else { return false };
        let outputs = self.like.output.fields.len();
        let whole = |batch: &BatchView, columns: usize| batch.num_rows == record.rows && batch.columns.len() == columns;
        if !whole(&features, self.like.input.fields.len())
            || predictions.as_ref().is_some_and(|batch| !whole(batch, outputs))
        {
            return false;
        }
        let predicted = predictions.map_or_else(Vec::new, |batch| batch.columns);
        let missing = outputs - predicted.len();
        let columns = features.columns.iter().chain(&predicted).map(Some).chain(std::iter::repeat_n(None, missing));
        self.block.append(record.rows, columns)
    }

    fn flush(&mut self) -> Result<()> {
        let records = std::mem::take(&mut self.pending);
        if records.is_empty() {
            return Ok(());
        }
        let (num_rows, mut columns) = self.block.take();
        columns.extend(meta(self.journal, &records, None));
        if self.builder.push(Batch { num_rows, columns }).is_ok() {
            return Ok(());
        }
        // One of them is to blame; the others are as good as ever.
        records.into_iter().try_for_each(|record| self.push_alone(record))
    }

    fn push_alone(&mut self, record: &JournalRecord) -> Result<()> {
        let num_rows = record.rows;
        let nothing = |schema: &Schema| -> Vec<Column> {
            schema.fields.iter().map(|field| nulls(field.data_type, num_rows)).collect()
        };
        if let Some((features, predictions)) = self.journal.batches(record) {
            let mut columns: Vec<Column> = features.to_columns().collect();
            match predictions {
                Some(predictions) => columns.extend(predictions.to_columns()),
                None => columns.extend(nothing(&self.like.output)),
            }
            columns.extend(meta(self.journal, &[record], None));
            let Err(error) = self.builder.push(Batch { num_rows, columns }) else { return Ok(()) };
            tracing::error!(id = record.id, %error, "a logged record does not fit its schema");
        }
        let mut columns = nothing(&self.like.input);
        columns.extend(nothing(&self.like.output));
        columns.extend(meta(self.journal, &[record], Some(UNREADABLE)));
        self.builder.push(Batch { num_rows, columns }).map_err(Error::bug)
    }

    fn finish(mut self) -> Result<Piece> {
        self.flush()?;
        Ok(Piece {
            table: self.builder.finish().map_err(Error::bug)?,
            features: self.like.input.fields.len(),
            target: self.like.target.clone(),
        })
    }
}

/// Everything but the host's own columns may be null: a failed request has no predictions, and windows unite versions
/// with different columns.
pub(super) fn schema(source: &Source) -> Result<Schema, TableError> {
    let is_output = |name: &str| source.output.index_of(name).is_some();
    let features = source.input.fields.iter();
    let mut fields: Vec<Field> =
        features.map(|known| field(&feature_name(&known.name, is_output), known.data_type, true)).collect();
    fields.extend(source.output.fields.iter().map(|known| field(&known.name, known.data_type, true)));
    fields.extend(META.iter().map(|(name, data_type)| field(name, *data_type, *name == "_error")));
    Schema::new(fields)
}

/// The columns of [`META`]. `error` stands instead of the records' own.
fn meta(journal: &Journal, records: &[&JournalRecord], error: Option<&str>) -> [Column; 8] {
    let ids: Vec<String> = records.iter().flat_map(|record| record.ids()).collect();
    let rows = || records.iter().flat_map(|record| (0..record.rows).map(move |row| (*record, row)));
    let source = |record: &JournalRecord| &journal.sources[record.source];
    [
        texts(ids.iter().map(|id| Some(id.as_str()))),
        s64s(rows().map(|(record, row)| (record.seq + row) as i64)),
        s64s(rows().map(|(record, _)| record.time)),
        s64s(rows().map(|(record, _)| source(record).version as i64)),
        f64s(rows().map(|(record, _)| record.latency_us as f64 / 1e3)),
        texts(rows().map(|(record, _)| error.or(record.error.as_deref()))),
        categories(rows().map(|(record, _)| Some(source(record).model.as_str()))),
        categories(rows().map(|(record, _)| Some(source(record).release.as_str()))),
    ]
}
