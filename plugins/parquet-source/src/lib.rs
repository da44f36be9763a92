//! Reads Parquet files into a table: what the user wrote is `config`, how Parquet is read stands in
//! `wasmlops_formats::parquet`.

mod config;

use wasmlops_formats::parquet;
use wasmlops_formats::source::Sources;
use wasmlops_sdk::prelude::*;

use config::Config;

struct ParquetSource;

impl DataSource for ParquetSource {
    type Config = Config;

    fn read(config: Config, out: &mut TableWriter) -> Result<SourceReport> {
        parquet::read(&Sources::files(&config.files)?, &config.parquet, out)
    }
}

wasmlops_sdk::export! { data_source: ParquetSource }

#[cfg(test)]
mod tests;
