//! Reads CSV files into a table.
//!
//! `config` is what the user wrote, `dialect` the same, checked. `source` opens the file, `reader` cuts it into rows
//! (`scan` finds the marks, `block` holds the cells), `header` names the columns, `infer` finds the types of those that
//! nobody declared (a pass of its own), `batch` and `column` make columns of cells (`value`: one cell), `problems`
//! keeps the rows that cannot be read.

mod batch;
mod block;
mod column;
mod config;
mod dialect;
mod header;
mod infer;
mod problems;
mod reader;
mod scan;
mod source;
mod value;

use std::io::Read;

use wasmlops_sdk::prelude::*;

use batch::BatchBuilder;
use column::Reading;
use config::Config;
use dialect::{Dialect, Nulls};
use problems::Problems;
use reader::Reader;

struct CsvSource;

impl DataSource for CsvSource {
    type Config = Config;

    fn read(config: Config, out: &mut TableWriter) -> Result<SourceReport> {
        let size = source::open(&config.path)?.metadata().ok().map(|metadata| metadata.len());
        read_table(&config, size, || source::open(&config.path), out)
    }
}

/// Reads what `open` gives, once for the types (if some are to be inferred) and once for the values.
fn read_table<R: Read>(
    config: &Config,
    size: Option<u64>,
    open: impl Fn() -> Result<R>,
    out: &mut TableWriter,
) -> Result<SourceReport> {
    let dialect = Dialect::parse(config)?;
    let nulls = Nulls::new(&config.nulls);
    // Behind the header, if there is one, and the names of the columns.
    let begin = || {
        let mut reader = Reader::new(open()?, &config.path, dialect)?;
        let names = header::names(&mut reader, config.header)?;
        let reader = if config.header { reader } else { Reader::new(open()?, &config.path, dialect)? };
        Ok::<_, Error>((reader, names))
    };

    let (mut reader, names) = begin()?;
    let declared = header::declared(config, &names)?;
    let types = match declared.iter().copied().collect::<Option<Vec<DataType>>>() {
        Some(types) => types,
        None => {
            let types = infer::data_types(&mut reader, &declared, &nulls)?;
            reader = begin()?.0;
            types
        }
    };
    let schema = Schema::new(names.into_iter().zip(types).map(|(name, type_)| Field::new(name, type_, true)).collect());
    out.start(&schema)?;

    let mut problems = Problems::default();
    let mut rows = 0;
    let mut batch = BatchBuilder::new(&schema, Reading { nulls: &nulls, trim: config.trim });
    loop {
        let ended = match reader.next_block()? {
            Some(block) => {
                problems.add(batch.add(&block));
                false
            }
            None => true,
        };
        if !ended && !batch.is_full() {
            continue;
        }
        let batch = batch.take();
        rows += batch.num_rows as u64;
        if batch.num_rows > 0 && !problems.are_too_many(config) {
            out.write(batch)?;
        }
        progress::update(reader.bytes_done(), size, "bytes read");
        if ended {
            return problems.report(config, rows);
        }
    }
}

wasmlops_sdk::export! { data_source: CsvSource }

#[cfg(test)]
mod tests;
