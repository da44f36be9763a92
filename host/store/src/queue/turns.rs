//! A run's way through the queue: claimed by a process, given back, or taken out because it kills whoever runs it.

use serde_json::json;

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::runs::RunStatus;
use crate::script::Script;
use crate::store::Store;

/// What a process gets that wants to run a waiting run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// It is this process's. With how many attempts, this one included.
    Taken { attempts: i64 },
    /// Somebody else was faster, or it has ended.
    Gone,
}

impl Store {
    /// Takes a waiting run for a process, and counts the attempt. Whoever calls this holds the run's lock.
    pub async fn claim(&self, run: &str, by: &str, now: i64) -> Result<Claim, StoreError> {
        let (run, by) = (run.to_owned(), by.to_owned());
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query_scalar(
                    "UPDATE run_queue SET state = 'claimed', claimed_by = $1, claimed = $2, attempts = attempts + 1
                     WHERE run = $3 AND state = 'queued' RETURNING attempts",
                );
                let attempts = query.bind(by).bind(now).bind(run).fetch_optional(tx.connection().await?).await?;
                Ok(attempts.map_or(Claim::Gone, |attempts| Claim::Taken { attempts }))
            })
        })
        .await
    }

    /// Gives a claimed run back. Whoever calls this holds the run's lock. `counts`: whether the attempt counts, as that
    /// of a process that died does.
    pub async fn give_back(&self, run: &str, counts: bool) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query(
                    "UPDATE run_queue SET state = 'queued', claimed_by = NULL, claimed = NULL, attempts = attempts - $1
                     WHERE run = $2 AND state = 'claimed'",
                );
                query.bind(i64::from(!counts)).bind(run).execute(tx.connection().await?).await?;
                Ok(())
            })
        })
        .await
    }

    /// Takes a run out of the queue that waits for something else, such as a decision; [`super::requeue`]
    /// brings it back.
    pub async fn leave_queue(&self, run: &str) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query(
                    "UPDATE run_queue SET state = 'done', claimed_by = NULL, claimed = NULL
                     WHERE run = $1 AND state = 'claimed'",
                );
                query.bind(run).execute(tx.connection().await?).await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends a run as failed that nobody is to run any more, with its steps that run. `error` is JSON. Nothing changes
    /// where it has ended.
    pub async fn quarantine(&self, run: &str, error: String, stamp: Stamp) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query_scalar("SELECT status FROM runs WHERE id = $1").bind(&run);
                let found: Option<String> = query.fetch_optional(tx.connection().await?).await?;
                let status = found.ok_or_else(|| StoreError::RunNotFound(run.clone()))?;
                let status: RunStatus = status.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                if status.is_final() {
                    return Ok(());
                }
                let mut script = Script::new();
                fail(&mut script, &run, &error, stamp.time);
                tx.audit(AuditEntry {
                    stamp,
                    action: "run.failed".to_owned(),
                    subject: format!("run:{run}"),
                    details: json!({ "from": status.as_str(), "because": "quarantined" }).to_string(),
                });
                tx.run(script).await
            })
        })
        .await
    }
}

fn fail(script: &mut Script, run: &str, error: &str, now: i64) {
    script
        .statement("UPDATE runs SET status = 'failed', ended = ?, error = ? WHERE id = ?")
        .bind(now)
        .bind(error)
        .bind(run);
    script
        .statement(
            "UPDATE steps SET status = 'failed', ended = ?, error = ?
             WHERE run = ? AND status IN ('running', 'retrying')",
        )
        .bind(now)
        .bind(error)
        .bind(run);
    script.statement("UPDATE run_queue SET state = 'done', claimed_by = NULL WHERE run = ?").bind(run);
}
