//! Looks at data outside any run: a data source runs once in its sandbox, and nothing is recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use wasmlops_core::call::Cancel;
use wasmlops_core::config::ProjectPath;
use wasmlops_core::graph::{ArtifactType, StepKey};
use wasmlops_core::table::{DataType, Table};
use wasmlops_engine::Profile;
use wasmlops_package::{Digest, Kind};

use crate::collector::Collector;
use crate::error::{Error, Result};
use crate::executor::{Executed, Work};
use crate::host::Host;
use crate::project::granted_files;
use crate::watch::Unwatched;

/// Reads a table with a data source that may see these files of the project.
pub async fn read_table(host: &Host, plugin: &str, config: Value, grants: Vec<ProjectPath>) -> Result<Table> {
    let (root, blobs) = (host.project.root.clone(), host.store.blobs().clone());
    let files = tokio::task::spawn_blocking(move || granted_files(&root, &grants, Some(&blobs)));
    read(host, plugin, config, files.await.map_err(Error::bug)??).await
}

/// Reads a table with a data source that may see these bytes, as the file `name`.
pub async fn read_file(host: &Host, plugin: &str, config: Value, name: &str, bytes: Vec<u8>) -> Result<Table> {
    let digest = host.store.blobs().put(bytes).await.map_err(Error::store)?;
    read(host, plugin, config, BTreeMap::from([(name.to_owned(), digest)])).await
}

async fn read(host: &Host, plugin: &str, config: Value, files: BTreeMap<String, Digest>) -> Result<Table> {
    let known = host.plugins.iter().find(|known| known.info.name.as_str() == plugin);
    let known = known.ok_or_else(|| Error::bug(format!("there is no plugin `{plugin}`")))?.clone();
    let host = host.clone();
    let task = tokio::task::spawn_blocking(move || {
        let prepared = host.executor.engine.prepare(&known.bytes, Profile::default());
        prepared.map_err(|error| Error::Host(error.to_string()))?;
        let work = Work {
            config,
            files,
            nominal_time: host.clock.now(),
            outputs: vec![("table".to_owned(), ArtifactType::Table)],
            ..Work::outside_runs(Kind::DataSource, known.info.name.to_string(), known.info.digest)
        };
        let listener = Collector::new(StepKey::new("probe"), host.clock.clone(), Arc::new(Unwatched));
        let Executed { failure, made } = host.executor.execute(&work, Arc::new(listener), Cancel::default());
        if let Some(failure) = failure {
            let hint = failure.hint.unwrap_or_else(|| "correct the file".to_owned());
            return Err(Error::user(&failure.code, failure.message, hint));
        }
        let bytes = made.outputs.into_iter().find(|(name, _)| name == "table").map(|(_, output)| output.bytes);
        Table::from_ipc(bytes.unwrap_or_default()).map_err(Error::bug)
    });
    task.await.map_err(Error::bug)?
}

/// What a column holds, counted.
#[derive(Clone, Debug, Default)]
pub struct Distinct {
    /// Rows by value, up to `cap` values; the bytes are the value's in its buffer.
    pub counts: BTreeMap<Vec<u8>, u64>,
    /// Whether there are more values than were counted.
    pub capped: bool,
    pub nulls: u64,
}

/// Counts the values of a column, up to `cap` different ones.
pub fn distinct(table: &Table, column: u32, cap: usize) -> Result<Distinct> {
    let data_type = table.schema().fields[column as usize].data_type;
    let mut found = Distinct::default();
    let mut offset = 0;
    while offset < table.num_rows() {
        let batch = table.read(&[column], offset, u64::MAX).map_err(Error::bug)?;
        let Some(buffers) = batch.columns.first() else { break };
        for row in 0..batch.num_rows as usize {
            if buffers.validity.as_ref().is_some_and(|bits| bits[row / 8] >> (row % 8) & 1 == 0) {
                found.nulls += 1;
                continue;
            }
            let value = value(buffers, data_type, row);
            if found.counts.len() < cap || found.counts.contains_key(&value) {
                *found.counts.entry(value).or_default() += 1;
            } else {
                found.capped = true;
            }
        }
        offset += batch.num_rows.max(1);
    }
    Ok(found)
}

fn value(column: &wasmlops_core::table::Column, data_type: DataType, row: usize) -> Vec<u8> {
    let fixed = |width: usize| column.values[row * width..(row + 1) * width].to_vec();
    match data_type {
        DataType::Bool => vec![column.values[row / 8] >> (row % 8) & 1],
        DataType::S64 | DataType::F64 | DataType::Timestamp => fixed(8),
        DataType::F32 | DataType::Categorical => fixed(4),
        DataType::Utf8 | DataType::Binary => {
            let offsets = column.offsets.as_deref().unwrap_or_default();
            let (ends, _) = offsets.as_chunks::<4>();
            let end = |index: usize| i32::from_le_bytes(ends[index]) as usize;
            column.values[end(row)..end(row + 1)].to_vec()
        }
    }
}
