//! The alias that an endpoint follows, and moves when one of its releases becomes live or is taken back.

use wasmlops_core::config::{EndpointConfig, Selector};
use wasmlops_core::run::Micros;
use wasmlops_store::Tx;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::models::{AliasMoveRequest, AliasTarget, Expected, alias_target, move_alias_in};

/// A move that goes with a change of releases.
pub(super) struct Move {
    pub to: u64,
    /// What the alias named when the change was decided.
    pub from: Option<u64>,
    /// Back to a version that was live before.
    pub back: bool,
    pub reason: String,
    pub actor: String,
}

/// How a wish to move ended.
pub(super) enum Answer {
    Moved,
    /// Somebody else was faster: what was decided is to be decided anew.
    Outdated,
    Refused(String),
}

/// The version that the endpoint is to follow, where there is one.
pub(super) async fn followed(host: &Host, config: &EndpointConfig) -> Result<Option<u64>> {
    match &config.model.selector {
        Selector::Version(version) => Ok(Some(*version)),
        Selector::Alias(alias) => alias_target(host, &config.model.name, alias).await,
    }
}

/// Moves the alias inside the transaction. Nothing was written where it is not moved.
pub(super) async fn move_in(tx: &mut Tx, config: &EndpointConfig, wish: Move, now: Micros) -> Result<Answer> {
    let alias = match &config.model.selector {
        Selector::Alias(alias) => alias.clone(),
        Selector::Version(version) => {
            return Ok(Answer::Refused(format!("the endpoint is held to version {version} by its configuration")));
        }
    };
    let request = AliasMoveRequest {
        name: config.model.name.clone(),
        alias,
        to: AliasTarget::Version(wish.to),
        expected: Expected::Is(wish.from),
        reason: Some(wish.reason),
        // It was moved there on evidence, or by force, before.
        forced: wish.back,
        actor: wish.actor,
    };
    let before = AliasMoveRequest { to: AliasTarget::Before, forced: false, ..request.clone() };
    let leads_back = wish.back && where_back_leads(tx, &before).await? == Some(wish.to);
    match move_alias_in(tx, if leads_back { before } else { request }, now).await {
        Ok(_) => Ok(Answer::Moved),
        Err(Error::User(problems)) => match problems.0.first() {
            Some(problem) if problem.code == "alias-moved" => Ok(Answer::Outdated),
            Some(problem) => Ok(Answer::Refused(problem.message.clone())),
            None => Ok(Answer::Refused(String::new())),
        },
        Err(error) => Err(error),
    }
}

/// A rollback of the alias says more than a forced move, where the two lead to the same version.
async fn where_back_leads(tx: &mut Tx, request: &AliasMoveRequest) -> Result<Option<u64>> {
    Ok(wasmlops_catalog::before(tx.connection().await?, &request.name, &request.alias).await?)
}
