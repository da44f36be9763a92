//! How long what is known of a caller stays true: an answer that goes on for minutes ends when the credential that it
//! was asked for with is taken back or runs out.

use wasmlops_core::run::Micros;

use super::{Access, FRESH};

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lease {
    credential: Option<Credential>,
}

#[derive(Clone, Debug)]
struct Credential {
    access: Access,
    hash: [u8; 32],
    expires: Option<Micros>,
}

impl Lease {
    pub(super) fn for_ever() -> Self {
        Self { credential: None }
    }

    pub(super) fn of(access: Access, hash: [u8; 32], expires: Option<Micros>) -> Self {
        Self { credential: Some(Credential { access, hash, expires }) }
    }

    /// Comes back when the credential is good no more, at most some seconds later; never for a caller without one.
    /// Streams select on it.
    pub async fn ended(&self) {
        if self.credential.is_none() {
            return std::future::pending().await;
        }
        while self.is_good().await {
            tokio::time::sleep(FRESH).await;
        }
    }

    /// Whether the credential is good now, as the store has it.
    pub async fn is_good(&self) -> bool {
        let Some(Credential { access, hash, expires }) = &self.credential else { return true };
        let now = access.clock().now();
        if expires.is_some_and(|expires| now >= expires) {
            return false;
        }
        match access.was_revoked(hash).await {
            Ok(revoked) => !revoked,
            // Whoever cannot be checked is not let go on.
            Err(error) => {
                tracing::warn!(%error, "cannot look up a token that a stream was opened with");
                false
            }
        }
    }

    /// The access that the credential was looked up in.
    pub(crate) fn access(&self) -> Option<&Access> {
        self.credential.as_ref().map(|credential| &credential.access)
    }
}
