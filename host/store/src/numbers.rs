//! What is counted for those who watch the process: the writer's work as it happens, and cheap counts of rows.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::Row;

use crate::error::StoreError;
use crate::store::Store;

/// The writer's work since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WriterNumbers {
    /// Transactions that were begun for submissions.
    pub commits: u64,
    /// Transactions that could not be committed: nothing of their submissions is there.
    pub failures: u64,
    /// Submissions in all of them.
    pub submissions: u64,
    /// Submissions that were answered, and their time from submission to answer together.
    pub answered: u64,
    pub answering_seconds: f64,
    /// Barriers that were served, those that wait together as one, and the time they took.
    pub syncs: u64,
    pub syncing_seconds: f64,
    /// Submissions that wait now, and how many may before submitters wait for room.
    pub waiting: usize,
    pub room: usize,
    /// It writes no more: it was closed, or an fsync failed.
    pub closed: bool,
    /// The last commit failed because the disk is full.
    pub full: bool,
}

/// Runs without an end, of one pipeline and status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedRuns {
    pub pipeline: String,
    pub status: String,
    pub count: u64,
}

/// The queue of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueNumbers {
    pub queued: u64,
    pub claimed: u64,
    /// When the oldest run that waits was put in; microseconds since 1970.
    pub oldest: Option<i64>,
}

impl Store {
    pub fn writer_numbers(&self) -> WriterNumbers {
        let writer = self.writer();
        let (waiting, room) = writer.waiting();
        WriterNumbers { waiting, room, closed: writer.is_closed(), ..writer.counts().read() }
    }

    /// Whether the writer answers; writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn check_alive(&self) -> Result<(), StoreError> {
        self.with_tx(|_| Box::pin(async { Ok(()) })).await
    }

    /// Whether the database takes a change; leaves it as it was.
    ///
    /// # Errors
    /// Why it does not: [`StoreError::Full`], [`StoreError::Busy`], [`StoreError::Closed`] and others.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        self.with_tx(|tx| {
            Box::pin(async {
                let query = sqlx::query("UPDATE barriers SET count = count WHERE id = 1");
                query.execute(tx.connection().await?).await?;
                Ok(())
            })
        })
        .await
    }

    /// Whether the database's file is as SQLite left it: reads all of it. `Err` holds what is wrong, in SQLite's words.
    pub async fn check_integrity(&self) -> Result<Result<(), Vec<String>>, StoreError> {
        let query = sqlx::query_scalar("PRAGMA integrity_check");
        let said: Vec<String> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(if said == ["ok"] { Ok(()) } else { Err(said) })
    }

    /// Of runs that have not ended, of which there are few however many have.
    pub async fn unfinished_runs(&self) -> Result<Vec<UnfinishedRuns>, StoreError> {
        let query = sqlx::query(
            "SELECT pipeline, status, COUNT(*) AS count FROM runs WHERE status IN ('scheduled', 'running', 'waiting')
             GROUP BY pipeline, status ORDER BY pipeline, status",
        );
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let row = |row: &sqlx::sqlite::SqliteRow| {
            let count: i64 = row.try_get("count")?;
            let count = count.unsigned_abs();
            Ok(UnfinishedRuns { pipeline: row.try_get("pipeline")?, status: row.try_get("status")?, count })
        };
        rows.iter().map(row).collect()
    }

    pub async fn queue_numbers(&self) -> Result<QueueNumbers, StoreError> {
        let query = sqlx::query(
            "SELECT state, COUNT(*) AS count, MIN(enqueued) AS oldest FROM run_queue WHERE state <> 'done'
             GROUP BY state",
        );
        let mut numbers = QueueNumbers::default();
        for row in query.fetch_all(&mut *self.reader().await?).await? {
            let count: i64 = row.try_get("count")?;
            match row.try_get::<String, _>("state")?.as_str() {
                "queued" => {
                    numbers.queued = count.unsigned_abs();
                    numbers.oldest = row.try_get("oldest")?;
                }
                _ => numbers.claimed = count.unsigned_abs(),
            }
        }
        Ok(numbers)
    }
}

/// What the writer counts.
#[derive(Debug, Default)]
pub(crate) struct WriterCounts {
    commits: AtomicU64,
    failures: AtomicU64,
    submissions: AtomicU64,
    answered: AtomicU64,
    answering: AtomicU64,
    syncs: AtomicU64,
    syncing: AtomicU64,
    full: AtomicBool,
}

impl WriterCounts {
    pub fn committed(&self, submissions: usize, failed: Option<&StoreError>) {
        if submissions == 0 {
            return;
        }
        add(&self.commits, 1);
        add(&self.submissions, submissions as u64);
        add(&self.failures, u64::from(failed.is_some()));
        self.full.store(matches!(failed, Some(StoreError::Full)), Ordering::Relaxed);
    }

    pub fn answered(&self, took: Duration) {
        add(&self.answered, 1);
        add(&self.answering, nanos(took));
    }

    pub fn synced(&self, took: Duration) {
        add(&self.syncs, 1);
        add(&self.syncing, nanos(took));
    }

    fn read(&self) -> WriterNumbers {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        WriterNumbers {
            commits: get(&self.commits),
            failures: get(&self.failures),
            submissions: get(&self.submissions),
            answered: get(&self.answered),
            answering_seconds: get(&self.answering) as f64 / 1e9,
            syncs: get(&self.syncs),
            syncing_seconds: get(&self.syncing) as f64 / 1e9,
            full: self.full.load(Ordering::Relaxed),
            ..WriterNumbers::default()
        }
    }
}

fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}
