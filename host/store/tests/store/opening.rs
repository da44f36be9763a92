//! Opening and closing a data folder, and transactions as such.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn creates_a_private_folder_and_opens_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.create_run(new_run("run-1")).await.unwrap();
    store.close().await;
    for folder in ["home", "home/blobs", "home/blobs/blake3", "home/tmp"] {
        let mode = std::fs::metadata(dir.path().join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    let database = std::fs::metadata(dir.path().join("home/wasmlops.db")).unwrap();
    assert_eq!(database.permissions().mode() & 0o777, 0o600);
    let store = open(dir.path()).await;
    assert!(store.load_run("run-1").await.unwrap().is_some());
}

#[tokio::test]
async fn says_which_folder_cannot_be_used() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open(StoreOptions { home: file.clone(), ..Default::default() }).await.unwrap_err();
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn refuses_a_database_of_a_newer_version() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.close().await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
               VALUES (9999, 'later', 1, x'00', 0)";
    raw(dir.path(), sql).await;
    let error = Store::open(StoreOptions { home: dir.path().join("home"), ..Default::default() }).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerDatabase(9999)), "{error}");
}

#[tokio::test]
async fn clears_away_half_written_blobs_of_the_dead() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.close().await;
    let left = dir.path().join("home/tmp/4242-0");
    std::fs::write(&left, "half").unwrap();
    let first = open(dir.path()).await;
    assert!(!left.exists());
    // Not while another process may be writing it.
    std::fs::write(&left, "half").unwrap();
    let second = open(dir.path()).await;
    assert!(left.exists());
    drop((first, second));
}

#[tokio::test]
async fn refuses_work_once_closed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.close().await;
    assert!(matches!(store.create_run(new_run("run-1")).await, Err(StoreError::Closed)));
    assert!(matches!(store.load_run("run-1").await, Err(StoreError::Closed)));
    assert!(matches!(store.barrier().await, Err(StoreError::Closed)));
    store.close().await;
}

#[tokio::test]
async fn failed_work_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let end: Result<(), StoreError> = store
        .with_tx(|tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM experiments").execute(tx.connection().await?).await?;
                tx.audit(AuditEntry {
                    stamp: stamp(),
                    action: "experiments.deleted".to_owned(),
                    subject: String::new(),
                    details: "{}".to_owned(),
                });
                Err(StoreError::RunNotFound("none".to_owned()))
            })
        })
        .await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))));
    assert_eq!(store.experiments().await.unwrap().len(), 1);
    assert_eq!(assert_intact(&store.audit_verify().await.unwrap()), 0);
}

/// Statements on a closed home, past the store.
pub async fn raw(dir: &Path, sql: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("home/wasmlops.db"));
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
