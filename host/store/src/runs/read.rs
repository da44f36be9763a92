//! What is known of one run.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::{EventRow, OutputRow, RunRow, SourceState, StepRow};
use crate::error::StoreError;
use crate::row::{optional_digest, parsed};
use crate::store::Store;

/// All of a run but its graph, which may be large.
pub(super) const SELECT_RUNS: &str = "SELECT id, project, experiment, pipeline, name, status, nominal_time, seed,
    parent, origin, actor, created, started, ended, cancel_requested, error, next_seq, params
    FROM runs JOIN run_documents ON run_documents.run = runs.id";

impl Store {
    pub async fn load_run(&self, run: &str) -> Result<Option<RunRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(format!("{SELECT_RUNS} WHERE id = $1")));
        let row = query.bind(run).fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.as_ref().map(run_row).transpose()?)
    }

    /// The runs that belong to a run, oldest first.
    pub async fn children_of(&self, run: &str) -> Result<Vec<RunRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(format!("{SELECT_RUNS} WHERE parent = $1 ORDER BY created, id")));
        let rows = query.bind(run).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(run_row).collect::<Result<_, _>>()?)
    }

    /// The run's exact plan, as it was given.
    pub async fn run_graph(&self, run: &str) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT graph FROM run_documents WHERE run = $1").bind(run);
        Ok(query.fetch_optional(&mut *self.reader().await?).await?)
    }

    pub async fn run_source(&self, run: &str) -> Result<Option<SourceState>, StoreError> {
        let query =
            sqlx::query("SELECT git_commit, branch, dirty_digest, patch_digest FROM source_state WHERE run = $1");
        let row = query.bind(run).fetch_optional(&mut *self.reader().await?).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(SourceState {
            git_commit: row.try_get("git_commit")?,
            branch: row.try_get("branch")?,
            dirty_digest: optional_digest(&row, "dirty_digest")?,
            patch_digest: optional_digest(&row, "patch_digest")?,
        }))
    }

    /// All events of a run, in order.
    pub async fn events(&self, run: &str) -> Result<Vec<EventRow>, StoreError> {
        self.events_from(run, 0).await
    }

    /// The events of a run from number `first` on: for those who follow it.
    pub async fn events_from(&self, run: &str, first: i64) -> Result<Vec<EventRow>, StoreError> {
        let query = sqlx::query("SELECT seq, time, event FROM run_events WHERE run = $1 AND seq >= $2 ORDER BY seq");
        let rows = query.bind(run).bind(first).fetch_all(&mut *self.reader().await?).await?;
        let event = |row: &SqliteRow| {
            Ok(EventRow { seq: row.try_get("seq")?, time: row.try_get("time")?, event: row.try_get("event")? })
        };
        rows.iter().map(event).collect()
    }

    /// Up to `limit` events of a run from number `first` on.
    pub async fn events_page(&self, run: &str, first: i64, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        let query =
            sqlx::query("SELECT seq, time, event FROM run_events WHERE run = $1 AND seq >= $2 ORDER BY seq LIMIT $3");
        let rows = query.bind(run).bind(first).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        let event = |row: &SqliteRow| {
            Ok(EventRow { seq: row.try_get("seq")?, time: row.try_get("time")?, event: row.try_get("event")? })
        };
        rows.iter().map(event).collect()
    }

    /// A run's steps, in the plan's order.
    pub async fn steps(&self, run: &str) -> Result<Vec<StepRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM steps WHERE run = $1 ORDER BY position, step_key").bind(run);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(step_row).collect::<Result<_, _>>()?)
    }

    /// The outputs of all steps of a run.
    pub async fn outputs(&self, run: &str) -> Result<Vec<OutputRow>, StoreError> {
        let query = sqlx::query(
            "SELECT step_key, name, digest, media_type, size, rows FROM step_outputs
             WHERE run = $1 ORDER BY step_key, name",
        );
        let rows = query.bind(run).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(output_row).collect::<Result<_, _>>()?)
    }
}

pub(super) fn run_row(row: &SqliteRow) -> Result<RunRow, sqlx::Error> {
    Ok(RunRow {
        id: row.try_get("id")?,
        project: row.try_get("project")?,
        experiment: row.try_get("experiment")?,
        pipeline: row.try_get("pipeline")?,
        name: row.try_get("name")?,
        status: parsed(row, "status")?,
        params: row.try_get("params")?,
        nominal_time: row.try_get("nominal_time")?,
        seed: row.try_get::<i64, _>("seed")?.cast_unsigned(),
        parent: row.try_get("parent")?,
        origin: row.try_get("origin")?,
        actor: row.try_get("actor")?,
        created: row.try_get("created")?,
        started: row.try_get("started")?,
        ended: row.try_get("ended")?,
        cancel_requested: row.try_get("cancel_requested")?,
        error: row.try_get("error")?,
        next_seq: row.try_get("next_seq")?,
    })
}

fn step_row(row: &SqliteRow) -> Result<StepRow, sqlx::Error> {
    Ok(StepRow {
        step_key: row.try_get("step_key")?,
        position: row.try_get("position")?,
        uses: row.try_get("uses")?,
        plugin_name: row.try_get("plugin_name")?,
        plugin_version: row.try_get("plugin_version")?,
        plugin_digest: optional_digest(row, "plugin_digest")?,
        kind: row.try_get("kind")?,
        status: parsed(row, "status")?,
        cache: parsed(row, "cache")?,
        reason: row.try_get("reason")?,
        attempts: row.try_get("attempts")?,
        started: row.try_get("started")?,
        ended: row.try_get("ended")?,
        duration_ms: row.try_get("duration_ms")?,
        usage: row.try_get("usage")?,
        error: row.try_get("error")?,
        cache_key: optional_digest(row, "cache_key")?,
        key_parts: row.try_get("key_parts")?,
    })
}

fn output_row(row: &SqliteRow) -> Result<OutputRow, sqlx::Error> {
    Ok(OutputRow {
        step_key: row.try_get("step_key")?,
        name: row.try_get("name")?,
        digest: parsed(row, "digest")?,
        media_type: row.try_get("media_type")?,
        size: row.try_get("size")?,
        rows: row.try_get("rows")?,
    })
}
