//! Fetches a table over HTTP: `remote` gets pieces of the resource through the host's broker, `answer` says what an
//! answer means (pure), `format` what the bytes are. How they are read stands in `wasmlops_formats`.

mod answer;
mod config;
mod format;
mod remote;

use std::rc::Rc;

use wasmlops_formats::source::Sources;
use wasmlops_formats::{csv, json, parquet};
use wasmlops_sdk::prelude::*;

use config::{Config, Format};
use remote::Remote;

/// Notes in a report; the contract allows no more.
const MAX_NOTES: usize = 100;

struct HttpSource;

impl DataSource for HttpSource {
    type Config = Config;

    fn read(config: Config, out: &mut TableWriter) -> Result<SourceReport> {
        format::check_options(&config)?;
        let remote = Rc::new(Remote::open(&config)?);
        let format = format::of(&config, remote.version())?;
        let sources = Sources::elsewhere(&config.url, "url", Rc::clone(&remote) as Rc<_>);
        let mut report = match format {
            Format::Csv => csv::read(&sources, &config.csv.map_or_else(format::usual, Ok)?, out),
            Format::Json => json::read(&sources, &config.json.unwrap_or_default(), out),
            Format::Parquet => parquet::read(&sources, &config.parquet.unwrap_or_default(), out),
        }?;
        let evidence = remote.evidence();
        evidence.iter().for_each(log::info);
        report.notes.splice(0..0, evidence.into_iter().map(|message| Note { line: None, message }));
        report.notes.truncate(MAX_NOTES);
        Ok(report)
    }
}

wasmlops_sdk::export! { data_source: HttpSource }

#[cfg(test)]
mod tests;
