//! Who waits, and who is run.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::{QueueRow, QueueState};
use crate::error::StoreError;
use crate::row::parsed;
use crate::store::Store;

const SELECT: &str =
    "SELECT run_queue.run, run_queue.pipeline, priority, use_cache, trace, state, enqueued, claimed_by,
        claimed, attempts, origin, actor
    FROM run_queue JOIN runs ON runs.id = run_queue.run";

impl Store {
    /// Runs in this state: those with the highest priority first, of these the oldest.
    pub async fn queue(&self, state: QueueState, limit: u32) -> Result<Vec<QueueRow>, StoreError> {
        // The second condition is the index's own.
        let sql = format!(
            "{SELECT} WHERE state = $1 AND state <> 'done' ORDER BY priority DESC, enqueued, run_queue.run LIMIT $2"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(state.as_str()).bind(limit);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(row).collect()
    }

    /// A run's place in the queue; `None` for one that was never in it.
    pub async fn queue_row(&self, run: &str) -> Result<Option<QueueRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE run_queue.run = $1"))).bind(run);
        let found = query.fetch_optional(&mut *self.reader().await?).await?;
        found.as_ref().map(row).transpose()
    }

    /// What a run was submitted with, as a digest; the inner `None`: it was not submitted, or by no one.
    pub async fn submission_of(&self, run: &str) -> Result<Option<Option<String>>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT run_queue.submission FROM runs LEFT JOIN run_queue ON run_queue.run = runs.id WHERE runs.id = $1",
        );
        Ok(query.bind(run).fetch_optional(&mut *self.reader().await?).await?)
    }

    /// How many runs are in this state.
    pub async fn queue_length(&self, state: QueueState) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM run_queue WHERE state = $1 AND state <> 'done'");
        Ok(query.bind(state.as_str()).fetch_one(&mut *self.reader().await?).await?)
    }
}

fn row(row: &SqliteRow) -> Result<QueueRow, StoreError> {
    Ok(QueueRow {
        run: row.try_get("run")?,
        pipeline: row.try_get("pipeline")?,
        priority: row.try_get("priority")?,
        use_cache: row.try_get("use_cache")?,
        trace: row.try_get("trace")?,
        state: parsed(row, "state")?,
        enqueued: row.try_get("enqueued")?,
        claimed_by: row.try_get("claimed_by")?,
        claimed: row.try_get("claimed")?,
        attempts: row.try_get("attempts")?,
        origin: row.try_get("origin")?,
        actor: row.try_get("actor")?,
    })
}
