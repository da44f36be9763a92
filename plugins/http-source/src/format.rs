//! What the bytes are: as the user, the server or the URL says.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wasmlops_sdk::prelude::*;

use crate::answer::Version;
use crate::config::{Config, Format};

/// Errors: `invalid-config` at the options of another format than the one that `format` names.
pub fn check_options(config: &Config) -> Result<()> {
    let given = [
        (Format::Csv, config.csv.is_some()),
        (Format::Json, config.json.is_some()),
        (Format::Parquet, config.parquet.is_some()),
    ];
    for (format, _) in given.into_iter().filter(|&(_, given)| given) {
        if let Some(chosen) = config.format.filter(|&chosen| chosen != format) {
            let message = format!("`format` is `{}`\nhint: take `{}` away", chosen.name(), format.name());
            return Err(Error::invalid_config(format.name(), message));
        }
    }
    Ok(())
}

/// Errors: `invalid-config` at `format` where nobody says.
pub fn of(config: &Config, version: &Version) -> Result<Format> {
    let by_type = || version.content_type.as_deref().and_then(by_content_type);
    let found = config.format.or_else(by_type).or_else(|| by_path(&config.url));
    found.ok_or_else(|| {
        let said = match &version.content_type {
            Some(said) => format!("the server calls it `{said}`"),
            None => "the server does not say what it is".to_owned(),
        };
        let hint = "hint: set `format` to `csv`, `json` or `parquet`";
        Error::invalid_config("format", format!("{said}, and the URL's ending says nothing\n{hint}"))
    })
}

/// Options of which none is set.
pub fn usual<T: DeserializeOwned>() -> Result<T> {
    serde_json::from_value(Value::Object(Map::new()))
        .map_err(|error| Error::internal(format!("options without a default: {error}")))
}

fn by_content_type(content_type: &str) -> Option<Format> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/csv" | "application/csv" => Some(Format::Csv),
        "application/json"
        | "application/ndjson"
        | "application/x-ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/json-lines" => Some(Format::Json),
        "application/vnd.apache.parquet" | "application/parquet" | "application/x-parquet" => Some(Format::Parquet),
        _ => None,
    }
}

fn by_path(url: &str) -> Option<Format> {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let plain = [".gz", ".zst", ".zstd"].iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(&path);
    let (_, ending) = plain.rsplit_once('.')?;
    match ending {
        "csv" => Some(Format::Csv),
        "json" | "ndjson" | "jsonl" => Some(Format::Json),
        "parquet" | "pq" => Some(Format::Parquet),
        _ => None,
    }
}
