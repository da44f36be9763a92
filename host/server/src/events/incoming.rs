//! Events and webhooks from outside: each is taken once, and what it starts is written with that.
//!
//! Doors: [`receive`] for events whose sender is known, [`receive_hook`] for messages that prove it by their signature.

mod hook;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasmlops_core::event::Event;
use wasmlops_core::run::Micros;
use wasmlops_store::{AuditEntry, SeenEvent, Stamp, Tx};

use super::causes::{depth_of_event, is_event};
use super::firing::{Firing, Shot, aim, write};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs;
use crate::telemetry::TraceParent;

pub use hook::{Hook, HookError, receive_hook};

/// Where events are remembered.
const SCOPE: &str = "events";

/// How long an event is remembered: a sender that tries for longer than this gets what it asks for twice.
const MEMORY: Micros = 90 * 24 * 3600 * 1_000_000;

/// What became of events.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EventsView {
    /// Events that were new.
    pub accepted: u64,
    /// Events that had come before, by source and id; nothing was done about them.
    pub repeated: u64,
    /// The runs that they started.
    pub runs: Vec<StartedView>,
    /// Triggers that fitted and started nothing.
    pub failed: Vec<NotStartedView>,
}

/// A run that a trigger started.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StartedView {
    pub trigger: String,
    pub pipeline: String,
    pub run: String,
}

/// A trigger that fitted and started nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NotStartedView {
    pub trigger: String,
    pub reason: String,
}

/// Takes events, in order, and starts what they trigger. Durable when it returns.
///
/// # Errors
/// `queue-full`: the events from that one on are not taken, and should come again.
pub async fn receive(host: &Host, events: &[Event], by: &str) -> Result<EventsView> {
    let mut view = EventsView::default();
    let mut failure = None;
    for event in events {
        match receive_one(host, event, by, &mut view).await {
            Ok(()) => {}
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    // Those that were taken are not sent again, whatever became of the others.
    host.store.barrier().await?;
    if !view.runs.is_empty() {
        runs::wake(host);
    }
    failure.map_or(Ok(view), Err)
}

async fn receive_one(host: &Host, event: &Event, by: &str, view: &mut EventsView) -> Result<()> {
    // Before anything is prepared: a sender that repeats itself should cost little.
    if host.store.has_seen(SCOPE, &event.source, &event.id).await? {
        view.repeated += 1;
        return Ok(());
    }
    let json = event.to_json();
    let mut shots = Vec::new();
    for trigger in host.project.triggers.iter().filter(|trigger| is_event(&trigger.cause, event)) {
        let cause = format!("event:{} {}", event.source, event.id);
        let request = || TraceParent::current().map(|trace| trace.to_string());
        let trace = event.trace().map(str::to_owned).or_else(request);
        let firing = Firing { trigger, event: &json, cause, depth: depth_of_event(event), trace };
        shots.push(aim(host, firing).await?);
    }
    let (now, by) = (host.clock.now(), by.to_owned());
    let seen = SeenEvent {
        scope: SCOPE.to_owned(),
        source: event.source.clone(),
        id: event.id.clone(),
        time: now,
        expires: Some(now.saturating_add(MEMORY)),
    };
    let received = AuditEntry {
        stamp: Stamp { time: now, actor: by },
        action: "event.received".to_owned(),
        subject: format!("event:{}", event.kind),
        details: json!({ "source": event.source, "id": event.id, "triggers": shots.len() }).to_string(),
    };
    let taken = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            if !tx.remember_event(&seen).await? {
                return Ok(None);
            }
            tx.audit(received);
            write_all(tx, shots, now).await.map(Some)
        })
    });
    match taken.await? {
        None => view.repeated += 1,
        Some(written) => {
            view.accepted += 1;
            view.runs.extend(written.runs);
            view.failed.extend(written.failed);
        }
    }
    Ok(())
}

/// Writes what triggers decided.
async fn write_all(tx: &mut Tx, shots: Vec<Shot>, now: Micros) -> Result<EventsView> {
    let mut view = EventsView::default();
    for shot in shots {
        let (note, reason) = match &shot {
            Shot::Run { note, .. } => (note.clone(), None),
            Shot::Nothing { note, reason, .. } => (note.clone(), Some(reason.clone())),
        };
        if let Some(submitted) = write(tx, shot, now).await? {
            view.runs.push(StartedView { trigger: note.trigger, pipeline: note.pipeline, run: submitted.run });
        } else if let Some(reason) = reason {
            view.failed.push(NotStartedView { trigger: note.trigger, reason });
        }
    }
    Ok(view)
}

/// The text of a JSON value, or nothing.
fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}
