//! What monitors found in which window, and the actions that followed.
//!
//! An action is written together with the window that calls for it and is performed afterwards, so that a death in
//! between delays it and loses nothing.

use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use wasmlops_package::Digest;

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::row::{parsed, text, words};
use crate::store::Store;
use crate::writer::Tx;

words! {
    /// What became of an action.
    pub enum ActionState {
        Pending = "pending",
        Done = "done",
        /// Tried for the last time without success.
        Failed = "failed",
        /// Not done, because the rule had acted too recently or too often.
        Held = "held",
    }
}

/// A window that a monitor has judged. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, PartialEq, Debug)]
pub struct WindowRow {
    pub monitor: String,
    /// Counts the monitor's windows from 1.
    pub seq: i64,
    pub endpoint: String,
    /// The first row of the endpoint's inference log, and the one after the last.
    pub from_row: i64,
    pub to_row: i64,
    pub starts: i64,
    pub ends: i64,
    pub rows: i64,
    /// The model version that answered last.
    pub version: i64,
    /// The window's rows as a table.
    pub digest: Digest,
    /// The run that judged it.
    pub run: String,
    /// JSON.
    pub findings: String,
    /// How many findings call for attention.
    pub found: i64,
    pub error: Option<String>,
    pub time: i64,
}

/// An action that a rule calls for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionRow {
    pub id: String,
    pub monitor: String,
    pub seq: i64,
    pub rule: String,
    /// `alert`, `webhook`, `pause-canary`, `rollback`, `run`.
    pub kind: String,
    /// JSON.
    pub action: String,
    pub state: ActionState,
    pub attempts: i64,
    pub next_attempt: i64,
    /// One sentence for a person.
    pub outcome: Option<String>,
    pub created: i64,
    pub ended: Option<i64>,
}

/// How an attempt at an action ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionEnd {
    pub id: String,
    /// [`ActionState::Pending`] where it is to be tried again, at `next_attempt`.
    pub state: ActionState,
    pub next_attempt: i64,
    pub outcome: String,
}

impl Store {
    /// Records a window with the actions that it calls for, in one transaction with their audit records.
    ///
    /// # Errors
    /// [`StoreError::Database`] where the monitor has a window of that number already.
    pub async fn record_window(
        &self,
        window: WindowRow,
        actions: Vec<ActionRow>,
        stamp: Stamp,
    ) -> Result<(), StoreError> {
        self.with_tx(move |tx| {
            Box::pin(async move {
                insert_window(tx, &window).await?;
                tx.audit(observed(&window, stamp.clone()));
                for action in actions {
                    insert_action(tx, &action).await?;
                    let details = json!({ "rule": action.rule, "window": action.seq, "state": action.state.as_str() });
                    let subject = format!("monitor:{}", action.monitor);
                    tx.audit(entry(&stamp, format!("monitor.{}", action.kind), subject, details));
                }
                Ok(())
            })
        })
        .await
    }

    /// Notes how an attempt at an action ended.
    pub async fn end_action(&self, end: ActionEnd, stamp: Stamp) -> Result<(), StoreError> {
        self.with_tx(move |tx| {
            Box::pin(async move {
                let ended = (end.state != ActionState::Pending).then_some(stamp.time);
                sqlx::query(
                    "UPDATE monitor_actions SET state = $1, attempts = attempts + 1, next_attempt = $2, outcome = $3,
                         ended = $4
                     WHERE id = $5 AND state = 'pending'",
                )
                .bind(end.state.as_str())
                .bind(end.next_attempt)
                .bind(&end.outcome)
                .bind(ended)
                .bind(&end.id)
                .execute(tx.connection().await?)
                .await?;
                let details = json!({ "state": end.state.as_str(), "outcome": end.outcome });
                tx.audit(entry(&stamp, "monitor.acted".to_owned(), format!("action:{}", end.id), details));
                Ok(())
            })
        })
        .await
    }

    /// The monitor's windows, the newest first.
    pub async fn windows(&self, monitor: &str, limit: u32) -> Result<Vec<WindowRow>, StoreError> {
        let query = sqlx::query(
            "SELECT monitor, seq, endpoint, from_row, to_row, starts, ends, rows, version, digest, run, findings, found,
                    error, time
             FROM monitor_windows WHERE monitor = $1 ORDER BY seq DESC LIMIT $2",
        );
        let rows = query.bind(monitor).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(window).collect()
    }

