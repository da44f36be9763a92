//! Which audit records are events for others, and under which type. What is not in the list stays inside.

use serde_json::{Value, json};
use wasmlops_core::event::{Data, Event};
use wasmlops_store::AuditRow;

use crate::clock::rfc3339;

/// What every type begins with.
pub const PREFIX: &str = "dev.wasmlops.";

/// Actions of the audit and what their events are called behind [`PREFIX`]; `None` keeps the name, `.*` stands for all
/// that begin so. The first that fits counts.
const TYPES: &[(&str, Option<&str>)] = &[
    ("run.created", None),
    ("run.started", None),
    ("run.waiting", None),
    ("run.succeeded", None),
    ("run.failed", None),
    ("run.cancelled", None),
    ("run.resumed", None),
    ("gate.passed", None),
    ("gate.failed", None),
    ("dataset.changed", None),
    ("model.registered", Some("version.registered")),
    ("model.approval", Some("version.approval")),
    ("alias.moved", None),
    ("release.*", None),
    // A window without findings is none, see `is_told`.
    ("monitor.observed", Some("drift.found")),
    ("monitor.acted", Some("monitor.acted")),
    ("approval.*", None),
    ("schedule.*", None),
    ("trigger.*", None),
];

/// The event that a record is for others; absent: it is none.
pub fn event_of(project: &str, row: &AuditRow) -> Option<Event> {
    let kind = kind_of(&row.entry.action)?;
    let mut data: Value = serde_json::from_str(&row.entry.details).unwrap_or(Value::Null);
    if !is_told(&row.entry.action, &data) {
        return None;
    }
    if let Some(details) = data.as_object_mut() {
        details.entry("actor").or_insert_with(|| json!(row.entry.stamp.actor));
    }
    Some(Event {
        id: format!("{project}-{}", row.seq),
        source: format!("/projects/{project}"),
        kind,
        subject: Some(row.entry.subject.clone()),
        time: Some(rfc3339(row.entry.stamp.time)),
        data_schema: None,
        data_content_type: Some("application/json".to_owned()),
        data: Some(Data::Json(data)),
        // Of the extension `sequence`: the order of events of this source.
        extensions: [("sequence".to_owned(), json!(row.seq.to_string()))].into(),
    })
}

/// The type of the events that an action becomes.
fn kind_of(action: &str) -> Option<String> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => action.starts_with(prefix),
        None => action == pattern,
    };
    let (_, name) = TYPES.iter().find(|(pattern, _)| fits(pattern))?;
    Some(format!("{PREFIX}{}", name.unwrap_or(action)))
}

/// A search tells of itself, not of each of its trials.
fn is_told(action: &str, details: &Value) -> bool {
    let of_search = details["origin"].as_str().is_some_and(|origin| origin.starts_with("search:"));
    if details["trial"] == true || of_search {
        return false;
    }
    action != "monitor.observed" || details["found"].as_i64().is_some_and(|found| found > 0)
}
