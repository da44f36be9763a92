//! Rows that go by their age while their run or endpoint stays: log lines, metric points, inference segments.

use serde_json::json;

use super::runs::on_runs;
use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Tx;

/// Runs or segments in one transaction.
const BATCH: usize = 50;

/// A class of rows that goes by age.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aged {
    /// Log lines of runs that ended before.
    Logs,
    /// Metric points of runs that ended before. The last value of each metric is kept elsewhere.
    Metrics,
    /// Segments of inference logs whose last row was answered before.
    Inference,
}

/// How many rows went, or would go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Removed {
    pub rows: u64,
    /// Runs or segments that they are of.
    pub groups: u64,
}

impl Aged {
    fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Inference => "inference",
        }
    }

    fn count(self) -> &'static str {
        match self {
            Self::Logs => {
                "SELECT COUNT(*), COUNT(DISTINCT run) FROM log_lines JOIN runs ON runs.id = run
                 WHERE status IN ('succeeded', 'failed', 'cancelled') AND ended < $1"
            }
            Self::Metrics => {
                "SELECT COUNT(*), COUNT(DISTINCT run) FROM metric_points JOIN runs ON runs.id = run
                 WHERE status IN ('succeeded', 'failed', 'cancelled') AND ended < $1"
            }
            Self::Inference => "SELECT COALESCE(SUM(rows), 0), COUNT(*) FROM inference_segments WHERE last_time < $1",
        }
    }

    /// What is to go next, a batch of it.
    fn next(self) -> &'static str {
        match self {
            Self::Logs => {
                "SELECT id FROM runs WHERE status IN ('succeeded', 'failed', 'cancelled') AND ended < $1
                     AND EXISTS (SELECT 1 FROM log_lines WHERE run = runs.id) ORDER BY id LIMIT $2"
            }
            Self::Metrics => {
                "SELECT id FROM runs WHERE status IN ('succeeded', 'failed', 'cancelled') AND ended < $1
                     AND EXISTS (SELECT 1 FROM metric_points WHERE run = runs.id) ORDER BY id LIMIT $2"
            }
            Self::Inference => {
                "SELECT CAST(id AS TEXT) FROM inference_segments WHERE last_time < $1 ORDER BY id LIMIT $2"
            }
        }
    }
}

impl Store {
    /// What would go of rows before `cutoff` (microseconds since 1970).
    pub async fn count_aged(&self, aged: Aged, cutoff: i64) -> Result<Removed, StoreError> {
        let query = sqlx::query_as(aged.count()).bind(cutoff);
        let (rows, groups): (i64, i64) = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(Removed { rows: rows.unsigned_abs(), groups: groups.unsigned_abs() })
    }

    /// Removes rows before `cutoff`, with an audit record for each batch.
    pub async fn remove_aged(&self, aged: Aged, cutoff: i64, stamp: &Stamp) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        loop {
            let stamp = stamp.clone();
            let batch = self.with_tx(move |tx| Box::pin(remove(tx, aged, cutoff, stamp))).await?;
            if batch.groups == 0 {
                return Ok(removed);
            }
            removed.rows += batch.rows;
            removed.groups += batch.groups;
        }
    }
}

async fn remove(tx: &mut Tx, aged: Aged, cutoff: i64, stamp: Stamp) -> Result<Removed, StoreError> {
    let query = sqlx::query_scalar(aged.next()).bind(cutoff).bind(BATCH as i64);
    let groups: Vec<String> = query.fetch_all(tx.connection().await?).await?;
    if groups.is_empty() {
        return Ok(Removed::default());
    }
    let rows = match aged {
        Aged::Logs => on_runs(tx, "DELETE FROM log_lines WHERE run IN", &groups).await?,
        Aged::Metrics => on_runs(tx, "DELETE FROM metric_points WHERE run IN", &groups).await?,
        Aged::Inference => {
            let rows = on_runs(tx, "DELETE FROM inference_ids WHERE CAST(segment AS TEXT) IN", &groups).await?;
            on_runs(tx, "DELETE FROM inference_segments WHERE CAST(id AS TEXT) IN", &groups).await?;
            rows
        }
    };
    let details = json!({ "what": aged.name(), "rows": rows, "groups": groups.len(), "before": cutoff });
    tx.audit(AuditEntry {
        stamp,
        action: "gc.removed".to_owned(),
        subject: aged.name().to_owned(),
        details: details.to_string(),
    });
    Ok(Removed { rows, groups: groups.len() as u64 })
}
