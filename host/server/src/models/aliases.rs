//! Moving aliases, and what they named when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasmlops_catalog::{self as catalog, AliasMove, Expected, Moved, Rollback, SetAlias};
use wasmlops_core::run::Micros;
use wasmlops_store::{AuditEntry, Stamp, Tx};

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

/// An alias is to name another version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AliasMoveRequest {
    pub name: String,
    pub alias: String,
    pub to: AliasTarget,
    /// What the alias must name for the move to happen.
    pub expected: Expected,
    pub reason: Option<String>,
    /// Moves without evidence or approval; needs a reason.
    pub forced: bool,
    pub actor: String,
}

/// Where an alias is to lead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AliasTarget {
    Version(u64),
    /// To the version that it named before: a rollback. Never forced, and never refused for lack of evidence.
    Before,
    /// To no version.
    Nothing,
}

/// Moves an alias. When it returns, the move survives a power loss.
///
/// # Errors
/// The user's, by code: `alias-moved` (the alias names another version than was expected), `no-evidence`,
/// `not-approved`, `no-reason`, `nothing-before`, `unknown-model`, `unknown-version`, `invalid-name`.
pub async fn move_alias(host: &Host, request: AliasMoveRequest) -> Result<Moved> {
    move_alias_by_run(host, request, None).await
}

/// Like [`move_alias`]; the record names the run that moves it, so that what follows from it is known to follow from
/// that run.
pub(crate) async fn move_alias_by_run(host: &Host, request: AliasMoveRequest, run: Option<String>) -> Result<Moved> {
    let now = host.clock.now();
    let moved = host
        .store
        .with_tx::<_, Error, _>(move |tx| Box::pin(async move { moved_in(tx, request, now, run.as_deref()).await }));
    let moved = moved.await?;
    host.store.barrier().await?;
    Ok(moved)
}

/// Like [`move_alias`], as part of another transaction, which makes it durable.
pub async fn move_alias_in(tx: &mut Tx, request: AliasMoveRequest, now: Micros) -> Result<Moved> {
    moved_in(tx, request, now, None).await
}

async fn moved_in(tx: &mut Tx, request: AliasMoveRequest, now: Micros, run: Option<&str>) -> Result<Moved> {
    let AliasMoveRequest { name, alias, to, expected, reason, forced, actor } = request;
    let connection = tx.connection().await?;
    let moved = match to {
        AliasTarget::Before => {
            let wish = Rollback { name, alias, expected, reason, actor, time: now };
            catalog::rollback(connection, wish).await?
        }
        AliasTarget::Version(_) | AliasTarget::Nothing => {
            let to = if let AliasTarget::Version(version) = to { Some(version) } else { None };
            let set = SetAlias { name, alias, to, expected, reason, forced, actor, time: now };
            catalog::set_alias(connection, set).await?
        }
    };
    if moved.changed {
        let made = &moved.last;
        tx.audit(AuditEntry {
            stamp: Stamp { time: now, actor: made.actor.clone() },
            action: "alias.moved".to_owned(),
            subject: format!("model:{}@{}", made.name, made.alias),
            details: json!({
                "kind": made.kind.as_str(), "from": made.from, "to": made.to, "evidence": made.evidence,
                "forced": made.forced, "reason": made.reason, "run": run,
            })
            .to_string(),
        });
    }
    Ok(moved)
}

/// The version that an alias names now. Cheap: one indexed row.
pub async fn alias_target(host: &Host, name: &str, alias: &str) -> Result<Option<u64>> {
    let name = name.to_owned();
    let selector = catalog::Selector::Alias(alias.to_owned());
    let read = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(catalog::resolve(connection, &name, &selector).await?) })
    });
    Ok(read.await?.map(|row| row.version))
}

/// Where a rollback of the alias would lead.
pub async fn before(host: &Host, name: &str, alias: &str) -> Result<Option<u64>> {
    let (name, alias) = (name.to_owned(), alias.to_owned());
    let read = host
        .store
        .read(|connection| Box::pin(async move { Ok::<_, Error>(catalog::before(connection, &name, &alias).await?) }));
    read.await
}

/// The moves of one alias, or of all aliases of a model, oldest first.
///
/// # Errors
/// The user's: no such model.
pub async fn alias_history(host: &Host, name: &str, alias: Option<&str>) -> Result<Vec<MoveView>> {
    super::views::known(host, name).await?;
    let (name, alias) = (name.to_owned(), alias.map(str::to_owned));
    let read = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(catalog::alias_history(connection, &name, alias.as_deref()).await?) })
    });
    Ok(read.await?.iter().map(MoveView::new).collect())
}

/// What the alias named at a time: the move that made it so, with who, when and the evidence. Absent: nothing yet.
///
/// # Errors
/// The user's: no such model.
pub async fn alias_at(host: &Host, name: &str, alias: &str, time: Micros) -> Result<Option<MoveView>> {
    super::views::known(host, name).await?;
    let (name, alias) = (name.to_owned(), alias.to_owned());
    let read = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(catalog::alias_at(connection, &name, &alias, time).await?) })
    });
    Ok(read.await?.as_ref().map(MoveView::new))
}

/// A move of an alias as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MoveView {
    pub model: String,
    pub alias: String,
    /// Of this alias, from 1.
    pub seq: u64,
    /// RFC 3339.
    pub time: String,
    /// `set` or `rollback`.
    pub kind: String,
    pub from: Option<u64>,
    /// Absent: the alias was taken away.
    pub to: Option<u64>,
    pub by: String,
    /// The passed reports of the version, by digest: `wasmlops artifact show` shows them.
    pub evidence: Vec<String>,
    /// Moved without evidence or approval.
    pub forced: bool,
    pub reason: Option<String>,
}

impl MoveView {
    pub fn new(made: &AliasMove) -> Self {
        Self {
            model: made.name.clone(),
            alias: made.alias.clone(),
            seq: made.seq,
            time: rfc3339(made.time),
            kind: made.kind.as_str().to_owned(),
            from: made.from,
            to: made.to,
            by: made.actor.clone(),
            evidence: made.evidence.iter().map(ToString::to_string).collect(),
            forced: made.forced,
            reason: made.reason.clone(),
        }
    }
}
