//! Changes to endpoints: reads the rows, lets core decide, and writes rows, history, audit and alias, in one
//! transaction. Works in any process: whoever serves the endpoint sees the change at its next look.

mod grant;
mod history;
mod monitors;

use wasmlops_core::config::EndpointConfig;
use wasmlops_core::rollout::{Action, Endpoint, Event, Phase, Release};
use wasmlops_core::run::Micros;
use wasmlops_store::{Stamp, Tx};

use crate::clock::new_id;
use crate::error::{Error, Result};
use crate::host::Host;

use super::alias::{self, Answer};
use super::kept;
use super::view::RollbackView;

pub use grant::endpoints;
pub use monitors::{model_of, note_findings, pause_canary, roll_back_for_monitor};

/// Who automatic changes are by.
pub(super) const ACTOR: &str = "serving";

/// Something that happened, by whom.
pub(super) struct Wish {
    pub actor: String,
    pub event: Event,
    /// The same key is the same wish.
    pub key: Option<String>,
}

/// The endpoint after a change.
pub(super) struct Changed {
    pub endpoint: Endpoint,
    pub actions: Vec<Action>,
    /// The release that an earlier wish of this key led to; nothing was changed then.
    pub earlier: Option<String>,
}

/// An endpoint of the project.
///
/// # Errors
/// The user's: no such endpoint.
pub fn declared<'h>(host: &'h Host, name: &str) -> Result<&'h EndpointConfig> {
    let all = &host.project.endpoints;
    all.iter().find(|config| config.name.value == name).ok_or_else(|| {
        let names: Vec<String> = all.iter().map(|config| format!("`{}`", config.name.value)).collect();
        let hint = match names.is_empty() {
            true => "the project file declares none; add it under `endpoints:`".to_owned(),
            false => format!("the project file declares {}", names.join(", ")),
        };
        Error::user("unknown-endpoint", format!("there is no endpoint `{name}`"), hint)
    })
}

/// Takes back the newest release: a candidate goes at once; a live one answers until the version before it is ready,
/// and the alias moves back. When it returns, the wish survives a power loss.
///
/// # Errors
/// The user's: no such endpoint, nothing to roll back to.
pub async fn rollback(host: &Host, endpoint: &str, by: &str, reason: &str) -> Result<RollbackView> {
    let config = declared(host, endpoint)?;
    let before = catch_up(host, config).await?;
    let Some(target) = before.rollback_target() else {
        let (message, hint) = match before.live() {
            None => (format!("endpoint `{endpoint}` has no release"), "`wasmlops endpoint show` says why"),
            Some(live) if live.leaving.is_some() => {
                (format!("endpoint `{endpoint}` is being rolled back already"), "`wasmlops endpoint show` says how far")
            }
            Some(_) => (
                format!("endpoint `{endpoint}` has no other version to roll back to"),
                "move the alias to a version with `wasmlops model alias`",
            ),
        };
        return Err(Error::user("nothing-before", message, hint));
    };
    let (by, reason, fresh) = (by.to_owned(), reason.to_owned(), new_id(&*host.clock));
    let event = Event::RollbackRequested { by: by.clone(), reason: reason.clone(), fresh };
    let changed = apply(host, config, Wish { actor: by, event, key: None }).await?;
    if let Some(refusal) = refused(&changed.actions) {
        let hint = "`wasmlops endpoint history` shows what happened before";
        return Err(Error::user("rollback-refused", format!("endpoint `{endpoint}`: {refusal}"), hint));
    }
    let rolled_back = changed.actions.iter().find_map(|action| match action {
        Action::RollBack { release, version, .. } => Some((release.clone(), *version)),
        _ => None,
    });
    let Some((release, version)) = rolled_back else {
        let message = format!("endpoint `{endpoint}` was changed by somebody else at the same time");
        return Err(Error::user("conflict", message, "look at `wasmlops endpoint show`, then try again"));
    };
    host.store.barrier().await?;
    Ok(RollbackView { endpoint: endpoint.to_owned(), release, version, to: target.to, reason })
}

fn refused(actions: &[Action]) -> Option<String> {
    actions.iter().find_map(|action| match action {
        Action::Report { message, .. } => Some(message.clone()),
        _ => None,
    })
}

/// Holds a canary where it is, or lets it go on. Says whether that changed anything.
///
/// # Errors
/// The user's: no such endpoint.
pub async fn hold_canary(host: &Host, endpoint: &str, by: &str, hold: Hold<'_>) -> Result<bool> {
    let event = match hold {
        Hold::Pause { reason } => Event::Paused { by: by.to_owned(), reason: reason.to_owned() },
        Hold::Continue => Event::Continued { by: by.to_owned() },
    };
    report(host, endpoint, by, event).await
}

/// What is to become of a canary.
pub enum Hold<'r> {
    Pause { reason: &'r str },
    Continue,
}

