//! What can go wrong above the step: the user's mistakes, and faults of the host.

use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};

/// Who is at fault decides the exit code: the user (2) or the host (3).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    User(#[from] Diagnostics),
    #[error(transparent)]
    Store(#[from] wasmlops_store::StoreError),
    #[error("cannot {what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("{0}")]
    Host(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One mistake of the user, with its fix.
    pub fn user(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::User(Diagnostic::new(code, message).hint(hint).into())
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn store(error: impl Into<wasmlops_store::StoreError>) -> Self {
        Self::Store(error.into())
    }

    pub(crate) fn bug(error: impl std::fmt::Display) -> Self {
        Self::Host(format!("{error} (this is a bug)"))
    }
}
