//! Runs for retention to decide on, and their removal with all that is theirs.

use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe};

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::row::placeholders;
use crate::runs::TRIAL;
use crate::store::Store;
use crate::writer::Tx;

/// Runs in one transaction: other writers wait for it.
const BATCH: usize = 50;
/// Ids in one statement.
const IDS: usize = 500;

/// Tables with rows of runs, in an order that leaves no row without what it refers to. What else refers to a run goes
/// along with it.
const OF_RUNS: [&str; 11] = [
    "DELETE FROM step_outputs WHERE run IN",
    "DELETE FROM lineage WHERE run IN",
    "DELETE FROM log_lines WHERE run IN",
    "DELETE FROM metric_points WHERE run IN",
    "DELETE FROM metrics WHERE run IN",
    "DELETE FROM params WHERE run IN",
    "DELETE FROM tags WHERE run IN",
    "DELETE FROM steps WHERE run IN",
    "DELETE FROM run_events WHERE run IN",
    "DELETE FROM source_state WHERE run IN",
    "DELETE FROM run_documents WHERE run IN",
];

/// What retention must know of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetentionRow {
    pub id: String,
    pub pipeline: String,
    /// Microseconds since 1970, as all times here.
    pub created: i64,
    /// Absent while the run has not ended.
    pub ended: Option<i64>,
    /// A person was asked in it.
    pub approvals: bool,
    /// It waits in the queue.
    pub queued: bool,
    /// Another run was started by it, or for it. Trials of its own searches do not count: they go along with it.
    pub children: bool,
}

impl Store {
    /// Every run that goes by itself: all but the trials of searches, which go with the run that searches.
    pub async fn retention_runs(&self) -> Result<Vec<RetentionRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, pipeline, created,
                 CASE WHEN status IN ('succeeded', 'failed', 'cancelled') THEN ended END AS ended,
                 EXISTS (SELECT 1 FROM step_approvals WHERE step_approvals.run = runs.id) AS approvals,
                 EXISTS (SELECT 1 FROM run_queue WHERE run_queue.run = runs.id AND state <> 'done') AS queued,
                 EXISTS (SELECT 1 FROM (SELECT parent FROM runs WHERE NOT ({TRIAL})) AS child
                         WHERE child.parent = runs.id) AS children
             FROM runs WHERE NOT ({TRIAL}) ORDER BY created, id",
        )));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let row = |row: &SqliteRow| -> Result<RetentionRow, sqlx::Error> {
            Ok(RetentionRow {
                id: row.try_get("id")?,
                pipeline: row.try_get("pipeline")?,
                created: row.try_get("created")?,
                ended: row.try_get("ended")?,
                approvals: row.try_get::<i64, _>("approvals")? != 0,
                queued: row.try_get::<i64, _>("queued")? != 0,
                children: row.try_get::<i64, _>("children")? != 0,
            })
        };
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// The trials of these runs' searches.
    pub async fn trials_of(&self, runs: &[String]) -> Result<Vec<String>, StoreError> {
        let mut trials = Vec::new();
        let mut reader = self.reader().await?;
        for batch in runs.chunks(IDS) {
            let query = sqlx::query_scalar_with(AssertSqlSafe(trials_sql(batch.len())), texts(batch)?);
            trials.extend(query.fetch_all(&mut *reader).await?);
        }
        Ok(trials)
    }

    /// Removes those of the runs that have ended before `cutoff` and that nothing has come to need meanwhile, with an
    /// audit record for each batch; the trials of their searches go with them. Gives all that are gone.
    pub async fn remove_runs(&self, runs: &[String], cutoff: i64, stamp: &Stamp) -> Result<Vec<String>, StoreError> {
        let mut gone = Vec::new();
        for batch in runs.chunks(BATCH) {
            let (batch, stamp) = (batch.to_vec(), stamp.clone());
            gone.extend(self.with_tx(move |tx| Box::pin(remove(tx, batch, cutoff, stamp))).await?);
        }
        Ok(gone)
    }
}

async fn remove(tx: &mut Tx, runs: Vec<String>, cutoff: i64, stamp: Stamp) -> Result<Vec<String>, StoreError> {
    let runs = still_to_go(tx, &runs, cutoff).await?;
    if runs.is_empty() {
        return Ok(runs);
    }
    let runs = with_trials(tx, runs).await?;
    for head in OF_RUNS.into_iter().chain(["DELETE FROM runs WHERE id IN"]) {
        for some in runs.chunks(IDS) {
            on_runs(tx, head, some).await?;
        }
    }
    let details = json!({ "what": "runs", "count": runs.len(), "ended_before": cutoff, "runs": runs });
    tx.audit(AuditEntry {
        stamp,
        action: "gc.removed".to_owned(),
        subject: "runs".to_owned(),
        details: details.to_string(),
    });
    Ok(runs)
}

/// The trials of these runs, then the runs themselves.
async fn with_trials(tx: &mut Tx, runs: Vec<String>) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query_scalar_with(AssertSqlSafe(trials_sql(runs.len())), texts(&runs)?);
    let mut all: Vec<String> = query.fetch_all(tx.connection().await?).await?;
    all.extend(runs);
    Ok(all)
}

fn trials_sql(runs: usize) -> String {
    format!("SELECT id FROM runs WHERE parent IN ({}) AND {TRIAL}", placeholders(runs))
}

/// A run may have been resumed, or become another run's parent, since it was looked at.
async fn still_to_go(tx: &mut Tx, runs: &[String], cutoff: i64) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT id FROM runs WHERE id IN ({}) AND status IN ('succeeded', 'failed', 'cancelled') AND ended < ?
             AND NOT EXISTS (SELECT 1 FROM (SELECT parent FROM runs WHERE NOT ({TRIAL})) AS child
                             WHERE child.parent = runs.id)
             AND NOT EXISTS (SELECT 1 FROM step_approvals WHERE step_approvals.run = runs.id)
             AND NOT EXISTS (SELECT 1 FROM run_queue WHERE run_queue.run = runs.id AND state <> 'done')",
        placeholders(runs.len())
    );
    let mut arguments = texts(runs)?;
    arguments.add(cutoff).map_err(sqlx::Error::Encode)?;
    // The text is made of literals of this crate alone; all data is bound.
    let query = sqlx::query_scalar_with(AssertSqlSafe(sql), arguments);
    Ok(query.fetch_all(tx.connection().await?).await?)
}

pub(super) async fn on_runs(tx: &mut Tx, head: &str, runs: &[String]) -> Result<u64, StoreError> {
    let sql = format!("{head} ({})", placeholders(runs.len()));
    // As above.
    let query = sqlx::query_with(AssertSqlSafe(sql), texts(runs)?);
    Ok(query.execute(tx.connection().await?).await?.rows_affected())
}

pub(super) fn texts(texts: &[String]) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    for text in texts {
        arguments.add(text.clone()).map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
