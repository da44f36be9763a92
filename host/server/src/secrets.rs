//! Named secrets: kept encrypted, given out for one purpose at a time.
//!
//! A value is in memory while it is used, and nowhere else: not in the graph, the cache key, lineage, a view, a log or
//! the audit. Doors: [`set`], [`list`], [`remove`] for people, [`reveal`] for the parts of the host that use a secret,
//! [`for_step`] for what a step is given. Knows nothing of SQL.

mod guard;
mod key;
mod redaction;
mod revealed;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::config::is_secret_name;
use wasmlops_store::Stamp;
use zeroize::Zeroizing;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

pub(crate) use guard::{cleared, discreet};
pub use key::Keyring;
pub use redaction::Redactor;
pub use revealed::{Revealed, for_step};

/// Longer values are refused: a secret is a password, a token or a key.
const LONGEST: usize = 64 << 10;

/// What may be told of a secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SecretView {
    pub name: String,
    /// When the name was first set (RFC 3339).
    pub created: String,
    /// When its value was set, and by whom.
    pub updated: String,
    pub by: String,
}

/// Keeps a value under a name, in the place of the one before it. Says whether the name is new.
///
/// # Errors
/// The user's: a name that is none, a value that is empty or too long, a key file that others can read.
pub async fn set(host: &Host, name: &str, value: Zeroizing<Vec<u8>>, actor: &str) -> Result<bool> {
    check_name(name)?;
    let refused = |what: &str, hint: &str| Err(Error::user("invalid-secret", what.to_owned(), hint));
    if value.is_empty() {
        return refused("the value is empty", "pipe the value into the command, or remove the secret");
    }
    if value.len() > LONGEST {
        return refused(
            "the value is longer than 64 KiB",
            "keep a password, a token or a key; data belongs into files",
        );
    }
    let sealed = host.secrets.seal(&host.project.name, name, &value)?;
    Ok(host.store.set_secret(sealed, stamp(host, actor)).await?)
}

/// All secrets by name, without their values.
pub async fn list(host: &Host) -> Result<Vec<SecretView>> {
    let view = |row: wasmlops_store::SecretRow| SecretView {
        name: row.name,
        created: rfc3339(row.created),
        updated: rfc3339(row.updated),
        by: row.actor,
    };
    Ok(host.store.secrets().await?.into_iter().map(view).collect())
}

/// Forgets a secret.
///
/// # Errors
/// The user's: there is none of that name.
pub async fn remove(host: &Host, name: &str, actor: &str) -> Result<()> {
    match host.store.remove_secret(name, stamp(host, actor)).await? {
        true => Ok(()),
        false => Err(unknown(name)),
    }
}

/// The value of a secret; nothing where none of that name is kept. For the use at hand: do not keep it.
///
/// # Errors
/// The user's: the key is another one than it was set with, or is gone.
pub async fn reveal(host: &Host, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(sealed) = host.store.sealed_secret(name).await? else { return Ok(None) };
    host.secrets.open(&host.project.name, sealed).map(Some)
}

pub(crate) fn unknown(name: &str) -> Error {
    let hint = format!("set it with `wasmlops secret set {name}`; `wasmlops secret list` shows those that are there");
    Error::user("unknown-secret", format!("there is no secret `{name}`"), hint)
}

fn check_name(name: &str) -> Result<()> {
    if is_secret_name(name) {
        return Ok(());
    }
    // Not repeated: it may be the value, in the wrong place.
    let message = "this is not the name of a secret".to_owned();
    Err(Error::user("invalid-name", message, "write a letter, then letters, digits, `_` and `-`, at most 64"))
}

fn stamp(host: &Host, actor: &str) -> Stamp {
    Stamp { time: host.clock.now(), actor: actor.to_owned() }
}

#[cfg(test)]
mod tests;
