//! A run's next events, with everything that they change.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::error::ErrorKind;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::told::{changed_tables, is_trial, verdicts};
use super::{NewEvents, OutputRow, RunChange, RunStatus, StepRow, TRIAL};
use crate::approvals::{insert_approvals, requested, settle_approvals};
use crate::artifacts::{ArtifactRow, insert_artifacts};
use crate::audit::AuditEntry;
use crate::cache::upsert_cache_entries;
use crate::error::StoreError;
use crate::lineage::insert_edges;
use crate::row::text;
use crate::script::{Insert, Script};
use crate::store::Store;
use crate::tracking::{check_points, insert_points, upsert_latest};
use crate::writer::Tx;

impl Store {
    /// Appends events and applies their change, all in one transaction. Gives the number of the next event.
    ///
    /// # Errors
    /// [`StoreError::RunNotFound`]; [`StoreError::EventConflict`] where the run has another number of events than the
    /// caller believes; [`StoreError::StatusConflict`] where the run has ended; [`StoreError::Refused`] for a metric's
    /// name.
    pub async fn append_events(&self, new: NewEvents) -> Result<i64, StoreError> {
        check_points(&new.change.metrics)?;
        self.with_tx(|tx| Box::pin(append(tx, new))).await
    }
}

async fn append(tx: &mut Tx, new: NewEvents) -> Result<i64, StoreError> {
    let next_seq = new.expected_next_seq + new.events.len() as i64;
    let turn = match new.change.status {
        Some(to) => {
            let before = status_before(tx.connection().await?, &new, to).await?;
            Some(Turn { from: before.status, to, pipeline: before.pipeline, is_trial: before.is_trial })
        }
        None => None,
    };
    // Without events nothing below would notice that the run has moved on.
    if turn.is_none() && new.events.is_empty() {
        let actual = next_seq_of(tx.connection().await?, &new.run).await?;
        if actual != Some(new.expected_next_seq) {
            return Err(conflict(new.run, new.expected_next_seq, actual));
        }
    }
    let NewEvents { run, events, change, stamp, expected_next_seq: expected } = new;
    let succeeded = turn.as_ref().is_some_and(|turn| turn.to == RunStatus::Succeeded && !turn.is_trial);
    let mut verdicts = verdicts(&run, &change);
    if !verdicts.is_empty() && is_trial(tx.connection().await?, &run).await? {
        verdicts.clear();
    }
    for (action, subject, details) in records(&run, turn.as_ref(), &change).into_iter().chain(verdicts) {
        tx.audit(AuditEntry { stamp: stamp.clone(), action, subject, details: details.to_string() });
    }
    let mut script = Script::new();
    if !events.is_empty() {
        insert_events(&mut script, &run, expected, stamp.time, events);
        advance(&mut script, &run, next_seq);
    }
    if let Some(turn) = turn {
        update_status(&mut script, &run, &turn, &change);
    }
    write_change(&mut script, &run, change, stamp.time);
    match tx.run(script).await {
        // No number for an event: the run is not where the caller believes.
        Err(error) if error.violated() == Some(ErrorKind::NotNullViolation) => {
            let actual = next_seq_of(tx.connection().await?, &run).await?;
            Err(if actual == Some(expected) { error } else { conflict(run, expected, actual) })
        }
        Ok(()) if succeeded => {
            for (action, subject, details) in changed_tables(tx.connection().await?, &run).await? {
                tx.audit(AuditEntry { stamp: stamp.clone(), action, subject, details: details.to_string() });
            }
            Ok(next_seq)
        }
        end => end.map(|()| next_seq),
    }
}

/// The run before the events, if it may become `to` by them.
async fn status_before(
    connection: &mut SqliteConnection,
    new: &NewEvents,
    to: RunStatus,
) -> Result<Before, StoreError> {
    let sql = format!("SELECT status, next_seq, pipeline, {TRIAL} FROM runs WHERE id = $1");
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(&new.run);
    let found: Option<(String, i64, String, bool)> = query.fetch_optional(connection).await?;
    let (status, actual, pipeline, is_trial) = found.ok_or_else(|| StoreError::RunNotFound(new.run.clone()))?;
    let run = new.run.clone();
    if actual != new.expected_next_seq {
        return Err(conflict(run, new.expected_next_seq, Some(actual)));
    }
    let status: RunStatus = status.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    match status.can_become(to) {
        true => Ok(Before { status, pipeline, is_trial }),
        false => Err(StoreError::StatusConflict { run, from: status, to }),
    }
}

