//! CSV into a table.
//!
//! `dialect` is what the user wrote, checked. `reader` cuts a file into rows (`scan` finds the marks, `block` holds the
//! cells), `header` names the columns, `files` makes one order of columns of many files, `batch` and `column` make
//! columns (`values`) of cells.

mod batch;
mod block;
mod column;
mod dialect;
mod files;
mod header;
mod reader;
mod scan;
mod values;

use wasmlops_sdk::prelude::*;

use crate::infer::Guess;
use crate::options::csv::Options;
use crate::problems::{Hints, Problems, Tolerance};
use crate::source::Sources;

use batch::BatchBuilder;
use column::Reading;
use dialect::{Dialect, Nulls};
use files::Files;

/// Reads all sources into one table: once for the types, if some are to be inferred, and once for the values.
///
/// Errors: `invalid-config` for options that do not fit together or the files; `invalid-input` for files that are no
/// CSV, with the place.
pub fn read(sources: &Sources, options: &Options, out: &mut TableWriter) -> Result<SourceReport> {
    let dialect = Dialect::parse(options)?;
    let nulls = Nulls::new(&options.nulls);
    let files = Files::new(sources, options, dialect)?;
    let declared = header::declared(options, &files.names, sources)?;
    let types = match declared.iter().copied().collect::<Option<Vec<DataType>>>() {
        Some(types) => types,
        None => inferred(&files, &declared, &nulls)?,
    };
    Task { files: &files, nulls: &nulls, options, types: &types }.write(out)
}

/// The type of each column; `declared` ones are not looked at. Bad rows have no say.
fn inferred(files: &Files, declared: &[Option<DataType>], nulls: &Nulls) -> Result<Vec<DataType>> {
    let mut guesses = vec![Guess::NEW; declared.len()];
    let mut unknown: Vec<usize> = (0..declared.len()).filter(|&column| declared[column].is_none()).collect();
    'files: for index in 0..files.sources.inputs.len() {
        let mut rows = files.rows(index)?;
        while let Some(block) = rows.next_block()? {
            unknown.retain(|&column| {
                column::narrow(&mut guesses[column], &block, files.place(index, column), nulls);
                !guesses[column].is_settled()
            });
            if unknown.is_empty() {
                break 'files;
            }
        }
    }
    let data_type = |(declared, guess): (&Option<DataType>, Guess)| declared.unwrap_or_else(|| guess.data_type());
    Ok(declared.iter().zip(guesses).map(data_type).collect())
}

/// The second pass.
struct Task<'a> {
    files: &'a Files<'a>,
    nulls: &'a Nulls,
    options: &'a Options,
    types: &'a [DataType],
}

impl Task<'_> {
    fn write(&self, out: &mut TableWriter) -> Result<SourceReport> {
        let (files, sources) = (self.files, self.files.sources);
        sources.start_over();
        let schema = self.schema()?;
        out.start(&schema)?;
        let hints = Hints {
            fail: "correct the lines, declare other types under `columns`, or set `bad_rows: skip`",
            skip: "correct the lines, or check `delimiter`, `quote` and `columns`",
        };
        let Options { bad_rows, max_bad_rows, .. } = *self.options;
        let mut problems = Problems::new(sources, Tolerance { bad_rows, max_bad_rows, hints });
        let reading = Reading { nulls: self.nulls, trim: self.options.trim };
        let mut batch = BatchBuilder::new(&schema, self.types.len(), reading);
        let mut rows = 0;
        let mut write = |batch: &mut BatchBuilder, problems: &Problems| {
            let batch = batch.take()?;
            rows += batch.num_rows as u64;
            if batch.num_rows > 0 && !problems.are_too_many() {
                out.write(batch)?;
            }
            sources.report_progress();
            Ok::<_, Error>(())
        };
        for (index, input) in sources.inputs.iter().enumerate() {
            let mut reader = files.rows(index)?;
            while let Some(block) = reader.next_block()? {
                problems.add(index, batch.add(&block, |column| files.place(index, column), input.name()));
                if batch.is_full() {
                    write(&mut batch, &problems)?;
                }
            }
        }
        write(&mut batch, &problems)?;
        problems.report(rows, "holds a header and no rows")
    }

    /// Errors: `invalid-config` at `file_column` for a name that is a column's already.
    fn schema(&self) -> Result<Schema> {
        let names = self.files.names.iter();
        let mut fields: Vec<Field> =
            names.zip(self.types).map(|(name, &data_type)| Field::new(name, data_type, true)).collect();
        if let Some(name) = &self.files.sources.file_column {
            fields.push(self.files.sources.file_field(name, &fields)?);
        }
        Ok(Schema::new(fields))
    }
}

#[cfg(test)]
mod malformed;
#[cfg(test)]
mod tests;
