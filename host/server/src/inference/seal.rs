//! Sealing: a journal becomes tables, then rows of the database, then it goes.
//!
//! A process may die between any two steps. Before the commit the journal counts, after it the segments do; whoever
//! comes next sees by the journal's number which it is.

use std::path::Path;

use wasmlops_store::{BlobError, Cap, InferenceState, NewSegment, Seal, Stamp};

use super::journal::{Journal, JournalWriter, path};
use super::pieces::{self, Piece};
use super::{InferenceLog, Live, LogPolicy, SHARE_OF_CAP, disk};
use crate::error::{Error, Result};

/// Who removes rows that are beyond a cap.
const ACTOR: &str = "system:inference-log";

/// A step of sealing a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealStep {
    /// The tables are in the artifact store, and no row names them.
    Stored,
    /// The segments are in the database, and the journal is still there.
    Committed,
    /// The journal is gone.
    Removed,
}

/// Takes up what an earlier process has left in an endpoint's folder.
pub(super) fn recover(folder: &Path, endpoint: &str, state: &InferenceState) -> Result<Live> {
    let io = |error| Error::io(format!("recover the inference log of `{endpoint}`"))(error);
    let (sealed, mut next_seq) = (state.sealed as u64, state.next_seq as u64);
    let mut live = Live { journal: None, next_number: sealed + 1, next_seq };
    for number in disk::numbers(folder).map_err(io)? {
        let path = path(folder, number);
        if number <= sealed {
            std::fs::remove_file(&path).map_err(io)?;
            continue;
        }
        live.next_number = number + 1;
        live.journal = None;
        let Some(journal) = Journal::read(&path).map_err(io)? else {
            set_aside(&path).map_err(io)?;
            continue;
        };
        if journal.torn() > 0 {
            tracing::warn!(endpoint, bytes = journal.torn(), "the end of a journal was written by half and is cut off");
        }
        next_seq = next_seq.max(journal.next_seq());
        live.journal = Some(JournalWriter::reopen(&path, &journal).map_err(io)?);
    }
    live.next_seq = next_seq;
    Ok(live)
}

/// Keeps a file that does not even begin like a journal, for people to look at: it was being made when its process
/// died, so no answer depends on it, or the disk has changed it. An empty one has nothing to show.
fn set_aside(path: &Path) -> std::io::Result<()> {
    if std::fs::metadata(path)?.len() == 0 {
        return std::fs::remove_file(path);
    }
    tracing::error!(path = %path.display(), "an inference journal has no readable head and is set aside");
    std::fs::rename(path, path.with_extension("damaged"))
}

/// Each piece of a journal with its table as bytes.
type Tables = Vec<(Piece, Vec<u8>)>;

impl InferenceLog {
    /// Seals the journals that are full, or `all`, and keeps the caps.
    pub(super) async fn seal(&self, all: bool) -> Result<()> {
        self.seal_up_to(all, SealStep::Removed).await
    }

    /// Stops after a step of the first journal, as a dying process would.
    pub(super) async fn seal_up_to(&self, all: bool, last: SealStep) -> Result<()> {
        let _one_at_a_time = self.sealing.lock().await;
        let open = self.open_number(all);
        let numbers = disk::numbers(&self.folder).map_err(Error::io("list the inference log"))?;
        for number in numbers.into_iter().filter(|number| *number < open) {
            self.seal_one(number, last).await?;
            if last != SealStep::Removed {
                return Ok(());
            }
        }
        self.keep_caps().await
    }

    /// The number of the journal that is being written; those below it change no more.
    fn open_number(&self, close: bool) -> u64 {
        let mut live = self.live.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if close {
            live.journal = None;
        }
        live.next_number - u64::from(live.journal.is_some())
    }

    async fn seal_one(&self, number: u64, last: SealStep) -> Result<()> {
        let path = path(&self.folder, number);
        let from = path.clone();
        let read = move || -> Result<Option<(u64, Tables)>> {
            let journal = Journal::read(&from).map_err(Error::io(format!("read `{}`", from.display())))?;
            let Some(journal) = journal else { return Ok(None) };
            let mut tables = Tables::new();
            for piece in pieces::of_journal(&journal)? {
                let bytes = piece.table.to_ipc().map_err(Error::bug)?;
                tables.push((piece, bytes));
            }
            Ok(Some((journal.next_seq(), tables)))
        };
        let Some((next_seq, tables)) = tokio::task::spawn_blocking(read).await.map_err(Error::bug)?? else {
            return set_aside(&path).map_err(Error::io("set a journal aside"));
        };
        let mut segments = Vec::new();
        for (piece, bytes) in tables {
            segments.push(self.stored(piece, bytes).await?);
        }
        if last == SealStep::Stored {
            return Ok(());
        }
        let seal = Seal {
            endpoint: self.endpoint.clone(),
            journal: number as i64,
            next_seq: next_seq as i64,
            segments,
            time: self.clock.now(),
        };
        self.store.seal_journal(seal).await?;
        if last == SealStep::Committed {
            return Ok(());
        }
        // The journal may be on disk where its segments are not yet.
        self.store.barrier().await?;
        std::fs::remove_file(&path).map_err(Error::io(format!("remove `{}`", path.display())))
    }

    async fn stored(&self, piece: Piece, bytes: Vec<u8>) -> Result<NewSegment> {
        let rows = piece.index();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Err(Error::bug("a part of a journal has no rows"));
        };
        let times = || rows.iter().map(|row| row.time);
        let segment = NewSegment {
            bytes: bytes.len() as i64,
            features: piece.features as i64,
            target: piece
                .target
                .as_ref()
                .map(|target| serde_json::to_string(target).map_err(Error::bug))
                .transpose()?,
            first_seq: first.seq as i64,
            last_seq: last.seq as i64,
            first_time: times().min().unwrap_or_default(),
            last_time: times().max().unwrap_or_default(),
            digest: self.store.blobs().put(bytes).await.map_err(Error::store)?,
            ids: rows.into_iter().map(|row| (row.id, row.time)).collect(),
        };
        Ok(segment)
    }

    /// Removes the oldest segments, so that they and a full journal keep the caps.
    async fn keep_caps(&self) -> Result<()> {
        let Some(LogPolicy { rows, bytes, .. }) = **self.policy.load() else { return Ok(()) };
        let without_journal = |cap: u64| i64::try_from(cap - cap / SHARE_OF_CAP).unwrap_or(i64::MAX);
        let stamp = Stamp { time: self.clock.now(), actor: ACTOR.to_owned() };
        let cap =
            Cap { endpoint: self.endpoint.clone(), rows: without_journal(rows), bytes: without_journal(bytes), stamp };
        for digest in self.store.cap_inference_log(cap).await? {
            match self.store.blobs().remove(&digest).await {
                Ok(()) | Err(BlobError::Missing(_)) => {}
                // No row names it any more: what stays is waste, and no fault of the log.
                Err(error) => tracing::warn!(%digest, %error, "the table of removed rows could not be deleted"),
            }
        }
        Ok(())
    }
}
