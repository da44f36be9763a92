//! A few read-only connections, apart from the writer's.
//!
//! sqlx's own pool spends two more round trips to the connection's thread on every read, to see whether a server is
//! still there; a file is.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::StoreError;

/// Reads beyond this wait: SQLite reads from memory or disk, which more threads do not speed up.
const CONNECTIONS: usize = 4;

pub(crate) struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Semaphore,
}

impl Readers {
    pub fn new(options: SqliteConnectOptions) -> Self {
        Self { options: options.read_only(true), idle: Mutex::default(), permits: Semaphore::new(CONNECTIONS) }
    }

    /// A connection, opened where none is idle.
    pub async fn get(&self) -> Result<Reader<'_>, StoreError> {
        let permit = self.permits.acquire().await.map_err(|_| StoreError::Closed)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Reader { connection: Some(connection), readers: self, _permit: permit })
    }

    /// For a connection that is kept.
    pub fn options(&self) -> SqliteConnectOptions {
        self.options.clone()
    }

    /// Refuses further reads.
    pub fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection until it is dropped.
pub(crate) struct Reader<'r> {
    connection: Option<SqliteConnection>,
    readers: &'r Readers,
    _permit: SemaphorePermit<'r>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if !self.readers.permits.is_closed() {
            self.readers.idle().extend(self.connection.take());
        }
    }
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect("it is taken when dropped only")
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("it is taken when dropped only")
    }
}