/// Lets the endpoint know of something. Says whether that led to anything.
pub(super) async fn report(host: &Host, endpoint: &str, by: &str, event: Event) -> Result<bool> {
    let config = declared(host, endpoint)?;
    let mut endpoint = load(host, config).await?;
    if endpoint.apply(event.clone(), host.clock.now()).is_empty() {
        return Ok(false);
    }
    let changed = apply(host, config, Wish { actor: by.to_owned(), event, key: None }).await?;
    host.store.barrier().await?;
    Ok(!changed.actions.is_empty())
}

/// The endpoint, after it has heard of where its alias leads now.
pub(super) async fn catch_up(host: &Host, config: &EndpointConfig) -> Result<Endpoint> {
    let endpoint = load(host, config).await?;
    match alias::followed(host, config).await? {
        Some(version) if endpoint.standing().followed != Some(version) => {
            let event = Event::AliasMoved { version, fresh: new_id(&*host.clock) };
            Ok(apply(host, config, Wish { actor: ACTOR.to_owned(), event, key: None }).await?.endpoint)
        }
        _ => Ok(endpoint),
    }
}

/// The endpoint as it is kept; a new one where it was never served.
pub(super) async fn load(host: &Host, config: &EndpointConfig) -> Result<Endpoint> {
    kept::restore(config, host.store.serving_state(&config.name.value).await?.as_ref())
}

/// Takes an event in, with all that follows from it.
pub(super) async fn apply(host: &Host, config: &EndpointConfig, wish: Wish) -> Result<Changed> {
    let (config, now) = (config.clone(), host.clock.now());
    let work =
        host.store.with_tx::<_, Error, _>(move |tx| Box::pin(async move { apply_in(tx, &config, wish, now).await }));
    work.await
}

/// The release that a request asks for, where the endpoint has it: a pipeline that runs again deploys nothing anew.
fn at_work_already(endpoint: &Endpoint, event: &Event) -> Option<String> {
    let Event::Requested { version, plan, .. } = event else { return None };
    let same = |release: &&Release| {
        let settled = release.phase == Phase::Live || release.plan.mode == plan.mode;
        release.version == *version && !release.is_over() && release.leaving.is_none() && settled
    };
    endpoint.releases().iter().find(same).map(|release| release.id.clone())
}

async fn apply_in(tx: &mut Tx, config: &EndpointConfig, wish: Wish, now: Micros) -> Result<Changed> {
    let name = &config.name.value;
    let state = tx.serving_state(name).await?;
    let mut before = kept::restore(config, state.as_ref())?;
    // What is in memory here or elsewhere is not in the rows: whoever tells of traffic has looked.
    before.mark_ready(|_| true);
    if let Some(key) = &wish.key
        && let Some(row) = tx.release_of_key(name, key).await?
    {
        return Ok(Changed { endpoint: before, actions: Vec::new(), earlier: Some(row.id) });
    }
    if let Some(there) = at_work_already(&before, &wish.event) {
        return Ok(Changed { endpoint: before, actions: Vec::new(), earlier: Some(there) });
    }
    let Some((endpoint, actions)) = decide(tx, config, &before, &wish, now).await? else {
        return Ok(Changed { endpoint: before, actions: Vec::new(), earlier: None });
    };
    if state.is_none() || endpoint.standing() != before.standing() {
        tx.put_endpoint(kept::endpoint_row(config, &endpoint, now)?).await?;
    }
    let made = kept::Made { endpoint: name, key: wish.key.as_deref(), actor: &wish.actor, now };
    tx.put_releases(kept::changed_releases(&before, &endpoint, &made)?).await?;
    history::write(tx, name, &actions, &Stamp { time: now, actor: wish.actor }).await?;
    Ok(Changed { endpoint, actions, earlier: None })
}

/// What follows from the event, with the alias moved. Nothing, where somebody else has moved the alias meanwhile: that
/// comes first.
async fn decide(
    tx: &mut Tx,
    config: &EndpointConfig,
    before: &Endpoint,
    wish: &Wish,
    now: Micros,
) -> Result<Option<(Endpoint, Vec<Action>)>> {
    let mut endpoint = before.clone();
    let actions = endpoint.apply(wish.event.clone(), now);
    let alias_move = actions.iter().find_map(|action| match action {
        Action::MoveAlias { release, version, reason } => Some((release.clone(), *version, reason.clone())),
        _ => None,
    });
    let Some((release, to, reason)) = alias_move else { return Ok(Some((endpoint, actions))) };
    let back = actions.iter().any(|action| matches!(action, Action::RollBack { .. }));
    let from = before.standing().followed;
    let wished = alias::Move { to, from, back, reason, actor: wish.actor.clone() };
    match alias::move_in(tx, config, wished, now).await? {
        Answer::Moved => Ok(Some((endpoint, actions))),
        Answer::Outdated => Ok(None),
        Answer::Refused(message) => {
            let mut endpoint = before.clone();
            let actions = endpoint.apply(Event::AliasRefused { release, message }, now);
            Ok(Some((endpoint, actions)))
        }
    }
}