async fn next_seq_of(connection: &mut SqliteConnection, run: &str) -> Result<Option<i64>, StoreError> {
    let query = sqlx::query_scalar("SELECT next_seq FROM runs WHERE id = $1").bind(run);
    Ok(query.fetch_optional(connection).await?)
}

fn conflict(run: String, expected: i64, actual: Option<i64>) -> StoreError {
    match actual {
        Some(actual) => StoreError::EventConflict { run, expected, actual },
        None => StoreError::RunNotFound(run),
    }
}

/// A run's way from one status to another.
struct Turn {
    from: RunStatus,
    to: RunStatus,
    pipeline: String,
    /// Of a search, whose own run tells what became of it.
    is_trial: bool,
}

/// What is known of a run before the events.
struct Before {
    status: RunStatus,
    pipeline: String,
    is_trial: bool,
}

impl Turn {
    fn is_resume(&self) -> bool {
        self.from.is_final() && !self.to.is_final()
    }
}

/// Each event gets its number only if the run has as many events as the caller believes; else the number is null, and
/// the statement fails.
fn insert_events(script: &mut Script, run: &str, expected: i64, time: i64, events: Vec<String>) {
    let insert = Insert {
        head: "INSERT INTO run_events (run, seq, time, event)",
        row: "(?, (SELECT next_seq + ? FROM runs WHERE id = ? AND next_seq = ?), ?, ?)",
        tail: "",
    };
    let mut offset = 0_i64;
    script.insert(insert, events, |values, event| {
        values.bind(run).bind(offset).bind(run).bind(expected).bind(time).bind(event);
        offset += 1;
    });
}

fn advance(script: &mut Script, run: &str, next_seq: i64) {
    script.statement("UPDATE runs SET next_seq = ? WHERE id = ?").bind(next_seq).bind(run);
}

fn update_status(script: &mut Script, run: &str, turn: &Turn, change: &RunChange) {
    script
        .statement(
            "UPDATE runs SET status = ?, started = COALESCE(started, ?), ended = ?, error = ?,
                 cancel_requested = CASE WHEN ? THEN NULL ELSE cancel_requested END
             WHERE id = ?",
        )
        .bind(turn.to.as_str())
        .bind(change.started)
        .bind(change.ended)
        .bind(change.error.as_deref())
        // An old request must not cancel a run that was resumed.
        .bind(turn.is_resume())
        .bind(run);
    if turn.to.is_final() {
        // Whoever ended it: nobody has to run it any more.
        script.statement("UPDATE run_queue SET state = 'done', claimed_by = NULL WHERE run = ?").bind(run);
    }
}

fn write_change(script: &mut Script, run: &str, change: RunChange, time: i64) {
    let artifacts: Vec<_> = change
        .outputs
        .iter()
        .map(|output| ArtifactRow {
            digest: output.digest,
            media_type: output.media_type.clone(),
            size: output.size,
            created: time,
        })
        .collect();
    upsert_steps(script, run, last_of_each(change.steps, |step| step.step_key.clone()));
    insert_artifacts(script, artifacts);
    let outputs = last_of_each(change.outputs, |output| (output.step_key.clone(), output.name.clone()));
    upsert_outputs(script, run, outputs);
    insert_edges(script, run, change.lineage);
    upsert_cache_entries(script, change.cache_entries);
    settle_approvals(script, run, change.settled, time);
    insert_approvals(script, run, change.approvals, time);
    upsert_latest(script, run, &change.metrics);
    insert_points(script, run, change.metrics);
}

