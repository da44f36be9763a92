//! Whether anybody has written to the database: a look of microseconds that spares a server reading its tables again.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::error::StoreError;
use crate::store::Store;

/// Looks at one database. Has a connection of its own, because SQLite counts the commits of all others.
pub struct Changes {
    connection: SqliteConnection,
    seen: Option<i64>,
}

impl Store {
    /// Starts to look for changes.
    pub async fn changes(&self) -> Result<Changes, StoreError> {
        Changes::open(self.reading_options()).await
    }
}

impl Changes {
    async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        Ok(Self { connection: options.connect().await?, seen: None })
    }

    /// Whether anything was committed since the last look, by any process; `true` the first time.
    pub async fn look(&mut self) -> Result<bool, StoreError> {
        let version: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut self.connection).await?;
        Ok(self.seen.replace(version) != Some(version))
    }

    /// Ends the look-out.
    pub async fn close(self) {
        // Nothing was written; the file is closed either way.
        let _ = self.connection.close().await;
    }
}
