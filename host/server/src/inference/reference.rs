//! What windows are compared with: a model's training rows, with what the model says of them.

use wasmlops_core::artifact::{ModelDocument, VersionDocument};
use wasmlops_core::table::{Batch, Schema, Table, TableBuilder};
use wasmlops_package::Digest;
use wasmlops_store::BlobError;

use super::pieces::{LABEL, feature_name};
use crate::error::{Error, Result};
use crate::executor::predict_rows;
use crate::host::Host;
use crate::models::ModelVersion;

/// The training rows of a version: its features, its predictions of them, and the truth as `label`. Made once for a
/// model and its rows, and kept.
///
/// # Errors
/// The user's, if the version does not say what it was trained on.
pub async fn reference(host: &Host, version: &ModelVersion) -> Result<Table> {
    let document: &VersionDocument = &version.document;
    let Some(training) = document.training else {
        let message = format!("version {} of `{}` does not say what it was trained on", version.version, version.name);
        return Err(Error::user("no-training-data", message, "give the monitor `reference: previous`"));
    };
    if let Some(digest) = host.store.reference_table(&document.model, &training).await?
        && let Some(bytes) = there(host, &digest).await?
    {
        return Table::from_ipc(bytes).map_err(|error| Error::Host(error.to_string()));
    }
    let rows = host.store.blobs().get(&training).await.map_err(Error::store)?;
    let (executor, model) = (host.executor.clone(), document.document.clone());
    let make = move || -> Result<(Table, Vec<u8>)> {
        let rows = Table::from_ipc(rows).map_err(|error| Error::Host(error.to_string()))?;
        let predictions = predict_rows(&executor, &model, rows.clone());
        let predictions = predictions.map_err(|failure| {
            Error::Host(format!("the model cannot predict its training rows: {}", failure.message))
        })?;
        let table = side_by_side(&rows, &predictions, &model)?;
        let bytes = table.to_ipc().map_err(Error::bug)?;
        Ok((table, bytes))
    };
    let (table, bytes) = tokio::task::spawn_blocking(make).await.map_err(Error::bug)??;
    let digest = host.store.blobs().put(bytes).await.map_err(Error::store)?;
    host.store.keep_reference_table(document.model, training, digest, host.clock.now()).await?;
    Ok(table)
}

/// A kept table, unless it was lost: then it is made again.
async fn there(host: &Host, digest: &Digest) -> Result<Option<Vec<u8>>> {
    match host.store.blobs().get(digest).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(BlobError::Missing(_) | BlobError::Corrupt(_)) => Ok(None),
        Err(error) => Err(Error::store(error)),
    }
}

/// The columns are called as they are in windows.
fn side_by_side(rows: &Table, predictions: &Table, model: &ModelDocument) -> Result<Table> {
    if rows.num_rows() != predictions.num_rows() {
        return Err(Error::Host(
            "the model gave another number of predictions than there are training rows".to_owned(),
        ));
    }
    let is_target = |name: &str| model.target.as_deref() == Some(name);
    let is_output = |name: &str| predictions.schema().index_of(name).is_some();
    let (mut fields, mut label) = (Vec::new(), None);
    let mut order = Vec::new();
    for (index, field) in rows.schema().fields.iter().enumerate() {
        let mut field = field.clone();
        if is_target(&field.name) {
            field.name = LABEL.to_owned();
            label = Some((index, field));
        } else {
            field.name = feature_name(&field.name, is_output);
            fields.push(field);
            order.push(index);
        }
    }
    fields.extend(predictions.schema().fields.iter().cloned());
    fields.extend(label.iter().map(|(_, field)| field.clone()));
    let mut builder = TableBuilder::new(Schema::new(fields).map_err(Error::bug)?);
    let all: Vec<u32> = (0..predictions.schema().fields.len() as u32).collect();
    let features: Vec<u32> = order.iter().map(|index| *index as u32).collect();
    let label: Vec<u32> = label.iter().map(|(index, _)| *index as u32).collect();
    let parts = [(rows, &features), (predictions, &all), (rows, &label)];
    let mut at = 0;
    while at < rows.num_rows() {
        // A read gives what fits; so many rows are then read of each part.
        let mut num_rows = rows.num_rows() - at;
        for (table, columns) in &parts {
            num_rows = table.read(columns, at, num_rows).map_err(Error::bug)?.num_rows;
        }
        let mut columns = Vec::new();
        for (table, part) in &parts {
            columns.extend(table.read(part, at, num_rows).map_err(Error::bug)?.columns);
        }
        builder.push(Batch { num_rows, columns }).map_err(Error::bug)?;
        at += num_rows;
    }
    builder.finish().map_err(Error::bug)
}