    /// The actions that a window called for.
    pub async fn actions_of_window(&self, monitor: &str, seq: i64) -> Result<Vec<ActionRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, monitor, seq, rule, kind, action, state, attempts, next_attempt, outcome, created, ended
             FROM monitor_actions WHERE monitor = $1 AND seq = $2 ORDER BY id",
        );
        let rows = query.bind(monitor).bind(seq).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(action).collect()
    }

    /// Actions that are due, the oldest first.
    pub async fn due_actions(&self, now: i64, limit: u32) -> Result<Vec<ActionRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, monitor, seq, rule, kind, action, state, attempts, next_attempt, outcome, created, ended
             FROM monitor_actions WHERE state = 'pending' AND next_attempt <= $1 ORDER BY next_attempt, id LIMIT $2",
        );
        let rows = query.bind(now).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(action).collect()
    }

    /// When the rule acted since `since`, with the kind of each action; what was held back is left out.
    pub async fn rule_actions(&self, monitor: &str, rule: &str, since: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let query = sqlx::query_as(
            "SELECT created, kind FROM monitor_actions
             WHERE monitor = $1 AND rule = $2 AND created >= $3 AND state <> 'held' ORDER BY created",
        );
        Ok(query.bind(monitor).bind(rule).bind(since).fetch_all(&mut *self.reader().await?).await?)
    }
}

async fn insert_window(tx: &mut Tx, window: &WindowRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO monitor_windows (monitor, seq, endpoint, from_row, to_row, starts, ends, rows, version, digest, run,
             findings, found, error, time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(&window.monitor)
    .bind(window.seq)
    .bind(&window.endpoint)
    .bind(window.from_row)
    .bind(window.to_row)
    .bind(window.starts)
    .bind(window.ends)
    .bind(window.rows)
    .bind(window.version)
    .bind(text(&window.digest))
    .bind(&window.run)
    .bind(&window.findings)
    .bind(window.found)
    .bind(&window.error)
    .bind(window.time)
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

async fn insert_action(tx: &mut Tx, action: &ActionRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO monitor_actions (id, monitor, seq, rule, kind, action, state, attempts, next_attempt, outcome,
             created, ended)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&action.id)
    .bind(&action.monitor)
    .bind(action.seq)
    .bind(&action.rule)
    .bind(&action.kind)
    .bind(&action.action)
    .bind(action.state.as_str())
    .bind(action.attempts)
    .bind(action.next_attempt)
    .bind(&action.outcome)
    .bind(action.created)
    .bind(action.ended)
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

fn observed(window: &WindowRow, stamp: Stamp) -> AuditEntry {
    let details = json!({
        "endpoint": window.endpoint, "window": window.seq, "rows": window.rows, "run": window.run,
        "found": window.found, "error": window.error,
    });
    entry(&stamp, "monitor.observed".to_owned(), format!("monitor:{}", window.monitor), details)
}

fn entry(stamp: &Stamp, action: String, subject: String, details: serde_json::Value) -> AuditEntry {
    AuditEntry { stamp: stamp.clone(), action, subject, details: details.to_string() }
}

fn window(row: &SqliteRow) -> Result<WindowRow, StoreError> {
    Ok(WindowRow {
        monitor: row.try_get("monitor")?,
        seq: row.try_get("seq")?,
        endpoint: row.try_get("endpoint")?,
        from_row: row.try_get("from_row")?,
        to_row: row.try_get("to_row")?,
        starts: row.try_get("starts")?,
        ends: row.try_get("ends")?,
        rows: row.try_get("rows")?,
        version: row.try_get("version")?,
        digest: parsed(row, "digest")?,
        run: row.try_get("run")?,
        findings: row.try_get("findings")?,
        found: row.try_get("found")?,
        error: row.try_get("error")?,
        time: row.try_get("time")?,
    })
}

fn action(row: &SqliteRow) -> Result<ActionRow, StoreError> {
    Ok(ActionRow {
        id: row.try_get("id")?,
        monitor: row.try_get("monitor")?,
        seq: row.try_get("seq")?,
        rule: row.try_get("rule")?,
        kind: row.try_get("kind")?,
        action: row.try_get("action")?,
        state: parsed(row, "state")?,
        attempts: row.try_get("attempts")?,
        next_attempt: row.try_get("next_attempt")?,
        outcome: row.try_get("outcome")?,
        created: row.try_get("created")?,
        ended: row.try_get("ended")?,
    })
}
