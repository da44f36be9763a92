//! What can go wrong at the store's door, by what the caller does about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use sqlx::error::ErrorKind;

use crate::blobs::BlobError;
use crate::runs::RunStatus;

/// Cloneable, because one failed commit answers several callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no run `{0}` is known")]
    RunNotFound(String),
    #[error("run `{0}` exists already")]
    RunExists(String),
    #[error("no experiment `{0}` is known")]
    ExperimentNotFound(String),
    /// Somebody else drives the run, or the caller's state is old.
    #[error("run `{run}` has {actual} events, and the new ones were meant to follow {expected}")]
    EventConflict { run: String, expected: i64, actual: i64 },
    #[error("run `{run}` is {from} and cannot become {to}")]
    StatusConflict { run: String, from: RunStatus, to: RunStatus },
    #[error("param `{key}` of run `{run}` is `{value}` and cannot be changed")]
    ParamChanged { run: String, key: String, value: String },
    /// A name or value that MLflow's rules refuse.
    #[error("{what} is not allowed: {why}")]
    Refused { what: String, why: String },
    #[error("nothing known begins with `{0}`")]
    NothingResolved(String),
    #[error("`{prefix}` is short for several: {}", .candidates.join(", "))]
    Ambiguous { prefix: String, candidates: Vec<String> },
    #[error("`{0}` is too short, or no id or digest: at least 6 characters are needed")]
    BadPrefix(String),
    #[error("`{0}` is not a cursor of this list")]
    BadCursor(String),
    #[error("cannot use `{}` as the data folder: {source}", .path.display())]
    Home { path: PathBuf, source: Arc<io::Error> },
    #[error("SQLite {0} is too old: versions before 3.51.3 can corrupt a database with several connections")]
    OldSqlite(String),
    #[error("the database was written by a newer version of wasmlops (migration {0})")]
    NewerDatabase(i64),
    #[error("the database cannot be brought to this version: {0}")]
    Migration(String),
    /// Another process held the database for longer than the store waits.
    #[error("the database is locked by another process")]
    Busy,
    #[error("the disk is full")]
    Full,
    /// Closed, or stopped after a failed fsync: what is on disk is then unknown, and only a new start finds out.
    #[error("the store is closed")]
    Closed,
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("the database failed: {0}")]
    Database(Arc<sqlx::Error>),
}

impl StoreError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::RunNotFound(_) | Self::NothingResolved(_) => "`wasmlops runs list` shows the runs",
            Self::Ambiguous { .. } => "give more characters",
            Self::Home { .. } => "name another folder with `--home`",
            Self::OldSqlite(_) => "build wasmlops with its bundled SQLite",
            Self::NewerDatabase(_) => "use that version, or another data folder",
            Self::Busy => "wait until the other process is done, then try again",
            Self::Full | Self::Blob(BlobError::Full) => "free some space; nothing was lost",
            _ => return None,
        })
    }

    pub(crate) fn home(path: &std::path::Path, source: io::Error) -> Self {
        Self::Home { path: path.to_owned(), source: Arc::new(source) }
    }

    pub(crate) fn refused(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), why: why.into() }
    }

    /// A row points at a run that is not there.
    pub(crate) fn or_unknown_run(self, run: String) -> Self {
        if self.violated() == Some(ErrorKind::ForeignKeyViolation) { Self::RunNotFound(run) } else { self }
    }

    /// The rule that a statement broke. The transaction goes on.
    pub(crate) fn violated(&self) -> Option<ErrorKind> {
        let Self::Database(error) = self else { return None };
        error.as_database_error().map(|error| error.kind()).filter(|kind| !matches!(kind, ErrorKind::Other))
    }

    /// A failed fsync may have thrown the data away, and the next one may well report success.
    pub(crate) fn is_failed_sync(&self) -> bool {
        const SQLITE_IOERR_FSYNC: &str = "1034";
        const SQLITE_IOERR_DIR_FSYNC: &str = "1290";
        match self {
            Self::Blob(BlobError::Sync(_)) => true,
            Self::Database(error) => error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // Extended result codes: the low byte is the primary code.
        let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => Self::Busy,
            Some(13) => Self::Full,
            _ => Self::Database(Arc::new(error)),
        }
    }
}
