//! `wasmlops runs list|show|logs|cancel`.

use anyhow::Result;
use serde_json::{Value, json};
use wasmlops_server::clock::rfc3339;
use wasmlops_server::runs;
use wasmlops_store::{LogRow, RunStatus};

use crate::args::StatusArg;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text;

pub async fn list(
    settings: &Settings,
    pipeline: Option<String>,
    status: Option<StatusArg>,
    limit: u32,
    printer: &Printer,
) -> Result<Outcome> {
    let host = settings.host().await?;
    let runs = runs::list(&host, pipeline, status.map(row_status), limit).await?;
    printer.data(&json!({ "runs": runs }), || {
        let mut table = TextTable::new(&["run", "pipeline", "status", "created", ">time"]);
        for run in &runs {
            let time = run.duration_ms.map_or_else(text::dash, text::millis);
            table.row([run.run.clone(), run.pipeline.clone(), run.status.clone(), run.created.clone(), time]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

fn row_status(status: StatusArg) -> RunStatus {
    match status {
        StatusArg::Scheduled => RunStatus::Scheduled,
        StatusArg::Running => RunStatus::Running,
        StatusArg::Succeeded => RunStatus::Succeeded,
        StatusArg::Failed => RunStatus::Failed,
        StatusArg::Cancelled => RunStatus::Cancelled,
    }
}

pub async fn show(settings: &Settings, run: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(run).await?;
    let view = runs::show(&host, &id).await?;
    printer.data(&view, || text::run(&view))?;
    Ok(Outcome::Done)
}

pub async fn logs(settings: &Settings, run: &str, step: Option<String>, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(run).await?;
    let lines = runs::logs(&host, &id, step).await?;
    let views: Vec<Value> = lines.iter().map(json_line).collect();
    printer.data(&json!({ "run": id, "lines": views }), || lines.iter().map(text_line).collect())?;
    Ok(Outcome::Done)
}

fn json_line(line: &LogRow) -> Value {
    json!({
        "time": rfc3339(line.time), "step": line.step_key, "attempt": line.attempt, "level": line.level,
        "message": line.message, "fields": fields(line),
    })
}

fn text_line(line: &LogRow) -> String {
    let fields = fields(line);
    let fields = fields.as_object().into_iter().flatten().map(|(key, value)| format!(" {key}={value}"));
    let fields: String = fields.collect();
    format!("{} {} {:<5} {}{fields}\n", rfc3339(line.time), line.step_key, line.level, line.message)
}

/// As an object; the store keeps a list of pairs.
fn fields(line: &LogRow) -> Value {
    let pairs: Vec<(String, String)> = serde_json::from_str(&line.fields).unwrap_or_default();
    pairs.into_iter().map(|(key, value)| (key, Value::String(value))).collect()
}

pub async fn cancel(settings: &Settings, run: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(run).await?;
    let view = runs::cancel(&host, &id).await?;
    printer.data(&view, || format!("run {id} was asked to stop"))?;
    Ok(Outcome::Done)
}
