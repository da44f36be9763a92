//! Opening a data folder, and what is true of the whole of it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::blobs::Blobs;
use crate::error::StoreError;
use crate::home::Home;
use crate::idempotency;
use crate::readers::{Reader, Readers};
use crate::writer::{Tx, Work, Writer};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Older versions can corrupt a WAL database that several connections write to (sqlite.org/wal.html#walresetbug).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// How long a statement waits for another process to let go of the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// The data folder, created where it is missing: `wasmlops.db`, `blobs/`, `tmp/`.
    pub home: PathBuf,
    /// Tables of crates that share the database. Their numbers must not be this crate's, which are below 1001.
    pub migrations: Vec<&'static Migrator>,
}

/// What a read gives, borrowed from its connection.
pub type Reading<'c, T, E = StoreError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// A data folder that is open for reading and writing. Clones share it, and several processes may have it open.
///
/// What a function has answered survives the death of the process. It survives a power loss once [`Store::barrier`]
/// was passed.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    blobs: Blobs,
    readers: Readers,
    writer: Writer,
}

impl Store {
    /// Opens the folder, brings the database to this version and starts the writer. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Home`], [`StoreError::OldSqlite`], [`StoreError::NewerDatabase`], [`StoreError::Migration`],
    /// [`StoreError::Busy`], [`StoreError::Database`].
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let folder = options.home;
        let home = tokio::task::spawn_blocking(move || Home::open(&folder)).await;
        let home = Arc::new(home.map_err(|_| StoreError::Closed)??);
        let connect_options = connect_options(&home);
        let mut connection = connect_options.connect().await?;
        check_version(&mut connection).await?;
        migrate(&mut connection, &options.migrations).await?;
        let settling = Arc::clone(&home);
        let settled = tokio::task::spawn_blocking(move || settling.settle()).await;
        settled.map_err(|_| StoreError::Closed)?.map_err(|error| StoreError::home(&home.database, error))?;
        let blobs = Blobs::new(&home).map_err(|error| StoreError::home(&home.database, error))?;
        let readers = Readers::new(connect_options);
        let writer = Writer::start(connection, blobs.clone(), home);
        Ok(Self { inner: Arc::new(Inner { blobs, readers, writer }) })
    }

    /// The artifacts.
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Runs `work` in a transaction: all of it happens, or, if it fails, nothing. The only way to write.
    ///
    /// Calls are served in the order in which they came. Those that wait at the same time share one commit, each in a
    /// savepoint of its own. Dropping the returned future does not take the work back.
    ///
    /// # Errors
    /// What `work` gives, in the caller's own type, or the failure of the commit.
    pub async fn with_tx<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T, E> + Send + 'static,
    {
        match idempotency::current() {
            Some(key) => self.inner.writer.submit(idempotency::noted(work, key)).await,
            None => self.inner.writer.submit(work).await,
        }
    }

    /// Lends a read-only connection: for queries of crates that share the database. Each statement sees what was
    /// committed before it; a `work` that must see one state for all of its statements asks in one.
    ///
    /// # Errors
    /// What `work` gives, or [`StoreError::Closed`].
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Reading<'c, T, E>,
    {
        let mut reader = self.reader().await?;
        work(&mut reader).await
    }

    /// Makes everything that was answered before the call survive a power loss: blobs first, then the rows that name
    /// them. Costs an fsync or two (milliseconds), and nothing where nothing was written since the last one.
    ///
    /// # Errors
    /// A failed fsync, after which the store is closed: only a new start can tell what is on disk.
    pub async fn barrier(&self) -> Result<(), StoreError> {
        self.inner.writer.barrier().await
    }

    /// Ends the writer after what waits for it, and refuses what comes later. Dropping all clones ends it as well, but
    /// nobody can wait for that.
    pub async fn close(&self) {
        self.inner.readers.close();
        self.inner.writer.close().await;
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    pub(crate) fn reading_options(&self) -> SqliteConnectOptions {
        self.inner.readers.options()
    }

    pub(crate) async fn reader(&self) -> Result<Reader<'_>, StoreError> {
        self.inner.readers.get().await
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

fn connect_options(home: &Home) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&home.database)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is safe from the death of the process, and the barrier makes it safe from power loss.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // A mapped file turns an I/O error into a signal.
        .pragma("mmap_size", "0")
        // Checkpoints, which sync twice, at 64 MiB of log instead of 4.
        .pragma("wal_autocheckpoint", "16384")
        .pragma("journal_size_limit", "67108864")
        // 16 MiB of pages instead of 2: digests lead all over their indexes.
        .pragma("cache_size", "-16384")
        .disable_statement_logging()
        .statement_cache_capacity(256)
        .thread_name(|id| format!("sqlite-{id}"))
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SQLITE { Err(StoreError::OldSqlite(version)) } else { Ok(()) }
}

/// All migrations in one transaction that excludes other writers, so that two processes cannot both migrate and a
/// killed one leaves nothing half done.
async fn migrate(connection: &mut SqliteConnection, further: &[&'static Migrator]) -> Result<(), StoreError> {
    let migrations = merged(further)?;
    let mut tx = connection.begin_with(AssertSqlSafe("BEGIN IMMEDIATE".to_owned())).await?;
    migrations.run(&mut *tx).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => StoreError::NewerDatabase(version),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        error => StoreError::Migration(error.to_string()),
    })?;
    Ok(tx.commit().await?)
}

/// All sets as one, by number: so that a number that none of them has is seen as what it is, a newer database.
fn merged(further: &[&'static Migrator]) -> Result<Migrator, StoreError> {
    let sets = std::iter::once(&MIGRATIONS).chain(further.iter().copied());
    let mut all: Vec<Migration> = sets.flat_map(|set| set.migrations.iter().cloned()).collect();
    all.sort();
    if let Some(pair) = all.windows(2).find(|pair| pair[0].version == pair[1].version) {
        let (number, one, other) = (pair[0].version, &pair[0].description, &pair[1].description);
        return Err(StoreError::Migration(format!("number {number} is both `{one}` and `{other}` (this is a bug)")));
    }
    Ok(Migrator::with_migrations(all))
}
