//! What is counted for those who watch the process.

use super::*;

#[tokio::test]
async fn the_writers_work_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert_eq!((store.writer_numbers().commits, store.writer_numbers().closed), (0, false));
    store.create_run(new_run("run-1")).await.unwrap();
    store.create_run(new_run("run-1")).await.unwrap_err();
    store.barrier().await.unwrap();
    let numbers = store.writer_numbers();
    assert_eq!((numbers.submissions, numbers.answered, numbers.syncs), (2, 2, 1));
    assert_eq!((numbers.failures, numbers.waiting, numbers.full), (0, 0, false));
    assert!(numbers.answering_seconds > 0.0);
    store.check_alive().await.unwrap();
    store.check_writable().await.unwrap();
    store.close().await;
    assert!(store.writer_numbers().closed);
    assert!(matches!(store.check_alive().await, Err(StoreError::Closed)));
    assert!(matches!(store.check_writable().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn runs_without_an_end_are_counted_by_pipeline_and_status() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for (id, pipeline) in [("run-1", "a"), ("run-2", "a"), ("run-3", "b")] {
        store.create_run(NewRun { pipeline: pipeline.to_owned(), ..new_run(id) }).await.unwrap();
    }
    let change = RunChange { status: Some(RunStatus::Running), started: Some(NOON), ..RunChange::default() };
    store.append_events(events("run-2", 0, &["{}"], change)).await.unwrap();
    let found = store.unfinished_runs().await.unwrap();
    let found: Vec<_> = found.iter().map(|row| (row.pipeline.as_str(), row.status.as_str(), row.count)).collect();
    assert_eq!(found, [("a", "running", 1), ("a", "scheduled", 1), ("b", "scheduled", 1)]);
    assert_eq!(store.queue_numbers().await.unwrap(), QueueNumbers::default());
}
