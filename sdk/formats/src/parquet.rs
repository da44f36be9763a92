//! Parquet into a table.
//!
//! Own decoding of what tables need, instead of the `parquet` crate's: a guest cannot catch a panic, so no damaged file
//! may cause one; that crate alone makes a component of 3.8 MB after four minutes of building; and its zstd is C.
//!
//! Data go one way: `ranges` (bytes by place) → `metadata` (the footer, checked; `thrift` is how it is written) →
//! `schema` (columns and what their values mean; `arrow_schema` knows the categories) → `selection` (which of them) →
//! `column` (a cursor on the pages of one column) → `output` (a column of the table). A cursor uses `page` and `codec`
//! (pages without compression), `hybrid` (levels and indexes) and `values` with `delta` (the encodings).
//!
//! Memory: a page and a dictionary for each column that is read, and a batch.

mod arrow_schema;
mod codec;
mod column;
mod delta;
mod fault;
mod hybrid;
mod metadata;
mod output;
mod page;
mod ranges;
mod schema;
mod selection;
mod thrift;
mod values;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use wasmlops_sdk::BATCH_ROWS;
use wasmlops_sdk::prelude::*;

use crate::options::parquet::Options;
use crate::source::{Input, Sources};

use column::Cursor;
use fault::{Decoded, Fault};
use metadata::{Metadata, RowGroup};
use output::Output;
use ranges::{Ranges, Seekable};
use schema::{Leaf, Meaning};
use selection::Selection;

/// Rows of one column that are decoded before the next column's.
const STEP_ROWS: usize = 1024;

/// The contract advises batches of up to 2 MiB.
const BATCH_BYTES: usize = 2 << 20;

/// Reads all sources, row group by row group, into one table.
///
/// Errors: `invalid-config` at `columns` or `categories` for names that the file does not have; `invalid-input` for
/// damaged files, with row group and column, and for columns that a table cannot hold; `exhausted` for files that ask
/// for too much memory.
pub fn read(sources: &Sources, options: &Options, out: &mut TableWriter) -> Result<SourceReport> {
    let mut report = Report::default();
    let (first, others) = sources.inputs.split_first().ok_or_else(|| Error::internal("there is nothing to read"))?;
    let file = File::open(first)?;
    let mut selection = Selection::new(&file.leaves, &file.dictionaries, options, first)?;
    if sources.are_many() {
        // Another file may have nulls where this one promises none.
        selection.fields.iter_mut().for_each(|field| field.nullable = true);
    }
    let mut writer = Writer::start(sources, &selection, out)?;
    file.read(&selection, &mut writer, &mut report)?;
    for input in others {
        let file = File::open(input)?;
        let other = Selection::new(&file.leaves, &file.dictionaries, options, input)?;
        other.check_same(&selection, input, first.name())?;
        writer.begin_file(input.name(), &other)?;
        file.read(&other, &mut writer, &mut report)?;
    }
    writer.flush()?;
    report.rows = writer.rows;
    sources.report_progress();
    if report.rows == 0 {
        return Err(sources.wrong("holds no rows"));
    }
    let notes = report.notes.into_iter().take(100).map(|message| Note { line: None, message }).collect();
    Ok(SourceReport { rows: report.rows, bad_rows: 0, notes })
}

#[derive(Default)]
struct Report {
    rows: u64,
    notes: BTreeSet<String>,
}

/// A file whose footer was read.
struct File<'a, R> {
    input: &'a Input,
    ranges: R,
    metadata: Metadata,
    leaves: Vec<Leaf>,
    dictionaries: Vec<String>,
}

impl<'a> File<'a, ()> {
    fn open(input: &'a Input) -> Result<File<'a, impl Ranges + use<'a>>> {
        let opened = input.open()?;
        let open = || {
            let ranges = Seekable::new(opened, |error| input.unreadable(error))?;
            let metadata = metadata::read(&ranges)?;
            let leaves = schema::leaves(&metadata)?;
            let dictionaries = metadata.arrow_schema.as_deref().map(arrow_schema::dictionaries).unwrap_or_default();
            Ok(File { input, ranges, metadata, leaves, dictionaries })
        };
        open().map_err(|fault: Fault| fault.into_error(input))
    }
}

