//! The files of a release: all that is needed to predict with a version elsewhere, and to see that it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use wasmlops_core::artifact::ModelDocument;
use wasmlops_core::canonical_json::to_canonical;
use wasmlops_core::diagnostics::Diagnostic;
use wasmlops_core::run::Failure;
use wasmlops_core::table::{Schema, Table, TableBuilder, TableError};
use wasmlops_package::Digest;
use wasmlops_store::BlobError;

use super::{ModelVersion, card};
use crate::error::{Error, Result};
use crate::executor::{host_failure, predict_rows};
use crate::host::Host;

/// Rows of the golden vectors, at the most.
pub const GOLDEN_ROWS: u64 = 16;

/// A version's files by path: `version.json` (the content), `model.json`, `blob`, `predictor.wasm`, `transforms/0.state`,
/// `transforms/0.wasm` and so on, `schema.json`, `card.md`, and `golden/input.arrow` with `golden/predictions.arrow`
/// where the rows that the version was judged on are at hand.
///
/// # Errors
/// A blob is missing or damaged; the model fails on the golden rows.
pub async fn files(host: &Host, version: &ModelVersion) -> Result<BTreeMap<String, Arc<[u8]>>> {
    let document = &version.document.document;
    let mut files = BTreeMap::from([
        ("version.json".to_owned(), Arc::from(version.document.to_bytes())),
        ("schema.json".to_owned(), Arc::from(schemas(document).into_bytes())),
        ("card.md".to_owned(), Arc::from(card(host, version).await?.into_bytes())),
    ]);
    for (path, digest) in named_blobs(version) {
        let bytes = host.store.blobs().get(&digest).await.map_err(Error::store)?;
        files.insert(path, Arc::from(bytes));
    }
    if let Some((input, predictions)) = golden(host, version).await? {
        files.insert("golden/input.arrow".to_owned(), Arc::from(input.to_ipc().map_err(Error::bug)?));
        files.insert("golden/predictions.arrow".to_owned(), Arc::from(predictions.to_ipc().map_err(Error::bug)?));
    }
    Ok(files)
}

/// The raw columns that a request for a prediction gives: the model's input without its target.
pub fn request_schema(document: &ModelDocument) -> Schema {
    let fields = document.input.fields.iter().filter(|field| Some(&field.name) != document.target.as_ref());
    Schema { fields: fields.cloned().collect() }
}

/// The files that the content names by digest.
pub(super) fn named_blobs(version: &ModelVersion) -> BTreeMap<String, Digest> {
    blobs_of(version.document.model, &version.document.document)
}

pub(super) fn blobs_of(model: Digest, document: &ModelDocument) -> BTreeMap<String, Digest> {
    let mut blobs = BTreeMap::from([
        ("model.json".to_owned(), model),
        ("blob".to_owned(), document.model),
        ("predictor.wasm".to_owned(), document.predictor),
    ]);
    for (index, transform) in document.transforms.iter().enumerate() {
        blobs.insert(format!("transforms/{index}.state"), transform.state);
        blobs.insert(format!("transforms/{index}.wasm"), transform.component);
    }
    blobs
}

/// Input and output in the names and types of the contract.
pub(super) fn schemas(document: &ModelDocument) -> String {
    to_canonical(&json!({
        "input": request_schema(document), "output": document.output, "target": document.target,
    }))
}

/// The first rows that the version was judged on, and what it says of them.
async fn golden(host: &Host, version: &ModelVersion) -> Result<Option<(Table, Table)>> {
    let Some(evaluation) = version.document.evaluation else { return Ok(None) };
    let bytes = match host.store.blobs().get(&evaluation).await {
        // Data is kept for a shorter time than models are.
        Err(BlobError::Missing(_)) => return Ok(None),
        bytes => bytes.map_err(Error::store)?,
    };
    let table = Table::from_ipc(bytes).map_err(Error::bug)?;
    let Some(input) = requests(&table, &version.document.document, GOLDEN_ROWS)? else { return Ok(None) };
    let predictions = predictions(host, &version.document.document, input.clone()).await.map_err(refused)?;
    Ok(Some((input, predictions)))
}

/// The first rows of a table as requests; absent where it has other columns.
pub(super) fn requests(table: &Table, document: &ModelDocument, rows: u64) -> Result<Option<Table>> {
    let fields = request_schema(document).fields;
    let columns: Option<Vec<u32>> =
        fields.iter().map(|field| table.schema().index_of(&field.name).map(|index| index as u32)).collect();
    let Some(columns) = columns.filter(|columns| !columns.is_empty()) else { return Ok(None) };
    first_rows(&table.select(&columns).map_err(Error::bug)?, rows).map(Some).map_err(Error::bug)
}

fn first_rows(table: &Table, rows: u64) -> Result<Table, TableError> {
    let rows = rows.min(table.num_rows());
    let columns: Vec<u32> = (0..table.schema().fields.len() as u32).collect();
    let mut builder = TableBuilder::new(table.schema().clone());
    let mut done = 0;
    while done < rows {
        let batch = table.read(&columns, done, rows - done)?;
        done += batch.num_rows.max(1);
        builder.push(batch)?;
    }
    builder.finish()
}

/// What a model says of rows, off the async threads.
pub(super) async fn predictions(host: &Host, document: &ModelDocument, rows: Table) -> Result<Table, Failure> {
    let (executor, document) = (host.executor.clone(), document.clone());
    let task = tokio::task::spawn_blocking(move || predict_rows(&executor, &document, rows));
    task.await.map_err(host_failure)?
}

/// A failure of a guest as the user's: the model does not do what was asked of it.
pub(super) fn refused(failure: Failure) -> Error {
    if failure.code == "host" {
        return Error::Host(failure.message);
    }
    let mut diagnostic = Diagnostic::new(&failure.code, failure.message);
    diagnostic.hint = failure.hint;
    Error::User(diagnostic.into())
}
