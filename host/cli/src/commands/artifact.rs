//! `wasmlops artifact show|cat|export`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wasmlops_server::artifacts::{Artifact, artifact};
use wasmlops_server::error::Error;
use wasmlops_server::export::{Format, export_table, preview};

use crate::args::FormatArg;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

pub async fn show(settings: &Settings, name: &str, rows: usize, printer: &Printer) -> Result<Outcome> {
    let artifact = find(settings, name).await?;
    let table = artifact.table()?;
    let schema = table.as_ref().map(|table| table.schema().clone());
    let num_rows = table.as_ref().map(wasmlops_core::table::Table::num_rows);
    let document: Option<Value> =
        artifact.media_type.ends_with("json").then(|| serde_json::from_slice(&artifact.bytes)).transpose()?;
    let view = json!({
        "digest": artifact.digest, "media_type": artifact.media_type, "size": artifact.bytes.len(),
        "rows": num_rows, "schema": schema, "document": document,
    });
    let content = match (&table, &document) {
        (Some(table), _) => preview(table, rows),
        (_, Some(document)) => format!("{document:#}"),
        _ if artifact.is_text() => String::from_utf8_lossy(&artifact.bytes).into_owned(),
        _ if artifact.is_page() => {
            format!("a page for a browser: `wasmlops artifact export {name} page.html` writes it, then open the file")
        }
        _ => "not text: `wasmlops artifact cat` writes the bytes".to_owned(),
    };
    printer.data(&view, || {
        format!("{}\n{}, {} bytes\n\n{content}", artifact.digest, artifact.media_type, artifact.bytes.len())
    })?;
    Ok(Outcome::Done)
}

pub async fn cat(settings: &Settings, name: &str, printer: &Printer) -> Result<Outcome> {
    printer.bytes(&find(settings, name).await?.bytes)?;
    Ok(Outcome::Done)
}

pub async fn export(
    settings: &Settings,
    name: &str,
    file: &Path,
    format: Option<FormatArg>,
    printer: &Printer,
) -> Result<Outcome> {
    let artifact = find(settings, name).await?;
    let target = settings.folder.join(file);
    let table = artifact.table()?;
    let format = match &table {
        Some(_) => Some(format_of(format, file)?),
        None => None,
    };
    // Beside the target and moved into place, so that a file is never half written.
    let beside = target.with_extension("part");
    let write = || -> Result<()> {
        let mut out = BufWriter::new(File::create(&beside)?);
        match (&table, format) {
            (Some(table), Some(format)) => export_table(table, format, &mut out)?,
            _ => out.write_all(&artifact.bytes)?,
        }
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&beside, &target)?;
        Ok(())
    };
    if let Err(error) = write() {
        let _ = std::fs::remove_file(&beside);
        return Err(error).with_context(|| format!("cannot write `{}`", target.display()));
    }
    let view = json!({ "digest": artifact.digest, "file": target });
    printer.data(&view, || format!("wrote {}", target.display()))?;
    Ok(Outcome::Done)
}

async fn find(settings: &Settings, name: &str) -> Result<Artifact> {
    let host = settings.host().await?;
    Ok(artifact(&host, name).await?)
}

fn format_of(format: Option<FormatArg>, file: &Path) -> Result<Format> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match (format, ending) {
        (Some(FormatArg::Csv), _) | (None, "csv") => Ok(Format::Csv),
        (Some(FormatArg::Parquet), _) | (None, "parquet") => Ok(Format::Parquet),
        (Some(FormatArg::Arrow), _) | (None, "arrow" | "feather") => Ok(Format::Arrow),
        (None, _) => {
            let message = format!("`{}` does not say the format of the table", file.display());
            Err(Error::user("unknown-format", message, "end it in `.csv`, `.parquet` or `.arrow`, or give `--format`")
                .into())
        }
    }
}
