//! Whether something is what a trigger waits for, and how many triggers stand behind it.

use serde_json::Value;
use wasmlops_core::config::{Cause, ModelRef, Selector};
use wasmlops_core::event::Event;
use wasmlops_store::AuditRow;

use crate::error::Result;
use crate::host::Host;
use crate::models;

/// The extension of our events that says how many triggers stand behind them, so that a loop through another system is
/// seen as well.
pub(super) const DEPTH: &str = "triggerdepth";

/// The action of the audit that a trigger waits for; absent for those that something outside starts.
pub(super) fn action(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Webhook { .. } | Cause::Event { .. } => None,
        Cause::Alias { .. } => Some("alias.moved"),
        Cause::Version { .. } => Some("model.registered"),
        Cause::Dataset(_) => Some("dataset.changed"),
        Cause::Succeeded { .. } => Some("run.succeeded"),
    }
}

/// Whether a record is what a trigger waits for.
pub(super) fn is_record(cause: &Cause, row: &AuditRow) -> bool {
    let subject = row.entry.subject.as_str();
    if action(cause) != Some(row.entry.action.as_str()) {
        return false;
    }
    match cause {
        Cause::Webhook { .. } | Cause::Event { .. } => false,
        // An alias that was taken away names nothing that a pipeline could work on.
        Cause::Alias { model, alias } => subject == format!("model:{model}@{alias}") && !details(row)["to"].is_null(),
        Cause::Version { model } => subject.starts_with(&format!("model:{model}@")),
        Cause::Dataset(output) => subject.strip_prefix("dataset:") == Some(output),
        Cause::Succeeded { pipeline } => {
            let details = details(row);
            details["pipeline"] == pipeline.as_str() && details["trial"] != true
        }
    }
}

/// Whether an event from outside is what a trigger waits for.
pub(super) fn is_event(cause: &Cause, event: &Event) -> bool {
    let Cause::Event { kind, source, subject } = cause else { return false };
    let fits = |pattern: &Option<wasmlops_core::event::Glob>, text: Option<&str>| match (pattern, text) {
        (None, _) => true,
        (Some(pattern), Some(text)) => pattern.matches(text),
        (Some(_), None) => false,
    };
    kind.matches(&event.kind) && fits(source, Some(&event.source)) && fits(subject, event.subject.as_deref())
}

/// How many triggers stand behind an event from outside: it says so itself where it is one of ours that comes back.
pub(super) fn depth_of_event(event: &Event) -> i64 {
    let depth = event.extensions.get(DEPTH);
    let number = depth.and_then(|depth| depth.as_i64().or_else(|| depth.as_str()?.parse().ok()));
    number.unwrap_or(0).clamp(0, super::DEEPEST)
}

/// How many triggers stand behind a record: those behind the run that caused it.
pub(super) async fn depth_of_record(host: &Host, row: &AuditRow) -> Result<i64> {
    let details = details(row);
    let own = row.entry.subject.strip_prefix("run:");
    let mut runs: Vec<String> = own.into_iter().chain(details["run"].as_str()).map(str::to_owned).collect();
    if row.entry.action == "alias.moved" {
        runs.extend(maker(host, &row.entry.subject, &details).await?);
    }
    let mut depth = 0;
    for run in runs {
        depth = depth.max(host.store.trigger_depth(&run).await?);
    }
    Ok(depth)
}

/// The run that registered the version which an alias names now: a promotion may come long after it.
async fn maker(host: &Host, subject: &str, details: &Value) -> Result<Option<String>> {
    let name = subject.strip_prefix("model:").and_then(|rest| rest.split('@').next());
    let (Some(name), Some(version)) = (name, details["to"].as_u64()) else { return Ok(None) };
    let reference = ModelRef { name: name.to_owned(), selector: Selector::Version(version) };
    Ok(models::row(host, &reference).await?.and_then(|row| row.run))
}

fn details(row: &AuditRow) -> Value {
    serde_json::from_str(&row.entry.details).unwrap_or(Value::Null)
}