/// One statement may touch a row once only.
fn last_of_each<T, K: Ord>(rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    if rows.len() < 2 {
        return rows;
    }
    let last: BTreeMap<K, T> = rows.into_iter().map(|row| (key(&row), row)).collect();
    last.into_values().collect()
}

fn upsert_steps(script: &mut Script, run: &str, steps: Vec<StepRow>) {
    let insert = Insert {
        head: "INSERT INTO steps (run, pipeline, step_key, position, uses, plugin_name, plugin_version, plugin_digest,
                   kind, status, cache, reason, attempts, started, ended, duration_ms, usage, error, cache_key,
                   key_parts)",
        row: "(?, (SELECT pipeline FROM runs WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tail: "ON CONFLICT (run, step_key) DO UPDATE SET
                   position = excluded.position, uses = excluded.uses, plugin_name = excluded.plugin_name,
                   plugin_version = excluded.plugin_version, plugin_digest = excluded.plugin_digest,
                   kind = excluded.kind, status = excluded.status, cache = excluded.cache, reason = excluded.reason,
                   attempts = excluded.attempts, started = excluded.started, ended = excluded.ended,
                   duration_ms = excluded.duration_ms, usage = excluded.usage, error = excluded.error,
                   cache_key = excluded.cache_key, key_parts = excluded.key_parts",
    };
    script.insert(insert, steps, |values, step| {
        values.bind(run).bind(run).bind(step.step_key).bind(step.position).bind(step.uses);
        values.bind(step.plugin_name).bind(step.plugin_version);
        values.bind(step.plugin_digest.map(|digest| text(&digest))).bind(step.kind);
        values.bind(step.status.as_str()).bind(step.cache.as_str()).bind(step.reason).bind(step.attempts);
        values.bind(step.started).bind(step.ended).bind(step.duration_ms).bind(step.usage).bind(step.error);
        values.bind(step.cache_key.map(|key| text(&key))).bind(step.key_parts);
    });
}

fn upsert_outputs(script: &mut Script, run: &str, outputs: Vec<OutputRow>) {
    let insert = Insert {
        head: "INSERT INTO step_outputs (run, step_key, name, digest, media_type, size, rows)",
        row: "(?, ?, ?, ?, ?, ?, ?)",
        tail: "ON CONFLICT (run, step_key, name) DO UPDATE SET digest = excluded.digest,
                   media_type = excluded.media_type, size = excluded.size, rows = excluded.rows",
    };
    script.insert(insert, outputs, |values, output| {
        values.bind(run).bind(output.step_key).bind(output.name).bind(text(&output.digest));
        values.bind(output.media_type).bind(output.size).bind(output.rows);
    });
}

/// What the audit says of a change: the run's own turns, what it asks people, and how each step ended, with the bytes it made. Metric
/// points and lineage are covered by the record of their step.
fn records(run: &str, turn: Option<&Turn>, change: &RunChange) -> Vec<(String, String, serde_json::Value)> {
    let mut records = Vec::new();
    if let Some(turn) = turn {
        let action = match turn.to {
            _ if turn.is_resume() => "run.resumed".to_owned(),
            RunStatus::Running if turn.from == RunStatus::Waiting => "run.resumed".to_owned(),
            RunStatus::Running => "run.started".to_owned(),
            to => format!("run.{to}"),
        };
        let mut details = json!({ "from": turn.from.as_str(), "pipeline": turn.pipeline });
        if turn.is_trial {
            details["trial"] = json!(true);
        }
        records.push((action, format!("run:{run}"), details));
    }
    records.extend(change.approvals.iter().map(|approval| requested(run, approval)));
    for step in change.steps.iter().filter(|step| step.status.is_final()) {
        let made: serde_json::Map<_, _> = change
            .outputs
            .iter()
            .filter(|output| output.step_key == step.step_key)
            .map(|output| (output.name.clone(), text(&output.digest).into()))
            .collect();
        let plugin = step.plugin_digest.map(|digest| text(&digest));
        let details = json!({ "cache": step.cache.as_str(), "plugin": plugin, "made": made });
        records.push((format!("step.{}", step.status), format!("step:{run}/{}", step.step_key), details));
    }
    records
}
