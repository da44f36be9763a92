//! The only way to write: one task that owns the writing connection.
//!
//! It takes all that waits, runs it in one transaction with a savepoint for each submission, appends the audit records
//! that came of it, commits once, and answers. So a commit's cost is shared under load, writers of this process never
//! wait for a lock, and a change and its audit record cannot come apart.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::audit::{AuditEntry, Chain};
use crate::blobs::Blobs;
use crate::error::StoreError;
use crate::home::Home;
use crate::numbers::WriterCounts;
use crate::script::Script;

/// Submissions that may wait. Beyond it, submitters wait for room: writing is then slower than what produces it.
const QUEUE: usize = 1024;

/// Submissions in one transaction; more would let the first of them wait long for its answer.
const BATCH: usize = 256;

/// What a transaction does, borrowed from it.
pub type Work<'t, T, E = StoreError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>;

/// A transaction at work.
pub struct Tx {
    connection: SqliteConnection,
    /// Begins the transaction or savepoint. It goes along with the first statement, to save a hand-over to the
    /// connection's thread, and is left out where there is none.
    opening: Option<&'static str>,
    /// The opening failed, or may have.
    failed: Option<StoreError>,
    audit: Vec<AuditEntry>,
}

impl Tx {
    fn new(connection: SqliteConnection) -> Self {
        Self { connection, opening: None, failed: None, audit: Vec::new() }
    }

    /// The connection, inside the transaction: for queries of crates that share the database. It must not begin,
    /// commit or roll back.
    ///
    /// # Errors
    /// [`StoreError::Busy`] and whatever else keeps a transaction from beginning.
    pub async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.opening.is_some() || self.failed.is_some() {
            self.run(Script::new()).await?;
        }
        Ok(&mut self.connection)
    }

    /// Puts a record into the audit if and when this transaction commits.
    pub fn audit(&mut self, entry: AuditEntry) {
        self.audit.push(entry);
    }

    /// Whether a statement was run or a record made.
    pub(crate) fn was_used(&self) -> bool {
        self.opening.is_none() || !self.audit.is_empty()
    }

    pub(crate) async fn run(&mut self, mut script: Script) -> Result<(), StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let opening = self.opening.take();
        if let Some(opening) = opening {
            script.first(opening);
        }
        let end = script.run(&mut self.connection).await;
        // An opening breaks no rule: where one was broken, it had passed.
        self.failed = end.as_ref().err().filter(|error| opening.is_some() && error.violated().is_none()).cloned();
        end
    }

    async fn control(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql).execute(&mut self.connection).await?;
        Ok(())
    }
}

/// Handle of the writer's task.
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
    task: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<WriterCounts>,
}

enum Message {
    Job(Box<dyn Job>),
    Barrier(oneshot::Sender<Result<(), StoreError>>),
    Close,
}

impl Writer {
    pub fn start(connection: SqliteConnection, blobs: Blobs, home: Arc<Home>) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let tx = Tx::new(connection);
        let counts = Arc::new(WriterCounts::default());
        let chain = Chain::default();
        let service = Service { tx, blobs, chain, unsynced: true, counts: counts.clone(), _home: home };
        Self { queue, task: Mutex::new(Some(tokio::spawn(service.run(messages)))), counts }
    }

    pub fn counts(&self) -> &WriterCounts {
        &self.counts
    }

    /// Submissions that wait, and how many may.
    pub fn waiting(&self) -> (usize, usize) {
        (self.queue.max_capacity() - self.queue.capacity(), self.queue.max_capacity())
    }

    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    pub async fn submit<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Submission { work: Some(work), result: None, reply };
        let submitted = Instant::now();
        self.queue.send(Message::Job(Box::new(job))).await.map_err(|_| StoreError::Closed)?;
        let answered = answer.await.map_err(|_| StoreError::Closed)?;
        self.counts.answered(submitted.elapsed());
        answered
    }

    pub async fn barrier(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Message::Barrier(reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    pub async fn close(&self) {
        // A writer that has stopped already takes no message; it is waited for all the same.
        let _ = self.queue.send(Message::Close).await;
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = match task {
            Some(task) => Some(task.await),
            None => None,
        } {
            tracing::error!(%error, "the store's writer ended badly");
        }
    }
}

/// A submission without its types.
trait Job: Send {
    /// Does the work; says whether it is to be kept.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> Pin<Box<dyn Future<Output = bool> + Send + 't>>;

    /// Tells the submitter how it ended.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Submission<T, E, F> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Submission<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T, E> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> Pin<Box<dyn Future<Output = bool> + Send + 't>> {
        Box::pin(async move {
            let work = self.work.take().expect("a job runs once");
            self.result.insert(work(tx).await).is_ok()
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed.into()),
        };
        // A submitter that went away does not want to know.
        let _ = self.reply.send(answer);
    }
}

struct Service {
    tx: Tx,
    blobs: Blobs,
    chain: Chain,
    /// Whether a commit may not have reached the disk yet. True at the start: earlier processes may have left some.
    unsynced: bool,
    counts: Arc<WriterCounts>,
    /// The folder is in use until the last commit.
    _home: Arc<Home>,
}

