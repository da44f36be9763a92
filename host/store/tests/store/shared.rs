//! Crates that keep tables in the same database.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::*;

/// What such a crate fails with.
#[derive(Debug, thiserror::Error)]
enum GuestError {
    #[error("no more room for `{0}`")]
    Full(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

fn set(number: i64, sql: &'static str) -> &'static Migrator {
    let migration = Migration::new(number, "guests".into(), MigrationType::Simple, sql.into_sql_str(), false);
    Box::leak(Box::new(Migrator::with_migrations(vec![migration])))
}

async fn open_with(home: &Path, migrations: Vec<&'static Migrator>) -> Result<Store, StoreError> {
    Store::open(StoreOptions { home: home.join("home"), migrations }).await
}

async fn add(store: &Store, name: &'static str) -> Result<(), GuestError> {
    let add = store.with_tx::<_, GuestError, _>(move |tx| {
        Box::pin(async move {
            sqlx::query("INSERT INTO guests (name) VALUES ($1)").bind(name).execute(tx.connection().await?).await?;
            tx.audit(AuditEntry {
                stamp: stamp(),
                action: "guest.added".to_owned(),
                subject: name.to_owned(),
                details: "{}".to_owned(),
            });
            if name == "bob" { Err(GuestError::Full(name.to_owned())) } else { Ok(()) }
        })
    });
    add.await
}

#[tokio::test]
async fn further_tables_are_made_written_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let guests = set(1001, "CREATE TABLE guests (name TEXT NOT NULL PRIMARY KEY) STRICT");
    let store = open_with(dir.path(), vec![guests]).await.unwrap();
    add(&store, "ann").await.unwrap();
    // Its own error comes back as it is, and takes the row and the audit record along.
    let error = add(&store, "bob").await.unwrap_err();
    assert!(matches!(error, GuestError::Full(name) if name == "bob"));
    let names: Result<Vec<String>, GuestError> = store
        .read(|connection| {
            Box::pin(async move { Ok(sqlx::query_scalar("SELECT name FROM guests").fetch_all(connection).await?) })
        })
        .await;
    assert_eq!(names.unwrap(), ["ann"]);
    assert_eq!(assert_intact(&store.audit_verify().await.unwrap()), 1);
    let refused: Result<(), GuestError> = store
        .read(|connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM guests").execute(connection).await?;
                Ok(())
            })
        })
        .await;
    assert!(refused.unwrap_err().to_string().contains("readonly"));
    store.close().await;
    assert!(matches!(add(&store, "cyd").await, Err(GuestError::Store(StoreError::Closed))));

    // Opened again with them it works on, and without them they are of a newer version.
    open_with(dir.path(), vec![guests]).await.unwrap().close().await;
    let error = open_with(dir.path(), Vec::new()).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerDatabase(1001)), "{error}");
}

#[tokio::test]
async fn a_set_that_fails_leaves_no_database_behind() {
    let dir = tempfile::tempdir().unwrap();
    let broken = set(1001, "CREATE TABLE guests (name TEXT); CREATE TABLE guests (name TEXT)");
    assert!(open_with(dir.path(), vec![broken]).await.is_err());
    let fine = set(1001, "CREATE TABLE guests (name TEXT NOT NULL PRIMARY KEY) STRICT");
    let store = open_with(dir.path(), vec![fine]).await.unwrap();
    add(&store, "ann").await.unwrap();
}

#[tokio::test]
async fn numbers_that_two_sets_share_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let twice = vec![set(1, "CREATE TABLE guests (name TEXT)")];
    let error = open_with(dir.path(), twice).await.unwrap_err();
    assert!(error.to_string().contains("number 1 is both"), "{error}");
}