impl<R: Ranges> File<'_, R> {
    fn read(&self, selection: &Selection, writer: &mut Writer<'_>, report: &mut Report) -> Result<()> {
        for (number, group) in self.metadata.row_groups.iter().enumerate() {
            if group.num_rows == 0 {
                continue;
            }
            let read = self.read_group(group, selection, writer);
            read.map_err(|fault| fault.within(&format!("row group {number}")).into_error(self.input))?;
        }
        for (place, &(leaf, _)) in selection.leaves.iter().enumerate() {
            let leaf = &self.leaves[leaf];
            let cut = writer.outputs[place].has_cut.then_some("fractions beyond the microsecond are cut");
            let notes = [leaf.note, cut].into_iter().flatten();
            report.notes.extend(notes.map(|note| format!("column `{}`: {note}", leaf.name)));
        }
        Ok(())
    }

    fn read_group(&self, group: &RowGroup, selection: &Selection, writer: &mut Writer<'_>) -> Decoded<()> {
        let total = Rc::new(Cell::new(0));
        let mut cursors = Vec::with_capacity(selection.leaves.len());
        for &(index, meaning) in &selection.leaves {
            let (leaf, chunk) = (&self.leaves[index], &group.chunks[index]);
            let within = |fault: Fault| fault.within(&format!("column `{}`", leaf.name));
            codec::check(chunk.codec).map_err(within)?;
            if chunk.physical != leaf.code {
                return Err(within(Fault::Broken("its type is not the schema's".to_owned())));
            }
            if chunk.num_values != group.num_rows {
                let what = format!("it has {} values, and the row group has {} rows", chunk.num_values, group.num_rows);
                return Err(within(Fault::Broken(what)));
            }
            cursors.push(Cursor::new(&self.ranges, chunk, leaf, meaning, &total));
        }
        writer.outputs.iter_mut().for_each(Output::forget_dictionary);
        let mut left = group.num_rows;
        while left > 0 {
            let rows = left.min(writer.room() as u64) as usize;
            for ((cursor, output), &(index, _)) in cursors.iter_mut().zip(&mut writer.outputs).zip(&selection.leaves) {
                let name = &self.leaves[index].name;
                cursor.append(rows, output).map_err(|fault| fault.within(&format!("column `{name}`")))?;
            }
            left -= rows as u64;
            writer.appended(rows).map_err(Fault::Source)?;
        }
        for (cursor, &(index, _)) in cursors.iter().zip(&selection.leaves) {
            cursor.finish().map_err(|fault| fault.within(&format!("column `{}`", self.leaves[index].name)))?;
        }
        Ok(())
    }
}

/// Gathers batches and writes them.
struct Writer<'a> {
    out: &'a mut TableWriter,
    sources: &'a Sources,
    meanings: Vec<Meaning>,
    outputs: Vec<Output>,
    file_name: &'a str,
    /// The column of file names, where one is asked for.
    files: Option<ColumnBuilder>,
    in_batch: usize,
    rows: u64,
}

impl<'a> Writer<'a> {
    fn start(sources: &'a Sources, selection: &Selection, out: &'a mut TableWriter) -> Result<Self> {
        let mut fields = selection.fields.clone();
        if let Some(name) = &sources.file_column {
            fields.push(sources.file_field(name, &fields)?);
        }
        out.start(&Schema::new(fields))?;
        Ok(Self {
            out,
            sources,
            meanings: selection.meanings(),
            outputs: selection.meanings().into_iter().map(Output::new).collect(),
            file_name: sources.inputs[0].name(),
            files: sources.file_column.as_ref().map(|_| ColumnBuilder::new(DataType::Categorical)),
            in_batch: 0,
            rows: 0,
        })
    }

    /// The next rows are from another file, whose values may lie otherwise.
    fn begin_file(&mut self, name: &'a str, selection: &Selection) -> Result<()> {
        self.file_name = name;
        if self.meanings != selection.meanings() {
            self.flush()?;
            self.meanings = selection.meanings();
            self.outputs = selection.meanings().into_iter().map(Output::new).collect();
        }
        Ok(())
    }

    /// Rows to append next.
    fn room(&self) -> usize {
        STEP_ROWS.min(BATCH_ROWS - self.in_batch)
    }

    /// `rows` rows are in the outputs.
    fn appended(&mut self, rows: usize) -> Result<()> {
        if let Some(files) = &mut self.files {
            (0..rows).for_each(|_| files.push_text(self.file_name));
        }
        self.in_batch += rows;
        let bytes: usize = self.outputs.iter().map(Output::bytes).sum();
        if self.in_batch >= BATCH_ROWS || bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.in_batch == 0 {
            return Ok(());
        }
        let mut columns = self.outputs.iter_mut().map(Output::take).collect::<Result<Vec<_>>>()?;
        if let Some(files) = &mut self.files {
            columns.push(std::mem::replace(files, ColumnBuilder::new(DataType::Categorical)).finish());
        }
        self.rows += self.in_batch as u64;
        self.out.write(Batch { num_rows: std::mem::take(&mut self.in_batch), columns })?;
        self.sources.report_progress();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
