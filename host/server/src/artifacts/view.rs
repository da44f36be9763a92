//! Artifacts as people and programs see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_core::artifact::media_type;
use wasmlops_core::table::Table;
use wasmlops_package::{Algorithm, Digest};
use wasmlops_store::BlobError;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::inference::columns;

/// Larger tables are not opened to show some rows of them.
const PREVIEWED: u64 = 256 << 20;

/// What a digest is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactView {
    /// `blake3:` or `sha256:` and 64 hex digits.
    pub digest: String,
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// When it was first recorded, RFC 3339; absent for what was never recorded, such as components.
    pub created: Option<String>,
}

/// An output of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunOutputView {
    pub step: String,
    pub output: String,
    pub digest: String,
    pub media_type: String,
    pub size: u64,
    /// Of a table.
    pub rows: Option<u64>,
}

/// Some rows of a table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RowsView {
    pub digest: String,
    /// Of the whole table.
    pub num_rows: u64,
    /// The number of the first row that is shown, from 0.
    pub offset: u64,
    pub columns: Vec<ColumnView>,
    /// A list of cells for each row, in the order of the columns. NaN and infinity are null, bytes are hex.
    pub rows: Vec<Vec<Value>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ColumnView {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: String,
    pub nullable: bool,
}

/// What a digest is; absent where the project has no such artifact.
pub async fn show(host: &Host, digest: &Digest) -> Result<Option<ArtifactView>> {
    let size = match host.store.blobs().size(digest) {
        Ok(size) => size,
        Err(BlobError::Missing(_)) => return Ok(None),
        Err(error) => return Err(Error::store(error)),
    };
    let row = host.store.artifact(digest).await?;
    let usual = match digest.algorithm() {
        Algorithm::Sha256 => media_type::COMPONENT,
        Algorithm::Blake3 => media_type::BYTES,
    };
    Ok(Some(ArtifactView {
        digest: digest.to_string(),
        media_type: row.as_ref().map_or_else(|| usual.to_owned(), |row| row.media_type.clone()),
        size,
        created: row.map(|row| rfc3339(row.created)),
    }))
}

/// All outputs of a run, by step and name.
pub async fn outputs(host: &Host, run: &str) -> Result<Vec<RunOutputView>> {
    let rows = host.store.outputs(run).await?;
    let view = |row: wasmlops_store::OutputRow| RunOutputView {
        step: row.step_key,
        output: row.name,
        digest: row.digest.to_string(),
        media_type: row.media_type,
        size: row.size.unsigned_abs(),
        rows: row.rows.map(i64::unsigned_abs),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Up to `limit` rows of a table from row `offset` on.
///
/// # Errors
/// The user's: no such artifact, no table, one that is too large to be opened for this.
pub async fn rows(host: &Host, digest: &Digest, offset: u64, limit: u64) -> Result<RowsView> {
    let unknown = || Error::user("unknown-artifact", format!("there is no artifact `{digest}`"), "check the digest");
    let artifact = show(host, digest).await?.ok_or_else(unknown)?;
    if artifact.media_type != media_type::TABLE {
        let message = format!("artifact `{digest}` is `{}` and no table", artifact.media_type);
        return Err(Error::user("not-a-table", message, "its `content` gives the bytes"));
    }
    if artifact.size > PREVIEWED {
        let message = format!("the table has {} bytes; rows are shown of up to {PREVIEWED}", artifact.size);
        return Err(Error::user("table-too-large", message, "download its `content`, an Arrow IPC file"));
    }
    let bytes = host.store.blobs().get(digest).await.map_err(Error::store)?;
    let digest = digest.to_string();
    let read = move || {
        let table = Table::from_ipc(bytes).map_err(|error| Error::Host(error.to_string()))?;
        Ok(some(&table, digest, offset, limit))
    };
    tokio::task::spawn_blocking(read).await.map_err(Error::bug)?
}

fn some(table: &Table, digest: String, offset: u64, limit: u64) -> RowsView {
    let (num_rows, fields) = (table.num_rows(), &table.schema().fields);
    let first = offset.min(num_rows);
    let last = first.saturating_add(limit).min(num_rows);
    let row = |row: u64| (0..fields.len()).map(|column| columns::cell(table, column, row as usize)).collect();
    RowsView {
        digest,
        num_rows,
        offset: first,
        columns: fields
            .iter()
            .map(|field| ColumnView {
                name: field.name.clone(),
                data_type: field.data_type.as_str().to_owned(),
                nullable: field.nullable,
            })
            .collect(),
        rows: (first..last).map(row).collect(),
    }
}
