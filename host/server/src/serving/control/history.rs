//! What was done, as history and audit records.

use serde_json::{Value, json};
use wasmlops_core::rollout::Action;
use wasmlops_store::{AuditEntry, ReleaseEventRow, Stamp, StoreError, Tx};

/// Appends to the history of the endpoint, and puts the same into the audit.
pub(super) async fn write(tx: &mut Tx, endpoint: &str, actions: &[Action], stamp: &Stamp) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (release, event, details) in actions.iter().filter_map(told) {
        if event != "failed" {
            tx.audit(AuditEntry {
                stamp: stamp.clone(),
                action: format!("release.{event}"),
                subject: format!("release:{release}"),
                details: with_endpoint(&details, endpoint).to_string(),
            });
        }
        rows.push(ReleaseEventRow {
            seq: 0,
            time: stamp.time,
            actor: stamp.actor.clone(),
            release,
            event: event.to_owned(),
            details: details.to_string(),
        });
    }
    if rows.is_empty() { Ok(()) } else { tx.append_release_events(endpoint, rows).await }
}

/// The release, what happened to it, and the rest; `None` for what only concerns memory, and for moves of aliases, which
/// have a history of their own.
fn told(action: &Action) -> Option<(String, &'static str, Value)> {
    Some(match action {
        Action::Load { release, version } => (release.clone(), "requested", json!({ "version": version })),
        Action::Start { release, version, share: 0 } => (release.clone(), "shadow", json!({ "version": version })),
        Action::Start { release, version, share } => {
            (release.clone(), "canary", json!({ "version": version, "share": share }))
        }
        Action::Advance { release, version, share } => {
            (release.clone(), "advanced", json!({ "version": version, "share": share }))
        }
        Action::Promote { release, version } => (release.clone(), "live", json!({ "version": version })),
        Action::Retire { release, version, reason } => {
            (release.clone(), "retired", json!({ "version": version, "reason": reason }))
        }
        Action::RollBack { release, version, reason } => {
            let details = json!({
                "version": version, "code": reason.code(), "reason": reason.to_string(), "facts": reason,
            });
            (release.clone(), "rolled-back", details)
        }
        Action::Pause { release, by, reason } => (release.clone(), "paused", json!({ "by": by, "reason": reason })),
        Action::Continue { release, by } => (release.clone(), "continued", json!({ "by": by })),
        Action::Report { release, message } => (release.clone(), "failed", json!({ "reason": message })),
        Action::Unload { .. } | Action::SetTraffic { .. } | Action::MoveAlias { .. } => return None,
    })
}

fn with_endpoint(details: &Value, endpoint: &str) -> Value {
    let mut all = json!({ "endpoint": endpoint });
    if let (Some(all), Some(details)) = (all.as_object_mut(), details.as_object()) {
        all.extend(details.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    all
}
