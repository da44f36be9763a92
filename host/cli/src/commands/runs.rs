//! `wasmlops runs list|queue|show|logs|cancel|compare`.

pub mod compare;

use anyhow::Result;
use serde_json::{Value, json};
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};
use wasmlops_server::clock::{parse_rfc3339, rfc3339};
use wasmlops_server::host::Host;
use wasmlops_server::runs;
use wasmlops_store::{LogRow, RunFilter, RunStatus};

use crate::args::{RunsCommand, StatusArg};
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text;

pub async fn list(settings: &Settings, command: RunsCommand, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let page = runs::list(&host, &filter(&host, command).await?).await?;
    let mut shown = json!({ "runs": page.runs });
    if let Some(next) = &page.next {
        shown["next"] = json!(next);
    }
    printer.data(&shown, || {
        let mut table = TextTable::new(&["run", "pipeline", "status", "origin", "created", ">time"]);
        for run in &page.runs {
            let time = run.duration_ms.map_or_else(text::dash, text::millis);
            table.row([
                run.run.clone(),
                run.pipeline.clone(),
                run.status.clone(),
                run.origin.clone(),
                run.created.clone(),
                time,
            ]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

/// All mistakes in it at once.
async fn filter(host: &Host, command: RunsCommand) -> Result<RunFilter> {
    let RunsCommand::List { pipeline, status, origin, parent, from, to, limit, cursor } = command else {
        return Ok(RunFilter::default());
    };
    let mut problems = Vec::new();
    let mut time = |flag: &str, text: Option<String>| {
        let text = text?;
        let time = parse_rfc3339(&text);
        if time.is_none() {
            let message = format!("`{flag} {text}` is no time");
            problems.push(Diagnostic::new("wrong-value", message).hint("write it as 2026-11-21T18:00:00Z"));
        }
        time
    };
    let (from, to) = (time("--from", from), time("--to", to));
    Diagnostics::check(problems)?;
    let parent = match parent {
        Some(run) => Some(host.store.resolve_run(&run).await?),
        None => None,
    };
    Ok(RunFilter { pipeline, status: status.map(row_status), origin, parent, from, to, limit, cursor })
}

pub async fn queue(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let queue = runs::queue(&host).await?;
    printer.data(&queue, || {
        let mut table = TextTable::new(&["run", "pipeline", "state", ">priority", "origin", "by", "waits since"]);
        for run in &queue.runs {
            table.row([
                run.run.clone(),
                run.pipeline.clone(),
                run.state.clone(),
                run.priority.to_string(),
                run.origin.clone(),
                run.actor.clone(),
                run.enqueued.clone(),
            ]);
        }
        let claimed = queue.runs.iter().filter(|run| run.state == "claimed").count();
        format!(
            "{table}{} of {} places for running taken, {} of {} for waiting\n",
            claimed, queue.limit, queue.waiting, queue.queued_limit
        )
    })?;
    Ok(Outcome::Done)
}

fn row_status(status: StatusArg) -> RunStatus {
    match status {
        StatusArg::Scheduled => RunStatus::Scheduled,
        StatusArg::Running => RunStatus::Running,
        StatusArg::Waiting => RunStatus::Waiting,
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
    let view = runs::cancel(&host, &id, &settings.actor()).await?;
    printer.data(&view, || format!("run {id} was asked to stop"))?;
    Ok(Outcome::Done)
}
