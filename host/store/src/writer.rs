//! The only way to write: one task that owns the writing connection.
//!
//! It takes all that waits, runs it in one transaction with a savepoint for each submission, appends the audit records
//! that came of it, commits once, and answers. So a commit's cost is shared under load, writers of this process never
//! wait for a lock, and a change and its audit record cannot come apart.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::audit::{AuditEntry, Chain};
use crate::blobs::Blobs;
use crate::error::StoreError;
use crate::home::Home;
use crate::script::Script;

/// Submissions that may wait. Beyond it, submitters wait for room: writing is then slower than what produces it.
const QUEUE: usize = 1024;

/// Submissions in one transaction; more would let the first of them wait long for its answer.
const BATCH: usize = 256;

/// What a transaction does, borrowed from it.
pub type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

/// A transaction at work.
pub struct Tx {
    connection: SqliteConnection,
    audit: Vec<AuditEntry>,
}

impl Tx {
    /// The connection, inside the transaction: for queries of crates that share the database. It must not begin,
    /// commit or roll back.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Puts a record into the audit if and when this transaction commits.
    pub fn audit(&mut self, entry: AuditEntry) {
        self.audit.push(entry);
    }

    pub(crate) async fn run(&mut self, script: Script) -> Result<u64, StoreError> {
        script.run(&mut self.connection).await
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
}

enum Message {
    Job(Box<dyn Job>),
    Barrier(oneshot::Sender<Result<(), StoreError>>),
    Close,
}

impl Writer {
    pub fn start(connection: SqliteConnection, blobs: Blobs, home: Arc<Home>) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let tx = Tx { connection, audit: Vec::new() };
        let service = Service { tx, blobs, chain: Chain::default(), unsynced: true, _home: home };
        Self { queue, task: Mutex::new(Some(tokio::spawn(service.run(messages)))) }
    }

    pub async fn submit<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Submission { work: Some(work), result: None, reply };
        self.queue.send(Message::Job(Box::new(job))).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
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

struct Submission<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Submission<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> Pin<Box<dyn Future<Output = bool> + Send + 't>> {
        Box::pin(async move {
            let work = self.work.take().expect("a job runs once");
            self.result.insert(work(tx).await).is_ok()
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
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
        let mut failed_sync = committed.as_ref().is_err_and(StoreError::is_failed_sync);
        for job in batch.jobs {
            job.answer(committed.clone());
        }
        if !batch.barriers.is_empty() && !failed_sync {
            let durable = self.sync().await;
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
        if jobs.is_empty() {
            return Ok(());
        }
        let end = self.transact(jobs).await;
        if end.is_err() {
            // Where SQLite has rolled back by itself, this fails, and nothing is left to roll back.
            let _ = self.tx.control("ROLLBACK").await;
            self.tx.audit.clear();
        }
        end
    }

    async fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let kept = match jobs {
            [job] => {
                self.tx.control("BEGIN IMMEDIATE").await?;
                job.run(&mut self.tx).await
            }
            jobs => {
                self.run_each(jobs).await?;
                true
            }
        };
        if !kept {
            self.tx.audit.clear();
            return self.tx.control("ROLLBACK").await;
        }
        self.chain.commit(&mut self.tx.connection, &self.tx.audit).await?;
        self.tx.audit.clear();
        self.unsynced = true;
        Ok(())
    }

    /// Each job in a savepoint, so that one that fails takes back its own work only.
    async fn run_each(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        self.tx.control("BEGIN IMMEDIATE; SAVEPOINT job").await?;
        let last = jobs.len() - 1;
        for (position, job) in jobs.iter_mut().enumerate() {
            let records = self.tx.audit.len();
            let kept = job.run(&mut self.tx).await;
            if !kept {
                self.tx.audit.truncate(records);
            }
            match (kept, position == last) {
                (true, false) => self.tx.control("RELEASE job; SAVEPOINT job").await?,
                (true, true) => self.tx.control("RELEASE job").await?,
                (false, false) => self.tx.control("ROLLBACK TO job; RELEASE job; SAVEPOINT job").await?,
                (false, true) => self.tx.control("ROLLBACK TO job; RELEASE job").await?,
            }
        }
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
