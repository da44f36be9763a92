//! The inference log: what endpoints were asked and what they answered, on disk before the answer goes out.
//!
//! [`InferenceLog::append`] writes a record to a journal with one `write(2)`, so that nothing that was answered is lost
//! when the process dies. In the background a journal that is full or old is sealed: its rows become tables in the
//! artifact store, one for each set of columns, in one transaction with their ids; then the journal goes. Rows of an
//! endpoint are numbered without gaps, in the order in which they were appended, and readers ([`window()`], labels,
//! lineage) take what is sealed by the database's word and the rest from the journals. So they work beside a server, in
//! a process of their own, and see each row once at any moment.
//!
//! Knows nothing of how predictions are made. Doors: [`InferenceLogs`] for the one process that serves; [`window()`],
//! [`rows_since`], [`training_table`] and [`reference()`] for those who look.

mod codec;
pub(crate) mod columns;
mod disk;
mod frame;
mod journal;
pub(crate) mod pieces;
mod reference;
mod sample;
mod seal;
mod service;
#[cfg(test)]
mod tests;
mod training;
mod window;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wasmlops_core::config::LogConfig;
use wasmlops_core::run::Micros;
use wasmlops_core::table::{Batch, Field, Schema};
use wasmlops_store::Store;

use crate::clock::Clock;
use crate::error::Result;

pub(crate) use disk::{journals, journals_of};
use journal::JournalWriter;
pub(crate) use journal::{Journal, JournalRecord};
pub use reference::reference;
pub use seal::SealStep;
pub use service::InferenceLogs;
use service::{SEAL_AFTER, Shared};
pub use training::training_table;
pub use window::{Waiting, WindowData, WindowSpec, rows_since, window};

/// What answers of one release have in common. Make one when a release is loaded, and pass clones of the `Arc`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Source {
    pub model: String,
    pub version: u64,
    /// The release's id.
    pub release: String,
    /// Of the features.
    pub input: Schema,
    /// Of the predictions.
    pub output: Schema,
    /// The column that the model predicts, with the type that labels have.
    pub target: Option<Field>,
}

/// A request that was answered, or failed.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub source: &'a Arc<Source>,
    /// The request's. Rows of a request with several get `ID.0`, `ID.1` and so on.
    pub id: &'a str,
    /// When it came, in microseconds since 1970-01-01T00:00:00Z.
    pub time: Micros,
    pub latency_us: u64,
    pub outcome: Outcome<'a>,
    /// In the columns of the source's `input`.
    pub features: &'a Batch,
    /// In the columns of the source's `output`; absent where there is no answer.
    pub predictions: Option<&'a Batch>,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome<'a> {
    Ok,
    /// The code of the error that was answered.
    Error(&'a str),
}

/// How much is logged and kept.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LogPolicy {
    /// The share of requests that are logged, 0 to 1. The id decides, so that the same ids are logged anywhere.
    pub sample: f64,
    /// At most so many rows are kept.
    pub rows: u64,
    /// At most so many bytes of sealed tables are kept.
    pub bytes: u64,
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self { sample: 1.0, rows: 1_000_000, bytes: 1 << 30 }
    }
}

impl From<&LogConfig> for LogPolicy {
    fn from(config: &LogConfig) -> Self {
        Self { sample: config.sample, rows: config.rows, bytes: config.bytes }
    }
}

/// Rows after which a journal is sealed: about what crosses into a guest at once.
const JOURNAL_ROWS: u64 = 8192;
/// Bytes after which a journal is sealed, for wide rows.
const JOURNAL_BYTES: u64 = 64 << 20;
/// A journal holds at most this part of what may be kept, so that removing the oldest takes little more than needed.
const SHARE_OF_CAP: u64 = 8;
impl LogPolicy {
    fn journal_rows(&self) -> u64 {
        (self.rows / SHARE_OF_CAP).clamp(1, JOURNAL_ROWS)
    }

