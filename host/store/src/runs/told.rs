//! What else a change of a run means to others: verdicts of gates, and tables that came out otherwise than before.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{RunChange, StepStatus, TRIAL};
use crate::error::StoreError;
use crate::row::text;

/// A record for the audit: action, subject, details.
pub(super) type Told = (String, String, Value);

/// The kind of steps that judge.
const GATE: &str = "validator";

/// Verdicts of the steps that judge. One that broke down before it had a report has none.
pub(super) fn verdicts(run: &str, change: &RunChange) -> Vec<Told> {
    let mut told = Vec::new();
    for step in change.steps.iter().filter(|step| step.kind.as_deref() == Some(GATE)) {
        let report = change.outputs.iter().find(|output| output.step_key == step.step_key && output.name == "report");
        let report = report.map(|output| text(&output.digest));
        let verdict = match (step.status, &report) {
            (StepStatus::Succeeded, _) => "passed",
            (StepStatus::Failed, Some(_)) => "failed",
            _ => continue,
        };
        let details = json!({ "run": run, "step": step.step_key, "report": report });
        told.push((format!("gate.{verdict}"), format!("step:{run}/{}", step.step_key), details));
    }
    told
}

/// Whether the run is a trial of a search: nobody decided anything by its gate.
pub(super) async fn is_trial(connection: &mut SqliteConnection, run: &str) -> Result<bool, StoreError> {
    let sql = format!("SELECT {TRIAL} FROM runs WHERE id = $1");
    let found: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(run).fetch_optional(connection).await?;
    Ok(found == Some(1))
}

/// The tables of a run that has succeeded which differ from those of the run of the pipeline that succeeded before it.
pub(super) async fn changed_tables(connection: &mut SqliteConnection, run: &str) -> Result<Vec<Told>, StoreError> {
    type Row = (String, String, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT now.pipeline, made.step_key, made.name, made.digest, earlier.digest
         FROM runs now
         JOIN step_outputs made ON made.run = now.id AND made.rows IS NOT NULL
         LEFT JOIN step_outputs earlier ON earlier.step_key = made.step_key AND earlier.name = made.name
             AND earlier.run = (SELECT id FROM runs
                                WHERE pipeline = now.pipeline AND status = 'succeeded' AND id <> now.id
                                ORDER BY created DESC, id DESC LIMIT 1)
         WHERE now.id = $1 AND (earlier.digest IS NULL OR earlier.digest <> made.digest)
         ORDER BY made.step_key, made.name",
    )
    .bind(run)
    .fetch_all(connection)
    .await?;
    let told = |(pipeline, step, name, digest, before): Row| {
        let details = json!({
            "run": run, "pipeline": pipeline, "output": format!("{step}.{name}"), "digest": digest, "before": before,
        });
        ("dataset.changed".to_owned(), format!("dataset:{pipeline}/{step}.{name}"), details)
    };
    Ok(rows.into_iter().map(told).collect())
}
