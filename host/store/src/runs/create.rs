//! Creating a run.

use serde_json::json;
use sqlx::error::ErrorKind;

use super::{NewRun, RunStatus, SourceState};
use crate::audit::AuditEntry;
use crate::error::StoreError;
use crate::row::text;
use crate::script::Script;
use crate::store::Store;
use crate::tracking::{check_params, insert_params};
use crate::writer::Tx;

impl Store {
    /// Records a run before anything of it starts.
    ///
    /// # Errors
    /// [`StoreError::RunExists`], [`StoreError::ExperimentNotFound`]; [`StoreError::RunNotFound`] for the parent;
    /// [`StoreError::Refused`] for a tracked parameter.
    pub async fn create_run(&self, run: NewRun) -> Result<(), StoreError> {
        check_params(&run.tracked)?;
        self.with_tx(move |tx| Box::pin(create(tx, run, |_| {}))).await
    }
}

/// Records a run in a transaction, and then what `more` adds, which may refer to it.
pub(crate) async fn create(
    tx: &mut Tx,
    mut run: NewRun,
    more: impl FnOnce(&mut Script) + Send,
) -> Result<(), StoreError> {
    if let Some(parent) = &run.parent
        && !exists(tx.connection().await?, parent).await?
    {
        return Err(StoreError::RunNotFound(parent.clone()));
    }
    let mut script = Script::new();
    insert_run(&mut script, &run);
    insert_documents(&mut script, &run);
    if let Some(source) = &run.source {
        insert_source(&mut script, &run.id, source);
    }
    let tracked = std::mem::take(&mut run.tracked);
    let keys = tracked.iter().map(|(key, _)| key.clone()).collect();
    insert_params(&mut script, &run.id, tracked);
    more(&mut script);
    let (id, experiment) = (run.id.clone(), run.experiment.clone());
    tx.audit(created(run, keys));
    tx.run(script).await.map_err(|error| match error.violated() {
        Some(ErrorKind::UniqueViolation) => StoreError::RunExists(id),
        Some(ErrorKind::ForeignKeyViolation) => StoreError::ExperimentNotFound(experiment),
        _ => error,
    })
}

async fn exists(connection: &mut sqlx::SqliteConnection, run: &str) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM runs WHERE id = $1").bind(run).fetch_optional(connection).await?;
    Ok(found.is_some())
}

fn insert_run(script: &mut Script, run: &NewRun) {
    script
        .statement(
            "INSERT INTO runs (id, experiment, pipeline, name, status, nominal_time, seed, parent, origin, actor,
                 created)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(run.id.as_str())
        .bind(run.experiment.as_str())
        .bind(run.pipeline.as_str())
        .bind(run.name.as_str())
        .bind(RunStatus::Scheduled.as_str())
        .bind(run.nominal_time)
        // SQL knows signed numbers only: the same 64 bits.
        .bind(run.seed.cast_signed())
        .bind(run.parent.as_deref())
        .bind(run.origin.as_str())
        .bind(run.stamp.actor.as_str())
        .bind(run.stamp.time);
}

fn insert_documents(script: &mut Script, run: &NewRun) {
    script
        .statement("INSERT INTO run_documents (run, params, graph) VALUES (?, ?, ?)")
        .bind(run.id.as_str())
        .bind(run.params.as_str())
        .bind(run.graph.as_str());
}

fn insert_source(script: &mut Script, run: &str, source: &SourceState) {
    script
        .statement(
            "INSERT INTO source_state (run, git_commit, branch, dirty_digest, patch_digest) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(run)
        .bind(source.git_commit.as_deref())
        .bind(source.branch.as_deref())
        .bind(source.dirty_digest.map(|digest| text(&digest)))
        .bind(source.patch_digest.map(|digest| text(&digest)));
}

/// Keys of parameters only: values may be long, or secret by mistake.
fn created(run: NewRun, params: Vec<String>) -> AuditEntry {
    let details = json!({
        "pipeline": run.pipeline, "experiment": run.experiment, "parent": run.parent, "origin": run.origin,
        "params": params,
    });
    AuditEntry {
        stamp: run.stamp,
        action: "run.created".to_owned(),
        subject: format!("run:{}", run.id),
        details: details.to_string(),
    }
}
