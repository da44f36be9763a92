//! Webhooks: a message to a trigger's own path, which proves by its signature who sent it, and is taken once.

use serde_json::{Value, json};
use wasmlops_core::config::{Cause, TriggerConfig, WebhookStyle};
use wasmlops_core::event::{Signature, TOLERANCE, github_mac};
use wasmlops_core::run::Micros;
use wasmlops_core::strict_json;
use wasmlops_store::{AuditEntry, SeenEvent, Stamp};

use super::{EventsView, text, write_all};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::events::firing::{Firing, Shot, aim};
use crate::events::sign::{SIGNATURE, is_signed, is_signed_by_github};
use crate::host::Host;
use crate::{runs, secrets};

/// A message as it came.
pub struct Hook<'a> {
    pub trigger: &'a str,
    /// The value of a header, by its name in lower case; absent where it is not text.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    pub body: &'a [u8],
}

/// Why a message is not taken.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// No such trigger, no signature, a wrong one, or one of another time: a stranger is not told which.
    #[error("the message is not signed as this webhook asks for")]
    NotSigned,
    #[error("this message was taken before")]
    Replayed,
    #[error("the message is not what this webhook takes: {0}")]
    Malformed(String),
    /// It is signed, and nothing can be started by it.
    #[error("nothing was started: {0}")]
    NotStarted(String),
    #[error(transparent)]
    Other(#[from] Error),
}

/// What proves that a message is not taken twice.
struct Proof {
    /// Source and id each.
    nonces: Vec<(&'static str, String)>,
    expires: Option<Micros>,
    /// The sender's word for what happened.
    kind: Option<String>,
    /// The sender's name for the message.
    id: String,
}

/// Takes a webhook and starts its pipeline. Durable when it returns.
pub async fn receive_hook(host: &Host, hook: Hook<'_>) -> Result<EventsView, HookError> {
    let (trigger, proof) = match proven(host, &hook).await? {
        Some(proven) => proven,
        None => {
            denied(host, hook.trigger).await?;
            return Err(HookError::NotSigned);
        }
    };
    let scope = format!("hook:{}", trigger.name.value);
    for (source, id) in &proof.nonces {
        if host.store.has_seen(&scope, source, id).await.map_err(Error::from)? {
            return Err(HookError::Replayed);
        }
    }
    let body = match hook.body.is_empty() {
        true => Value::Null,
        false => strict_json::parse(hook.body).map_err(HookError::Malformed)?,
    };
    let is_ping = proof.kind.as_deref() == Some("ping");
    let shots = if is_ping { Vec::new() } else { vec![shot(host, trigger, &proof, body).await?] };
    let view = write(host, trigger, &proof, shots).await?;
    host.store.barrier().await.map_err(Error::from)?;
    if !view.runs.is_empty() {
        runs::wake(host);
    }
    Ok(view)
}

/// The trigger, and what makes the message this one. Absent: it is not signed as it should be.
async fn proven<'h>(host: &'h Host, hook: &Hook<'_>) -> Result<Option<(&'h TriggerConfig, Proof)>, HookError> {
    let trigger = host.project.triggers.iter().find(|trigger| trigger.name.value == hook.trigger);
    let Some((trigger, Cause::Webhook { style, secret })) = trigger.map(|trigger| (trigger, &trigger.cause)) else {
        return Ok(None);
    };
    let Some(secret) = secrets::reveal(host, secret).await? else {
        tracing::error!(trigger = %hook.trigger, "a webhook is refused: there is no secret `{secret}`");
        return Ok(None);
    };
    let proof = match style {
        WebhookStyle::Generic => generic(hook, &secret, host.clock.now()),
        WebhookStyle::Github => github(hook, &secret)?,
    };
    Ok(proof.map(|proof| (trigger, proof)))
}

fn generic(hook: &Hook<'_>, secret: &[u8], now: Micros) -> Option<Proof> {
    let signature = Signature::parse(&(hook.header)(SIGNATURE)?).ok()?;
    let signed = is_signed(secret, &signature, hook.body);
    if !signed || signature.check_time(now / 1_000_000).is_err() {
        return None;
    }
    // Ours, since one of several may be right: the same time and body have one MAC.
    let id = super::super::sign::signature(secret, signature.time, hook.body);
    // Later its time alone refuses it.
    let expires = now.saturating_add(4 * i64::try_from(TOLERANCE.as_micros()).unwrap_or(i64::MAX / 4));
    Some(Proof { nonces: vec![("signature", id.clone())], expires: Some(expires), kind: None, id })
}

