//! JSON into a table: one object a line, or an array of objects.
//!
//! `records` cuts a file into objects, `parse` checks one and gives its values as events (`keys` knows what every key
//! is, `text` what texts and numbers are), `discovery` finds the columns and their types (a pass of its own), `rows`
//! makes columns of events.

mod discovery;
mod keys;
mod parse;
mod records;
mod rows;
mod text;

use wasmlops_sdk::prelude::*;

use crate::compress::Content;
use crate::options::json::{Arrays, Options, Undeclared};
use crate::problems::{BadRow, Hints, Problems, Tolerance};
use crate::source::{Sources, Stream};

use discovery::Columns;
use keys::Keys;
use parse::{Event, Problem, Rules, Unknown};
use records::{Record, Records};
use rows::Rows;

/// Reads all sources into one table: once for the columns and their types, unless all are declared, and once for the
/// values.
///
/// Errors: `invalid-config` for options that do not fit together; `invalid-input` for files that are no JSON, with the
/// place.
pub fn read(sources: &Sources, options: &Options, out: &mut TableWriter) -> Result<SourceReport> {
    if options.undeclared != Undeclared::Infer && options.columns.is_empty() {
        let message = "no column is declared, and `undeclared` leaves all others out\nhint: declare them here";
        return Err(Error::invalid_config("columns", message));
    }
    let mut reader = Reader::new(options)?;
    let columns = match options.undeclared {
        Undeclared::Infer => discovery::inferred(sources, options, &mut reader)?,
        Undeclared::Ignore | Undeclared::Refuse => Columns::declared(options, &reader.keys),
    };
    write(sources, options, &columns, &mut reader, out)
}

fn write(
    sources: &Sources,
    options: &Options,
    columns: &Columns,
    reader: &mut Reader,
    out: &mut TableWriter,
) -> Result<SourceReport> {
    sources.start_over();
    let hints = Hints {
        fail: "write one object a line or one array of objects, declare other types under `columns`, or set \
               `bad_rows: skip`",
        skip: "write one object a line or one array of objects, or check `columns`",
    };
    let Options { bad_rows, max_bad_rows, .. } = *options;
    let mut problems = Problems::new(sources, Tolerance { bad_rows, max_bad_rows, hints });
    let mut fields = columns.fields.clone();
    if let Some(name) = &sources.file_column {
        fields.push(sources.file_field(name, &fields)?);
    }
    let schema = Schema::new(fields);
    if !columns.fields.is_empty() {
        out.start(&schema)?;
    }
    let mut rows = Rows::new(columns, &schema);
    let mut written = 0;
    let mut write = |rows: &mut Rows<'_>, problems: &Problems<'_>| {
        let batch = rows.take();
        written += batch.num_rows as u64;
        if batch.num_rows > 0 && !columns.fields.is_empty() && !problems.are_too_many() {
            out.write(batch)?;
        }
        sources.report_progress();
        Ok::<_, Error>(())
    };
    for (index, input) in sources.inputs.iter().enumerate() {
        let mut records = Records::new(input.open_content()?, input);
        while let Some(record) = records.next()? {
            let text = reader.read(record);
            let added = text.and_then(|text| rows.add(text, &reader.events, &reader.keys, input.name()));
            if let Err(reason) = added {
                problems.add(index, [BadRow { line: record.line, reason }]);
            }
            if rows.is_full() {
                write(&mut rows, &problems)?;
            }
        }
    }
    write(&mut rows, &problems)?;
    if columns.fields.is_empty() && written > 0 {
        return Err(sources.wrong("holds objects without keys"));
    }
    let mut report = problems.report(written, "holds no rows")?;
    report.notes.extend(columns.notes.iter().map(|message| Note { line: None, message: message.clone() }));
    report.notes.truncate(100);
    Ok(report)
}

/// Reads one record after the other; knows the keys of those before.
pub struct Reader {
    keys: Keys,
    rules: Rules,
    events: Vec<Event>,
}

impl Reader {
    fn new(options: &Options) -> Result<Self> {
        let mut keys = Keys::new();
        for name in options.columns.keys() {
            let too_many = || Error::invalid_config("columns", "too many columns are declared");
            keys.declare(name).ok_or_else(too_many)?;
        }
        let unknown = match options.undeclared {
            Undeclared::Infer => Unknown::Add,
            Undeclared::Ignore => Unknown::Ignore,
            Undeclared::Refuse => Unknown::Refuse,
        };
        let refuse_arrays = options.arrays == Arrays::Refuse;
        let rules = Rules { flatten: usize::from(options.flatten), refuse_arrays, unknown };
        Ok(Self { keys, rules, events: Vec::new() })
    }

    /// Leaves the record's values in `events` and gives its text, or says why it is none.
    fn read<'a>(&mut self, record: Record<'a>) -> Result<&'a str, String> {
        self.events.clear();
        let text = std::str::from_utf8(record.bytes).map_err(|_| "bytes that are not UTF-8".to_owned())?;
        match parse::record(record.bytes, self.rules, &mut self.keys, &mut self.events) {
            Ok(()) => Ok(text),
            Err(Problem { at, what }) => Err(format!("{what} (byte {} of the row)", at + 1)),
        }
    }
}

/// The records of an input.
type Opened<'a> = Records<'a, Content<Stream>>;

#[cfg(test)]
mod tests;
