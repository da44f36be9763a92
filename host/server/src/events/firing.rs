//! From an event to a run: parameters from the event, the run checked, and written in the caller's transaction.

use serde_json::{Map, Value, json};
use wasmlops_core::config::{ParamValue, TriggerConfig};
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};
use wasmlops_core::run::Micros;
use wasmlops_store::{AuditEntry, Stamp, TriggerRunRow, Tx};

use super::DEEPEST;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs::{self, Prepared, Submission, Submitted};

/// What a trigger is to make of an event.
pub(super) struct Firing<'a> {
    pub trigger: &'a TriggerConfig,
    /// As `${{ event.… }}` sees it.
    pub event: &'a Value,
    /// Says which event it is, for the run's id and for people: `audit:17`.
    pub cause: String,
    /// How many triggers stand behind the event.
    pub depth: i64,
    /// W3C's `traceparent`.
    pub trace: Option<String>,
}

/// A decision that is only to be written.
#[derive(Clone)]
pub(super) enum Shot {
    Run {
        prepared: Box<Prepared>,
        note: Note,
    },
    /// Nothing is started, for this reason; the action says which kind.
    Nothing {
        action: &'static str,
        reason: String,
        note: Note,
    },
}

/// Who and why.
#[derive(Clone)]
pub(super) struct Note {
    pub trigger: String,
    pub pipeline: String,
    cause: String,
    depth: i64,
}

/// Decides what a trigger does about an event.
///
/// # Errors
/// Those of the host: what is wrong with the event or the pipeline is a [`Shot::Nothing`].
pub(super) async fn aim(host: &Host, firing: Firing<'_>) -> Result<Shot> {
    let shot = aimed(host, firing).await?;
    let (outcome, note) = match &shot {
        Shot::Run { note, .. } => ("fired", note),
        Shot::Nothing { action, note, .. } => (action.trim_start_matches("trigger."), note),
    };
    host.counts.triggered.of([&note.trigger, outcome]).add(1);
    Ok(shot)
}

async fn aimed(host: &Host, firing: Firing<'_>) -> Result<Shot> {
    let Firing { trigger, event, cause, depth, trace } = firing;
    let name = trigger.name.value.clone();
    let pipeline = trigger.pipeline.value.clone();
    let note = Note { trigger: name.clone(), pipeline: pipeline.clone(), cause, depth: depth + 1 };
    if depth >= DEEPEST {
        let reason = format!("{depth} triggers stand behind the event already: this is taken for a loop");
        return Ok(Shot::Nothing { action: "trigger.stopped", reason, note });
    }
    let prepared = match params(trigger, event) {
        Ok(params) => {
            let submission = Submission {
                id: Some(runs::derived_id(&["trigger", &name, &note.cause])),
                pipeline,
                params,
                priority: trigger.priority,
                origin: format!("trigger:{name}"),
                trace,
                ..Submission::default()
            };
            runs::prepare(host, &submission).await
        }
        Err(problems) => Err(Error::User(problems)),
    };
    match prepared {
        Ok(prepared) => Ok(Shot::Run { prepared: Box::new(prepared), note }),
        Err(Error::User(problems)) => {
            let reasons: Vec<&str> = problems.0.iter().map(|problem| problem.message.as_str()).collect();
            Ok(Shot::Nothing { action: "trigger.failed", reason: reasons.join("; "), note })
        }
        Err(error) => Err(error),
    }
}

/// Writes a decision in the caller's transaction. Gives the run, if there is one.
///
/// # Errors
/// `queue-full`: the transaction is to be taken back, and the event to come again.
pub(super) async fn write(tx: &mut Tx, shot: Shot, now: Micros) -> Result<Option<Submitted>> {
    let (action, note, details, submitted) = match shot {
        Shot::Run { prepared, note } => {
            let stamp = Stamp { time: now, actor: actor(&note) };
            let submitted = runs::submit_in(tx, *prepared, stamp).await?;
            if !submitted.created {
                return Ok(Some(submitted));
            }
            let row = TriggerRunRow {
                run: submitted.run.clone(),
                trigger: note.trigger.clone(),
                depth: note.depth,
                cause: note.cause.clone(),
                time: now,
            };
            tx.note_trigger_run(&row).await?;
            let details =
                json!({ "run": submitted.run, "pipeline": note.pipeline, "cause": note.cause, "depth": note.depth });
            ("trigger.fired", note, details, Some(submitted))
        }
        Shot::Nothing { action, reason, note } => {
            let details = json!({ "pipeline": note.pipeline, "cause": note.cause, "reason": reason });
            (action, note, details, None)
        }
    };
    tx.audit(AuditEntry {
        stamp: Stamp { time: now, actor: actor(&note) },
        action: action.to_owned(),
        subject: format!("trigger:{}", note.trigger),
        details: details.to_string(),
    });
    Ok(submitted)
}

/// Whether an error only says that it should be tried again later.
pub(super) fn is_full(error: &Error) -> bool {
    matches!(error, Error::User(problems) if problems.0.iter().any(|problem| problem.code == "queue-full"))
}

fn actor(note: &Note) -> String {
    format!("trigger:{}", note.trigger)
}

/// The run's parameters, or everything that the event lacks.
fn params(trigger: &TriggerConfig, event: &Value) -> Result<Map<String, Value>, Diagnostics> {
    let mut params = Map::new();
    let mut problems = Vec::new();
    for (name, value) in &trigger.params {
        match value {
            ParamValue::Fixed(value) => {
                params.insert(name.clone(), value.clone());
            }
            ParamValue::Template(template) => match template.fill(event) {
                Ok(value) => {
                    params.insert(name.clone(), value);
                }
                Err(missing) => {
                    problems.push(Diagnostic::new("missing-value", format!("parameter `{name}`: {missing}")));
                }
            },
        }
    }
    Diagnostics::check(problems)?;
    Ok(params)
}
