//! Windows: some rows of an endpoint's log as one table, with what is known of the truth.
//!
//! Reads what is sealed and the journals beside it, from any process. Columns: the features, the predictions, `label`,
//! then `_id`, `_time`, `_version`, `_latency_ms` and `_error`. Versions with other columns are united: a row has null
//! where its version knows no such column, or one of another type than the newest.

mod assemble;
mod gather;

use std::collections::BTreeMap;

use serde_json::Value;
use wasmlops_core::run::Micros;
use wasmlops_core::table::Table;
use wasmlops_store::LabelRow;

use super::disk;
use crate::error::{Error, Result};
use crate::host::Host;

pub(super) use gather::Gathered;

/// Which rows. Numbers are those that rows get when they are logged, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowSpec {
    /// The newest so many.
    Last(u64),
    /// From one number up to and without another.
    Rows { from_seq: i64, to_seq: i64 },
    /// From a time up to and without another, in microseconds since 1970-01-01T00:00:00Z.
    Time { start: Micros, end: Micros },
}

/// Rows of the log, in the order in which they were logged.
#[derive(Clone, Debug)]
pub struct WindowData {
    pub table: Table,
    pub rows: u64,
    /// How many of them have a label.
    pub labelled: u64,
    /// Of the first row, and the number after the last: those that there are, which may be fewer than were asked for.
    pub from_seq: i64,
    pub to_seq: i64,
    /// The earliest and the latest time; 0 without rows.
    pub first_time: Micros,
    pub last_time: Micros,
    /// The versions that answered, by their last answer: the last one answered last.
    pub versions: Vec<u64>,
}

/// What the log holds from a row on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub rows: u64,
    /// The number of the first of them; older ones may have been removed by a cap. Without rows, what the next one
    /// gets.
    pub first_seq: i64,
    /// The earliest time; absent where there are no rows.
    pub first_time: Option<Micros>,
}

/// The rows that `spec` names. With `joined`, `label` has what is known; else it is null throughout.
///
/// A label that came late is not used: windows that were closed before stay as they were.
pub async fn window(host: &Host, endpoint: &str, spec: WindowSpec, joined: bool) -> Result<WindowData> {
    let gathered = gather::gather(host, endpoint, spec).await?;
    let labels = match joined {
        true => labels(host, endpoint, &gathered).await?,
        false => BTreeMap::new(),
    };
    let assemble = move || assemble::assemble(&gathered, &labels);
    tokio::task::spawn_blocking(assemble).await.map_err(Error::bug)?
}

/// What the log holds from the row with number `seq` on: cheap, to see whether a window is full.
pub async fn rows_since(host: &Host, endpoint: &str, seq: i64) -> Result<Waiting> {
    let home = host.home.clone();
    let name = endpoint.to_owned();
    let journals = tokio::task::spawn_blocking(move || disk::journals(&home, &name)).await.map_err(Error::bug)??;
    let state = host.store.inference_state(endpoint).await?;
    let mut waiting = Waiting { rows: 0, first_seq: i64::MAX, first_time: None };
    let mut next = state.next_seq;
    let mut add = |rows: i64, first_seq: i64, time: Micros| {
        waiting.rows += rows.unsigned_abs();
        waiting.first_seq = waiting.first_seq.min(first_seq);
        waiting.first_time = Some(waiting.first_time.map_or(time, |known| known.min(time)));
    };
    for segment in state.segments.iter().filter(|segment| segment.last_seq >= seq) {
        if segment.first_seq >= seq {
            add(segment.rows, segment.first_seq, segment.first_time);
            continue;
        }
        let row = seq - segment.first_seq;
        let is_gapless = segment.last_seq - segment.first_seq + 1 == segment.rows;
        if !is_gapless {
            // Rows of other segments lie in between: only the table knows which.
            gather::rows_from(host, segment, seq).await?.iter().for_each(|row| add(1, row.seq as i64, row.time));
        } else if let Some(time) = host.store.first_prediction_time(segment.id, row).await? {
            add(segment.rows - row, seq, time);
        }
    }
    for (_, journal) in journals.iter().filter(|(number, _)| *number as i64 > state.sealed) {
        next = next.max(journal.next_seq() as i64);
        for record in &journal.records {
            let first = (record.seq as i64).max(seq);
            let end = (record.seq + record.rows) as i64;
            if first < end {
                add(end - first, first, record.time);
            }
        }
    }
    waiting.first_seq = waiting.first_seq.min(next.max(seq));
    Ok(waiting)
}

/// The labels that count, by id.
async fn labels(host: &Host, endpoint: &str, gathered: &Gathered) -> Result<BTreeMap<String, Value>> {
    let ids: Vec<String> = gathered.rows.iter().map(|row| row.index.id.clone()).collect();
    let known = host.store.labels_of(endpoint, &ids).await?;
    let in_time = known.into_iter().filter(|(_, label)| !label.late);
    let value = |(id, label): (String, LabelRow)| Ok((id, serde_json::from_str(&label.value).map_err(Error::bug)?));
    in_time.map(value).collect()
}