#[derive(Default)]
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    barriers: Vec<oneshot::Sender<Result<(), StoreError>>>,
    close: bool,
}

impl Service {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        while let Some(first) = messages.recv().await {
            let batch = Batch::gather(first, &mut messages);
            let close = batch.close;
            let failed_sync = self.serve(batch).await;
            if failed_sync {
                tracing::error!("an fsync failed: the store stops, since what is on disk is unknown");
            }
            if close || failed_sync {
                break;
            }
        }
        if let Err(error) = self.tx.connection.close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }

    /// Answers a batch; says whether an fsync failed.
    async fn serve(&mut self, mut batch: Batch) -> bool {
        let committed = self.commit(&mut batch.jobs).await;
        self.counts.committed(batch.jobs.len(), committed.as_ref().err());
        let mut failed_sync = committed.as_ref().is_err_and(StoreError::is_failed_sync);
        for job in batch.jobs {
            job.answer(committed.clone());
        }
        if !batch.barriers.is_empty() && !failed_sync {
            let begun = Instant::now();
            let durable = self.sync().await;
            self.counts.synced(begun.elapsed());
            failed_sync = durable.as_ref().is_err_and(StoreError::is_failed_sync);
            for barrier in batch.barriers {
                // Whoever went away does not want to know.
                let _ = barrier.send(durable.clone());
            }
        }
        failed_sync
    }

    /// Blobs first, so that no durable row names a blob that is not; then a commit that syncs the log, and with it
    /// every earlier commit.
    async fn sync(&mut self) -> Result<(), StoreError> {
        let blobs_synced = self.blobs.sync().await?;
        if !blobs_synced && !self.unsynced {
            return Ok(());
        }
        self.tx.control("PRAGMA synchronous = FULL").await?;
        let synced = self.tx.control("UPDATE barriers SET count = count + 1 WHERE id = 1").await;
        self.tx.control("PRAGMA synchronous = NORMAL").await?;
        self.unsynced = synced.is_err();
        synced
    }

    async fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let end = match jobs {
            [] => Ok(()),
            [job] => self.commit_one(job.as_mut()).await,
            jobs => self.commit_many(jobs).await,
        };
        if end.is_err() {
            // Where nothing was begun, or SQLite has rolled back by itself, this fails, and nothing is left to do.
            let _ = self.tx.control("ROLLBACK").await;
        }
        self.tx.audit.clear();
        self.tx.failed = None;
        end
    }

    async fn commit_one(&mut self, job: &mut dyn Job) -> Result<(), StoreError> {
        self.tx.opening = Some("BEGIN IMMEDIATE");
        let kept = job.run(&mut self.tx).await;
        let untouched = self.tx.opening.take().is_some();
        match (kept, untouched) {
            (true, true) if self.tx.audit.is_empty() => Ok(()),
            (true, true) => self.finish(Some("BEGIN IMMEDIATE")).await,
            (true, false) => self.finish(None).await,
            (false, true) => Ok(()),
            (false, false) => self.tx.control("ROLLBACK").await,
        }
    }

    /// Each job in a savepoint, so that one that fails takes back its own work only.
    async fn commit_many(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        self.tx.opening = Some("BEGIN IMMEDIATE; SAVEPOINT job");
        let mut undo_last = None;
        for job in jobs {
            let records = self.tx.audit.len();
            let kept = job.run(&mut self.tx).await;
            if !kept {
                self.tx.audit.truncate(records);
            }
            if self.tx.opening.is_none() {
                // What is undone leaves its savepoint open, for the next job.
                undo_last = (!kept).then_some("ROLLBACK TO job");
                self.tx.opening = Some(if kept { "RELEASE job; SAVEPOINT job" } else { "ROLLBACK TO job" });
            }
        }
        let begun = self.tx.opening.take() != Some("BEGIN IMMEDIATE; SAVEPOINT job");
        match begun {
            true => self.finish(undo_last).await,
            false if self.tx.audit.is_empty() => Ok(()),
            false => self.finish(Some("BEGIN IMMEDIATE")).await,
        }
    }

    /// Commits, which closes what savepoint is open.
    async fn finish(&mut self, before: Option<&'static str>) -> Result<(), StoreError> {
        if let Some(error) = self.tx.failed.take() {
            return Err(error);
        }
        self.chain.commit(&mut self.tx.connection, before, &self.tx.audit).await?;
        self.unsynced = true;
        Ok(())
    }
}

impl Batch {
    /// What waits, up to the first message after which nothing may follow.
    fn gather(first: Message, messages: &mut mpsc::Receiver<Message>) -> Self {
        let mut batch = Self::default();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) => batch.jobs.push(job),
                Message::Barrier(reply) => batch.barriers.push(reply),
                Message::Close => batch.close = true,
            }
            let full = batch.close || batch.jobs.len() + batch.barriers.len() >= BATCH;
            next = if full { None } else { messages.try_recv().ok() };
        }
        batch
    }
}
