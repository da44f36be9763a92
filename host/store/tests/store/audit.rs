//! The chain of audit records: gap-free, and any tampering shows.

use super::opening::raw;
use super::*;

async fn with_records(dir: &Path) {
    let store = open(dir).await;
    for i in 0..5 {
        store.create_run(new_run(&format!("run-{i}"))).await.unwrap();
    }
    assert_eq!(assert_intact(&store.audit_verify().await.unwrap()), 5);
    store.close().await;
}

#[tokio::test]
async fn records_are_gap_free_and_chained() {
    let dir = tempfile::tempdir().unwrap();
    with_records(dir.path()).await;
    let store = open(dir.path()).await;
    store.create_run(new_run("run-5")).await.unwrap();
    let records = store.audit_records(0, 100).await.unwrap();
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(records.windows(2).all(|pair| pair[0].hash == pair[1].previous));
    assert_eq!(store.audit_records(4, 1).await.unwrap(), [records[4].clone()]);
    let last = &records[5].entry;
    assert_eq!((last.action.as_str(), last.subject.as_str()), ("run.created", "run:run-5"));
    assert_eq!(last.stamp, stamp());
    let verdict = store.audit_verify().await.unwrap();
    assert_eq!(verdict, AuditVerdict::Intact { records: 6, head: records[5].hash.clone() });
}

#[tokio::test]
async fn every_kind_of_tampering_shows() {
    for (sql, first_bad) in [
        ("UPDATE audit SET actor = 'other' WHERE seq = 3", 3),
        ("UPDATE audit SET time = time + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET hash = previous WHERE seq = 2", 2),
        ("UPDATE audit SET previous = hash WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 1", 1),
        // One field's end moved to the beginning of the next.
        ("UPDATE audit SET actor = 'tes', action = 'trun.created' WHERE seq = 5", 5),
    ] {
        let dir = tempfile::tempdir().unwrap();
        with_records(dir.path()).await;
        raw(dir.path(), "DROP TRIGGER audit_keeps_records; DROP TRIGGER audit_changes_no_record").await;
        raw(dir.path(), sql).await;
        let verdict = open(dir.path()).await.audit_verify().await.unwrap();
        assert!(matches!(verdict, AuditVerdict::Broken { seq, .. } if seq == first_bad), "{sql}: {verdict:?}");
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_records() {
    let dir = tempfile::tempdir().unwrap();
    with_records(dir.path()).await;
    let store = open(dir.path()).await;
    for sql in ["DELETE FROM audit WHERE seq = 5", "UPDATE audit SET actor = 'x'"] {
        let end: Result<(), StoreError> = store
            .with_tx(move |tx| {
                Box::pin(async move {
                    sqlx::query(sql).execute(tx.connection().await?).await?;
                    Ok(())
                })
            })
            .await;
        assert!(end.unwrap_err().to_string().contains("audit records are never"));
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_happen() {
    let dir = tempfile::tempdir().unwrap();
    with_records(dir.path()).await;
    let sql = "CREATE TRIGGER no_room BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
    raw(dir.path(), sql).await;
    let store = open(dir.path()).await;
    let error = store.create_run(new_run("run-9")).await.unwrap_err();
    assert!(error.to_string().contains("no room"), "{error}");
    assert!(store.load_run("run-9").await.unwrap().is_none());
    let secret = SealedSecret { name: "A".into(), nonce: vec![0; 12], ciphertext: vec![1; 20], key_id: "k".into() };
    assert!(store.set_secret(secret, stamp()).await.is_err());
    assert!(store.secrets().await.unwrap().is_empty());
    assert_eq!(assert_intact(&store.audit_verify().await.unwrap()), 5);
}
