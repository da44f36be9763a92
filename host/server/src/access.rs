//! Who is asking, and whether they may: tokens, identities from elsewhere, and what each holds in this project.
//!
//! A request's credential is looked up once ([`Access::authenticate`]) and travels as a [`Caller`]. What is known of a
//! credential is believed for [`FRESH`] at the most, so that one that was taken back is refused within that time, also
//! where another process took it back. Knows no route; HTTP's side is `http::front`.

mod bearer;
pub(crate) mod denials;
mod lease;
pub mod oidc;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmlops_core::access::{Permission, Rights, Role};
use wasmlops_core::run::Micros;
use wasmlops_store::Store;

pub use self::bearer::{Bearer, BearerError};
pub use self::lease::Lease;
use self::oidc::{Identity, Oidc};
use self::tokens::Token;
use crate::clock::Clock;
use crate::error::Result;
use crate::host::Host;

/// How long a credential is believed before it is looked up again.
pub const FRESH: Duration = Duration::from_secs(2);

/// Credentials that are remembered. More of them are looked up each time.
const REMEMBERED: usize = 4_096;

/// Who asks for something, in the extensions of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For the audit: `token:NAME`, `oidc:SUBJECT`, `local`.
    pub actor: String,
    pub rights: Rights,
    /// The project's name.
    pub project: String,
    /// How long all of this is true. Long answers watch it.
    pub lease: Lease,
}

impl Caller {
    /// A caller who needs no credential, so that nothing takes their rights back.
    pub fn trusted(actor: impl Into<String>, rights: Rights, project: impl Into<String>) -> Self {
        Self { actor: actor.into(), rights, project: project.into(), lease: Lease::for_ever() }
    }

    /// Whoever sits at this machine, where the server was told to trust them.
    pub fn local(project: impl Into<String>) -> Self {
        Self::trusted("local", Rights::of(Role::Admin), project)
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.rights.may(permission)
    }
}

/// What a credential turned out to be.
#[derive(Clone, Debug)]
pub enum Verdict {
    Known(Caller),
    /// It is genuine, and gives no role here.
    NoRole {
        actor: String,
    },
    /// None of this project's, or no more.
    Unknown,
}

/// Why a genuine credential cannot be told from a false one just now.
#[derive(Debug, thiserror::Error)]
#[error("the identity provider cannot be asked: {0}")]
pub struct Unavailable(pub String);

/// The credentials of one project. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    project: String,
    store: Store,
    clock: Arc<dyn Clock>,
    oidc: Option<Oidc>,
    known: Mutex<HashMap<[u8; 32], Known>>,
}

/// A credential by its hash.
struct Known {
    caller: Caller,
    /// Microseconds since 1970-01-01T00:00:00Z.
    looked_up: Micros,
    expires: Option<Micros>,
}

impl Access {
    pub fn new(host: &Host) -> Self {
        let oidc = host.project.access.oidc.clone();
        let oidc = oidc.map(|config| Oidc::new(config, &host.broker, host.clock.clone()));
        let project = host.project.name.clone();
        let (store, clock) = (host.store.clone(), host.clock.clone());
        Self { inner: Arc::new(Inner { project, store, clock, oidc, known: Mutex::default() }) }
    }

    pub fn project(&self) -> &str {
        &self.inner.project
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Whose credential it is.
    ///
    /// # Errors
    /// `Err` in the inner result where the identity provider is needed and does not answer; a failing store.
    pub async fn authenticate(&self, bearer: &Bearer) -> Result<Result<Verdict, Unavailable>> {
        if let Some(caller) = self.remembered(bearer.hash()) {
            return Ok(Ok(Verdict::Known(caller)));
        }
        match bearer {
            Bearer::Token { hash } => Ok(Ok(self.look_up(hash).await?)),
            Bearer::Jwt { hash, text } => match &self.inner.oidc {
                Some(oidc) => Ok(self.identify(oidc, hash, text).await),
                None => Ok(Ok(Verdict::Unknown)),
            },
        }
    }

    async fn look_up(&self, hash: &[u8; 32]) -> Result<Verdict> {
        let now = self.inner.clock.now();
        let found = self.inner.store.token_by_hash(&tokens::hex(hash)).await?;
        let Some(token) = found.filter(|row| row.is_good(now)) else { return Ok(Verdict::Unknown) };
        if token.is_stale(now)
            && let Err(error) = self.inner.store.touch_token(&token.id, now).await
        {
            // When a token was last used is good to know; no request fails for it.
            tracing::warn!(token = token.id, %error, "cannot note that a token was used");
        }
        let token = Token::of(token)?;
        Ok(self.remember(*hash, format!("token:{}", token.name), token.rights, token.expires))
    }

    /// A token that was known once. Identities from elsewhere are not taken back here: they run out.
    async fn was_revoked(&self, hash: &[u8; 32]) -> Result<bool> {
        let now = self.inner.clock.now();
        let found = self.inner.store.token_by_hash(&tokens::hex(hash)).await?;
        Ok(found.is_some_and(|row| !row.is_good(now)))
    }

    async fn identify(&self, oidc: &Oidc, hash: &[u8; 32], text: &str) -> Result<Verdict, Unavailable> {
        Ok(match oidc.identify(text).await? {
            Some(Identity { subject, role: None, .. }) => Verdict::NoRole { actor: format!("oidc:{subject}") },
            Some(Identity { subject, role: Some(role), expires }) => {
                self.remember(*hash, format!("oidc:{subject}"), Rights::of(role), Some(expires))
            }
            None => Verdict::Unknown,
        })
    }

    fn remembered(&self, hash: &[u8; 32]) -> Option<Caller> {
        let now = self.inner.clock.now();
        let fresh = i64::try_from(FRESH.as_micros()).unwrap_or(i64::MAX);
        let known = self.known();
        let entry = known.get(hash)?;
        // A clock that was set back makes nothing fresh.
        let is_fresh =
            (0..fresh).contains(&(now - entry.looked_up)) && entry.expires.is_none_or(|expires| now < expires);
        is_fresh.then(|| entry.caller.clone())
    }

    fn remember(&self, hash: [u8; 32], actor: String, rights: Rights, expires: Option<Micros>) -> Verdict {
        let looked_up = self.inner.clock.now();
        let lease = Lease::of(self.clone(), hash, expires);
        let caller = Caller { actor, rights, project: self.inner.project.clone(), lease };
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.retain(|_, entry| looked_up - entry.looked_up < i64::try_from(FRESH.as_micros()).unwrap_or(i64::MAX));
        }
        if known.len() < REMEMBERED {
            known.insert(hash, Known { caller: caller.clone(), looked_up, expires });
        }
        Verdict::Known(caller)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Known>> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("project", &self.inner.project).finish_non_exhaustive()
    }
}
