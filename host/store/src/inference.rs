//! Where the rows of the inference log are: segments, which are tables in the artifact store, and the ids in them.
//!
//! Knows nothing of journals but their numbers: a journal is sealed once, in one transaction with all its segments, and
//! then it is never read again.

mod ids;
mod references;
mod seal;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use wasmlops_package::Digest;

use crate::error::StoreError;
use crate::row::parsed;
use crate::store::Store;

pub use ids::{KnownId, SealedId};
pub use seal::{Cap, NewSegment, Seal};

/// Rows of a sealed journal that have the same columns. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentRow {
    pub id: i64,
    pub journal: i64,
    /// The table.
    pub digest: Digest,
    pub rows: i64,
    pub bytes: i64,
    /// How many of the table's first columns are features.
    pub features: i64,
    /// The field that the model predicts, as JSON.
    pub target: Option<String>,
    /// Numbers of the first row and the last.
    pub first_seq: i64,
    pub last_seq: i64,
    pub first_time: i64,
    pub last_time: i64,
}

/// What is sealed of an endpoint's log, at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InferenceState {
    /// Journals up to this number are in segments. Numbers start at 1.
    pub sealed: i64,
    /// Rows below this number are in segments, or were removed with theirs.
    pub next_seq: i64,
    /// Oldest first.
    pub segments: Vec<SegmentRow>,
}

impl Store {
    /// What is sealed of an endpoint's log. One statement, so that it is the state of one moment.
    pub async fn inference_state(&self, endpoint: &str) -> Result<InferenceState, StoreError> {
        let query = sqlx::query(
            "SELECT sealed, next_seq, id, journal, digest, rows, bytes, features, target, first_seq, last_seq,
                 first_time, last_time
             FROM inference_logs LEFT JOIN inference_segments
                 ON inference_segments.endpoint = inference_logs.endpoint
             WHERE inference_logs.endpoint = $1 ORDER BY last_seq, id",
        );
        let rows = query.bind(endpoint).fetch_all(&mut *self.reader().await?).await?;
        let Some(first) = rows.first() else { return Ok(InferenceState::default()) };
        let is_segment = |row: &&SqliteRow| row.try_get::<Option<i64>, _>("id").is_ok_and(|id| id.is_some());
        Ok(InferenceState {
            sealed: first.try_get("sealed")?,
            next_seq: first.try_get("next_seq")?,
            segments: rows.iter().filter(is_segment).map(segment_row).collect::<Result<_, _>>()?,
        })
    }
}

fn segment_row(row: &SqliteRow) -> Result<SegmentRow, sqlx::Error> {
    Ok(SegmentRow {
        id: row.try_get("id")?,
        journal: row.try_get("journal")?,
        digest: parsed(row, "digest")?,
        rows: row.try_get("rows")?,
        bytes: row.try_get("bytes")?,
        features: row.try_get("features")?,
        target: row.try_get("target")?,
        first_seq: row.try_get("first_seq")?,
        last_seq: row.try_get("last_seq")?,
        first_time: row.try_get("first_time")?,
        last_time: row.try_get("last_time")?,
    })
}