    fn journal_bytes(&self) -> u64 {
        (self.bytes / SHARE_OF_CAP).clamp(1, JOURNAL_BYTES)
    }
}

/// Why a record was not written; the answer must then not go out as if it had been.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("the inference log cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// Of the model's columns, two have one name.
    #[error("the columns of the model cannot be logged: {0}")]
    Columns(String),
    /// A bug of the caller.
    #[error("a batch has {found} columns, and its schema {expected}")]
    ColumnCount { expected: usize, found: usize },
}

/// The log of one endpoint.
pub struct InferenceLog {
    endpoint: String,
    folder: PathBuf,
    store: Store,
    clock: Arc<dyn Clock>,
    full: Arc<Notify>,
    /// Absent until somebody names it: then everything is logged and nothing removed.
    policy: ArcSwap<Option<LogPolicy>>,
    live: Mutex<Live>,
    /// As of `live`, to be read without waiting.
    head: AtomicU64,
    /// One journal after the other.
    sealing: tokio::sync::Mutex<()>,
}

/// Where the next record goes.
struct Live {
    /// Made for the first record that needs it.
    journal: Option<JournalWriter>,
    next_number: u64,
    next_seq: u64,
}

impl InferenceLog {
    async fn open(shared: &Shared, endpoint: &str) -> Result<Self> {
        let folder = shared.folder.join(disk::folder_name(endpoint));
        let state = shared.store.inference_state(endpoint).await?;
        let live = seal::recover(&folder, endpoint, &state)?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            folder,
            store: shared.store.clone(),
            clock: shared.clock.clone(),
            full: shared.full.clone(),
            policy: ArcSwap::default(),
            head: AtomicU64::new(live.next_seq),
            live: Mutex::new(live),
            sealing: tokio::sync::Mutex::default(),
        })
    }

    /// Writes a record, unless the sample leaves it out, and says whether it did. When it returns, the record survives
    /// the death of the process. Takes a few microseconds; callers wait for each other.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written then.
    pub fn append(&self, record: Record) -> Result<bool, AppendError> {
        record.check()?;
        let policy = self.policy.load();
        let policy = policy.unwrap_or_default();
        if !sample::is_in(record.id, policy.sample) {
            return Ok(false);
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = &mut *live;
        let seq = live.next_seq;
        let journal = match &mut live.journal {
            Some(journal) => journal,
            None => {
                let made =
                    JournalWriter::create(&self.folder, live.next_number, &self.endpoint, seq, self.clock.now())?;
                live.next_number += 1;
                live.journal.insert(made)
            }
        };
        let written = journal.append(&record);
        let is_full = journal.rows() >= policy.journal_rows() || journal.bytes() >= policy.journal_bytes();
        if is_full || journal.is_broken() {
            live.journal = None;
            self.full.notify_one();
        }
        written?;
        live.next_seq += record.features.num_rows;
        self.head.store(live.next_seq, Ordering::Release);
        Ok(true)
    }

    /// The number that the next row gets.
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Whether the journal has been open for long.
    fn is_old(&self, now: Micros) -> bool {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let old = now.saturating_sub(i64::try_from(SEAL_AFTER.as_micros()).unwrap_or(i64::MAX));
        live.journal.as_ref().is_some_and(|journal| journal.opened() <= old)
    }
}

impl Record<'_> {
    fn check(&self) -> Result<(), AppendError> {
        let fits = |batch: &Batch, schema: &Schema| match (schema.fields.len(), batch.columns.len()) {
            (expected, found) if expected != found => Err(AppendError::ColumnCount { expected, found }),
            _ => Ok(()),
        };
        fits(self.features, &self.source.input)?;
        self.predictions.map_or(Ok(()), |predictions| fits(predictions, &self.source.output))
    }
}

/// What a row of a request is called.
pub fn row_id(request: &str, rows: u64, row: u64) -> String {
    if rows == 1 { request.to_owned() } else { format!("{request}.{row}") }
}
