//! Reads JSON files into a table: what the user wrote is `config`, how JSON is read stands in
//! `wasmlops_formats::json`.

mod config;

use wasmlops_formats::json;
use wasmlops_formats::source::Sources;
use wasmlops_sdk::prelude::*;

use config::Config;

struct JsonSource;

impl DataSource for JsonSource {
    type Config = Config;

    fn read(config: Config, out: &mut TableWriter) -> Result<SourceReport> {
        json::read(&Sources::files(&config.files)?, &config.json, out)
    }
}

wasmlops_sdk::export! { data_source: JsonSource }

#[cfg(test)]
mod tests;