fn github(hook: &Hook<'_>, secret: &[u8]) -> Result<Option<Proof>, HookError> {
    let Some(header) = (hook.header)("x-hub-signature-256") else { return Ok(None) };
    let Some(mac) = github_mac(&header).ok().filter(|mac| is_signed_by_github(secret, mac, hook.body)) else {
        return Ok(None);
    };
    let delivery = (hook.header)("x-github-delivery").filter(|id| !id.is_empty() && id.len() <= 200);
    let id = delivery.ok_or_else(|| HookError::Malformed("the header `X-GitHub-Delivery` is missing".to_owned()))?;
    // The signature does not cover the delivery's id, nor a time: it is remembered itself, and for ever.
    let signature = wasmlops_core::event::written_signature(0, &mac);
    let nonces = vec![("delivery", id.clone()), ("signature", signature)];
    Ok(Some(Proof { nonces, expires: None, kind: (hook.header)("x-github-event"), id }))
}

async fn shot(host: &Host, trigger: &TriggerConfig, proof: &Proof, body: Value) -> Result<Shot, HookError> {
    let name = &trigger.name.value;
    let mut event = json!({
        "id": proof.id, "source": format!("/hooks/{name}"), "time": rfc3339(host.clock.now()), "body": body,
    });
    if let Some(kind) = &proof.kind {
        event["type"] = json!(kind);
    }
    let cause = format!("hook:{name} {}", proof.id);
    let firing = Firing { trigger, event: &event, cause, depth: 0, trace: text(event.get("traceparent")) };
    let shot = aim(host, firing).await?;
    Ok(shot)
}

/// The memory of the message and what it starts are one transaction.
async fn write(host: &Host, trigger: &TriggerConfig, proof: &Proof, shots: Vec<Shot>) -> Result<EventsView, HookError> {
    let now = host.clock.now();
    let name = trigger.name.value.clone();
    // One that starts nothing is not remembered: once the mistake is mended it may come again.
    let nothing = shots.iter().find_map(|shot| match shot {
        Shot::Nothing { reason, .. } => Some(reason.clone()),
        Shot::Run { .. } => None,
    });
    let nonces = if nothing.is_some() { Vec::new() } else { proof.nonces.clone() };
    let scope = format!("hook:{name}");
    let seen = nonces.into_iter().map(|(source, id)| SeenEvent {
        scope: scope.clone(),
        source: source.to_owned(),
        id,
        time: now,
        expires: proof.expires,
    });
    let (seen, kind) = (seen.collect::<Vec<_>>(), proof.kind.clone());
    let received = AuditEntry {
        stamp: Stamp { time: now, actor: format!("hook:{name}") },
        action: "event.received".to_owned(),
        subject: format!("hook:{name}"),
        details: json!({ "id": proof.id, "type": kind, "triggers": shots.len() }).to_string(),
    };
    let written = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            for event in &seen {
                if !tx.remember_event(event).await? {
                    return Err(Error::user("replayed", "this message was taken before", "send it once"));
                }
            }
            tx.audit(received);
            write_all(tx, shots, now).await
        })
    });
    match written.await {
        Ok(mut view) => match nothing {
            Some(reason) => Err(HookError::NotStarted(reason)),
            None => {
                view.accepted = 1;
                Ok(view)
            }
        },
        Err(Error::User(problems)) if problems.0.iter().any(|problem| problem.code == "replayed") => {
            Err(HookError::Replayed)
        }
        Err(error) => Err(error.into()),
    }
}

/// One record a minute for each trigger, so that a stranger cannot fill the audit.
async fn denied(host: &Host, name: &str) -> Result<(), HookError> {
    if !host.project.triggers.iter().any(|trigger| trigger.name.value == name) {
        return Ok(());
    }
    let now = host.clock.now();
    const MINUTE: Micros = 60 * 1_000_000;
    let (scope, minute) = (format!("denied:{name}"), (now / MINUTE).to_string());
    if host.store.has_seen(&scope, "", &minute).await.map_err(Error::from)? {
        return Ok(());
    }
    let seen = SeenEvent { scope, source: String::new(), id: minute, time: now, expires: Some(now + MINUTE) };
    let record = AuditEntry {
        stamp: Stamp { time: now, actor: "unknown".to_owned() },
        action: "access.denied".to_owned(),
        subject: format!("hook:{name}"),
        details: json!({ "reason": "not signed as the webhook asks for" }).to_string(),
    };
    let noted = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            if tx.remember_event(&seen).await? {
                tx.audit(record);
            }
            Ok(())
        })
    });
    Ok(noted.await?)
}
