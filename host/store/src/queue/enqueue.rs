//! Putting runs into the queue.

use serde_json::json;

use super::{QueueRow, QueueState};
use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::runs::{NewRun, RunStatus, create};
use crate::script::Script;
use crate::store::Store;
use crate::tracking::check_params;
use crate::writer::Tx;

/// A run to be created and to wait.
#[derive(Clone, Debug)]
pub struct NewQueued {
    pub run: NewRun,
    /// What was asked for, as a digest: with the same id and submission the run that is there is meant.
    pub submission: String,
    pub priority: i32,
    pub use_cache: bool,
    pub trace: Option<String>,
    /// So many runs may wait; beyond it this one is refused.
    pub most: u32,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Enqueued {
    Created,
    /// By the same submission.
    AlreadyThere,
    /// A run of that id was asked for otherwise.
    Differs,
    /// So many wait already.
    Full(i64),
}

/// Creates a run and puts it into the queue, with its audit record, in the caller's transaction.
///
/// # Errors
/// Those of [`Store::create_run`], but for [`StoreError::RunExists`].
pub async fn enqueue(tx: &mut Tx, new: NewQueued) -> Result<Enqueued, StoreError> {
    check_params(&new.run.tracked)?;
    if let Some(submission) = submission_of(tx, &new.run.id).await? {
        let is_same = submission.is_some_and(|submission| submission == new.submission);
        return Ok(if is_same { Enqueued::AlreadyThere } else { Enqueued::Differs });
    }
    let waiting = waiting(tx).await?;
    if waiting >= i64::from(new.most) {
        return Ok(Enqueued::Full(waiting));
    }
    let NewQueued { run, submission, priority, use_cache, trace, most: _ } = new;
    let row = QueueRow {
        run: run.id.clone(),
        pipeline: run.pipeline.clone(),
        priority,
        use_cache,
        trace,
        state: QueueState::Queued,
        enqueued: run.stamp.time,
        claimed_by: None,
        claimed: None,
        attempts: 0,
        origin: run.origin.clone(),
        actor: run.stamp.actor.clone(),
    };
    create(tx, run, |script| insert(script, &row, Some(&submission))).await?;
    Ok(Enqueued::Created)
}

/// What a run that is known was asked for by; the inner `None`: not by a submission.
async fn submission_of(tx: &mut Tx, run: &str) -> Result<Option<Option<String>>, StoreError> {
    let query = sqlx::query_scalar(
        "SELECT run_queue.submission FROM runs LEFT JOIN run_queue ON run_queue.run = runs.id WHERE runs.id = $1",
    );
    Ok(query.bind(run).fetch_optional(tx.connection().await?).await?)
}

async fn waiting(tx: &mut Tx) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("SELECT COUNT(*) FROM run_queue WHERE state = 'queued' AND state <> 'done'");
    Ok(query.fetch_one(tx.connection().await?).await?)
}

fn insert(script: &mut Script, row: &QueueRow, submission: Option<&str>) {
    script
        .statement(
            "INSERT INTO run_queue (run, pipeline, submission, priority, use_cache, trace, state, enqueued)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (run) DO UPDATE SET state = excluded.state, enqueued = excluded.enqueued,
                 claimed_by = NULL, claimed = NULL, attempts = 0",
        )
        .bind(row.run.as_str())
        .bind(row.pipeline.as_str())
        .bind(submission)
        .bind(row.priority)
        .bind(row.use_cache)
        .bind(row.trace.as_deref())
        .bind(row.state.as_str())
        .bind(row.enqueued);
}

/// Lets a run that is known wait for a server again: one that failed or was cancelled, whose status is `scheduled` then,
/// or one whose pause is over. Gives `false`, and changes nothing, where it has succeeded.
///
/// # Errors
/// [`StoreError::RunNotFound`].
pub async fn requeue(tx: &mut Tx, run: &str, stamp: Stamp) -> Result<bool, StoreError> {
    let query = sqlx::query_as("SELECT status, pipeline FROM runs WHERE id = $1").bind(run);
    let found: Option<(String, String)> = query.fetch_optional(tx.connection().await?).await?;
    let (status, pipeline) = found.ok_or_else(|| StoreError::RunNotFound(run.to_owned()))?;
    let status: RunStatus = status.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    if status == RunStatus::Succeeded {
        return Ok(false);
    }
    let row = QueueRow {
        run: run.to_owned(),
        pipeline,
        priority: 0,
        use_cache: true,
        trace: None,
        state: QueueState::Queued,
        enqueued: stamp.time,
        claimed_by: None,
        claimed: None,
        attempts: 0,
        origin: String::new(),
        actor: String::new(),
    };
    let mut script = Script::new();
    insert(&mut script, &row, None);
    if status.is_final() {
        reopen(&mut script, run);
        tx.audit(resumed(run, status, stamp));
    }
    tx.run(script).await?;
    Ok(true)
}

fn reopen(script: &mut Script, run: &str) {
    script
        .statement(
            "UPDATE runs SET status = 'scheduled', ended = NULL, error = NULL, cancel_requested = NULL
             WHERE id = ? AND status IN ('failed', 'cancelled')",
        )
        .bind(run);
}

fn resumed(run: &str, from: RunStatus, stamp: Stamp) -> AuditEntry {
    AuditEntry {
        stamp,
        action: "run.resumed".to_owned(),
        subject: format!("run:{run}"),
        details: json!({ "from": from.as_str() }).to_string(),
    }
}

impl Store {
    /// Takes back the end of a run that failed or was cancelled: its status is `scheduled`, and it is in no queue.
    ///
    /// # Errors
    /// [`StoreError::RunNotFound`].
    pub async fn reopen_run(&self, run: &str, stamp: Stamp) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query_scalar("SELECT status FROM runs WHERE id = $1").bind(&run);
                let found: Option<String> = query.fetch_optional(tx.connection().await?).await?;
                let status = found.ok_or_else(|| StoreError::RunNotFound(run.clone()))?;
                let status: RunStatus = status.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                if matches!(status, RunStatus::Failed | RunStatus::Cancelled) {
                    let mut script = Script::new();
                    reopen(&mut script, &run);
                    tx.audit(resumed(&run, status, stamp));
                    tx.run(script).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// [`enqueue`] in a transaction of its own.
    pub async fn enqueue(&self, new: NewQueued) -> Result<Enqueued, StoreError> {
        self.with_tx(move |tx| Box::pin(enqueue(tx, new))).await
    }

    /// [`requeue`] in a transaction of its own.
    pub async fn requeue(&self, run: &str, stamp: Stamp) -> Result<bool, StoreError> {
        let run = run.to_owned();
        self.with_tx(move |tx| Box::pin(async move { requeue(tx, &run, stamp).await })).await
    }
}
