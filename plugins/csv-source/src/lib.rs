//! Reads CSV files into a table: what the user wrote is `config`, how CSV is read stands in `wasmlops_formats::csv`.

mod config;

use wasmlops_formats::csv;
use wasmlops_formats::source::Sources;
use wasmlops_sdk::prelude::*;

use config::Config;

struct CsvSource;

impl DataSource for CsvSource {
    type Config = Config;

    fn read(config: Config, out: &mut TableWriter) -> Result<SourceReport> {
        csv::read(&Sources::files(&config.files)?, &config.csv, out)
    }
}

wasmlops_sdk::export! { data_source: CsvSource }

#[cfg(test)]
mod tests;
