//! Experiments: what runs are grouped by.

use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::names::{EXPERIMENT_NAME_MAX, check_length};
use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::script::Script;
use crate::store::Store;
use crate::writer::Tx;

/// Experiment `0`, `Default`, is there from the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExperimentRow {
    /// A decimal number, as MLflow's clients expect.
    pub id: String,
    pub name: String,
    pub created: i64,
}

impl Store {
    /// The experiment of this name, created where there is none.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an empty name or one of more than 500 characters.
    pub async fn ensure_experiment(&self, name: &str, stamp: Stamp) -> Result<ExperimentRow, StoreError> {
        if name.trim().is_empty() {
            return Err(StoreError::refused("an experiment's name", "it is empty"));
        }
        check_length("an experiment's name", name, EXPERIMENT_NAME_MAX)?;
        if let Some(experiment) = self.experiment_by_name(name).await? {
            return Ok(experiment);
        }
        let name = name.to_owned();
        self.with_tx(|tx| Box::pin(create(tx, name, stamp))).await
    }

    pub async fn experiment_by_name(&self, name: &str) -> Result<Option<ExperimentRow>, StoreError> {
        let query = sqlx::query("SELECT id, name, created FROM experiments WHERE project = 'default' AND name = $1");
        let row = query.bind(name).fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.as_ref().map(experiment_row).transpose()?)
    }

    /// All experiments, oldest first.
    pub async fn experiments(&self) -> Result<Vec<ExperimentRow>, StoreError> {
        let query = sqlx::query("SELECT id, name, created FROM experiments ORDER BY created, id");
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(experiment_row).collect::<Result<_, _>>()?)
    }
}

async fn create(tx: &mut Tx, name: String, stamp: Stamp) -> Result<ExperimentRow, StoreError> {
    // Somebody may have created it since the look from outside.
    let query = sqlx::query("SELECT id, name, created FROM experiments WHERE project = 'default' AND name = $1");
    if let Some(row) = query.bind(&name).fetch_optional(tx.connection().await?).await? {
        return Ok(experiment_row(&row)?);
    }
    let highest: i64 =
        sqlx::query_scalar("SELECT MAX(CAST(id AS BIGINT)) FROM experiments").fetch_one(tx.connection().await?).await?;
    let experiment = ExperimentRow { id: (highest + 1).to_string(), name, created: stamp.time };
    let mut script = Script::new();
    script
        .statement("INSERT INTO experiments (id, name, created) VALUES (?, ?, ?)")
        .bind(experiment.id.as_str())
        .bind(experiment.name.as_str())
        .bind(experiment.created);
    tx.run(script).await?;
    tx.audit(AuditEntry {
        stamp,
        action: "experiment.created".to_owned(),
        subject: format!("experiment:{}", experiment.id),
        details: json!({ "name": experiment.name }).to_string(),
    });
    Ok(experiment)
}

fn experiment_row(row: &SqliteRow) -> Result<ExperimentRow, sqlx::Error> {
    Ok(ExperimentRow { id: row.try_get("id")?, name: row.try_get("name")?, created: row.try_get("created")? })
}
