//! Triggers and events as they are shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_core::config::{Cause, ParamValue, TriggerConfig, WebhookStyle};
use wasmlops_core::event::{Data, Event, Glob};
use wasmlops_store::FeedRange;

use super::types::{PREFIX, event_of};
use crate::clock::rfc3339;
use crate::error::Result;
use crate::host::Host;

/// Records looked at for one page of events: where most do not fit, the page is short and the next one goes on.
const LOOKED_AT: usize = 20_000;

/// A trigger, with the runs it started last.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TriggerView {
    pub trigger: String,
    pub pipeline: String,
    /// `webhook`, `event`, `alias`, `version`, `dataset` or `succeeded`.
    pub on: String,
    /// What exactly it waits for, in words: `breast-cancer@champion`.
    pub of: String,
    /// Where a webhook is to be posted.
    pub path: Option<String>,
    /// The names of the parameters that it sets.
    pub params: Vec<String>,
    pub priority: i32,
    pub description: Option<String>,
    /// The last audit record that was looked at for it; absent for one that others start, and before a server runs.
    pub looked_at: Option<i64>,
    /// The newest first.
    pub runs: Vec<TriggerRunView>,
}

/// A run that a trigger started.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TriggerRunView {
    pub run: String,
    /// Absent: the run was removed.
    pub status: Option<String>,
    /// RFC 3339.
    pub time: String,
    /// What caused it: `audit:17`, or the event's source and id.
    pub cause: String,
    /// How many triggers stand behind it, this one included.
    pub depth: i64,
}

/// An event of the project (CloudEvents 1.0).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EventView {
    pub specversion: String,
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: Option<String>,
    /// RFC 3339.
    pub time: Option<String>,
    pub datacontenttype: Option<String>,
    /// The event's place among all of the project; they rise, with gaps.
    pub sequence: String,
    pub data: Map<String, Value>,
}

/// Some events, and where the next ones begin.
pub struct EventsPage {
    pub events: Vec<(i64, EventView)>,
    /// The last record that was looked at.
    pub last: i64,
    /// Whether there may be more behind it.
    pub more: bool,
}

/// The project's triggers, each with its newest runs.
pub async fn list(host: &Host, runs: u32) -> Result<Vec<TriggerView>> {
    let mut views = Vec::new();
    for trigger in &host.project.triggers {
        views.push(view(host, trigger, runs).await?);
    }
    Ok(views)
}

/// One trigger with its newest runs.
///
/// # Errors
/// The user's: there is no such trigger.
pub async fn show(host: &Host, name: &str, runs: u32) -> Result<TriggerView> {
    view(host, super::configured(host, name)?, runs).await
}

/// The project's events behind record `after` whose type fits, the oldest first; at most `limit`.
pub async fn events(host: &Host, after: i64, kind: Option<&Glob>, limit: usize) -> Result<EventsPage> {
    let until = host.store.feed_head().await?;
    let mut page = EventsPage { events: Vec::new(), last: after, more: false };
    let mut looked_at = 0;
    while page.last < until {
        if page.events.len() >= limit || looked_at >= LOOKED_AT {
            page.more = true;
            return Ok(page);
        }
        let range = FeedRange { after: page.last, until, prefix: "", limit: 500 };
        let rows = host.store.feed(range).await?;
        if rows.is_empty() {
            page.last = until;
            break;
        }
        looked_at += rows.len();
        for row in rows {
            if page.events.len() >= limit {
                page.more = true;
                return Ok(page);
            }
            page.last = row.seq;
            let event = event_of(&host.project.name, &row);
            if let Some(event) = event.filter(|event| kind.is_none_or(|kind| kind.matches(&event.kind))) {
                page.events.push((row.seq, event_view(event, row.seq)));
            }
        }
    }
    Ok(page)
}

/// A pattern for types: `run.failed` stands for `dev.wasmlops.run.failed` as well.
pub fn kind_pattern(text: &str) -> Glob {
    match text.starts_with(PREFIX) || text.starts_with('*') {
        true => Glob::new(text),
        false => Glob::new(format!("{PREFIX}{text}")),
    }
}

fn event_view(event: Event, seq: i64) -> EventView {
    let data = match event.data {
        Some(Data::Json(Value::Object(map))) => map,
        _ => Map::new(),
    };
    EventView {
        specversion: wasmlops_core::event::SPEC_VERSION.to_owned(),
        id: event.id,
        source: event.source,
        kind: event.kind,
        subject: event.subject,
        time: event.time,
        datacontenttype: event.data_content_type,
        sequence: seq.to_string(),
        data,
    }
}

async fn view(host: &Host, trigger: &TriggerConfig, limit: u32) -> Result<TriggerView> {
    let name = &trigger.name.value;
    let mut runs = Vec::new();
    for row in host.store.trigger_runs(name, limit).await? {
        let run = host.store.load_run(&row.run).await?;
        runs.push(TriggerRunView {
            status: run.map(|run| run.status.as_str().to_owned()),
            run: row.run,
            time: rfc3339(row.time),
            cause: row.cause,
            depth: row.depth,
        });
    }
    Ok(TriggerView {
        trigger: name.clone(),
        pipeline: trigger.pipeline.value.clone(),
        on: trigger.cause.as_str().to_owned(),
        of: of(&trigger.cause),
        path: matches!(trigger.cause, Cause::Webhook { .. }).then(|| format!("/api/v1/hooks/{name}")),
        params: trigger.params.iter().map(|(name, value)| shown_param(name, value)).collect(),
        priority: trigger.priority,
        description: trigger.description.clone(),
        looked_at: host.store.feed_cursor(&format!("trigger:{name}")).await?,
        runs,
    })
}

fn shown_param(name: &str, value: &ParamValue) -> String {
    match value {
        ParamValue::Fixed(value) => format!("{name}={value}"),
        ParamValue::Template(_) => format!("{name} from the event"),
    }
}

fn of(cause: &Cause) -> String {
    match cause {
        Cause::Webhook { style: WebhookStyle::Generic, .. } => "a message with `Wasmlops-Signature`".to_owned(),
        Cause::Webhook { style: WebhookStyle::Github, .. } => "a message from GitHub".to_owned(),
        Cause::Event { kind, source, subject } => {
            let part = |what: &str, glob: &Option<Glob>| glob.as_ref().map(|glob| format!(", {what} {glob}"));
            let (source, subject) = (part("source", source), part("subject", subject));
            format!("{kind}{}{}", source.unwrap_or_default(), subject.unwrap_or_default())
        }
        Cause::Alias { model, alias } => format!("{model}@{alias}"),
        Cause::Version { model } => model.clone(),
        Cause::Dataset(output) => output.clone(),
        Cause::Succeeded { pipeline } => pipeline.clone(),
    }
}
