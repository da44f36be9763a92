//! Cache entries, key parts of earlier runs, durations, checkpoints.

use super::*;

/// A run in which step `train` took so long, ended at a time, and was a hit or not.
async fn run_of(store: &Store, id: &str, row: StepRow) {
    store.create_run(NewRun { params: format!("\"{id}\""), ..new_run(id) }).await.unwrap();
    let change = RunChange { steps: vec![row], ..RunChange::default() };
    store.append_events(events(id, 0, &["{}"], change)).await.unwrap();
}

fn ended(ended: i64, duration: i64, cache: CacheOutcome) -> StepRow {
    let key_parts = Some(format!("{ended}"));
    let row = step("train", StepStatus::Succeeded);
    StepRow { ended: Some(ended), duration_ms: Some(duration), cache, key_parts, ..row }
}

#[tokio::test]
async fn the_last_entry_of_a_key_stands() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let key = Digest::blake3(b"key");
    assert_eq!(store.cache_lookup(&key).await.unwrap(), None);
    for (run, clock) in [("run-1", None), ("run-2", Some(NOON))] {
        store.create_run(new_run(run)).await.unwrap();
        let entry = CacheEntryRow {
            cache_key: key,
            run: run.to_owned(),
            step_key: "train".to_owned(),
            outputs: r#"{"model":{}}"#.to_owned(),
            metrics: r#"{"auc":1}"#.to_owned(),
            clock,
            created: NOON,
        };
        let change = RunChange { cache_entries: vec![entry.clone()], ..RunChange::default() };
        store.append_events(events(run, 0, &["{}"], change)).await.unwrap();
        assert_eq!(store.cache_lookup(&key).await.unwrap(), Some(entry));
    }
}

#[tokio::test]
async fn key_parts_are_of_the_last_success() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert_eq!(store.last_key_parts("breast-cancer", "train").await.unwrap(), None);
    run_of(&store, "run-1", ended(10, 1, CacheOutcome::Miss)).await;
    run_of(&store, "run-2", ended(20, 1, CacheOutcome::Hit)).await;
    run_of(&store, "run-3", StepRow { status: StepStatus::Failed, ..ended(30, 1, CacheOutcome::Miss) }).await;
    let parts = store.last_key_parts("breast-cancer", "train").await.unwrap().unwrap();
    let expected = KeyPartsRow { run: "run-2".into(), key_parts: "20".into(), params: "\"run-2\"".into() };
    assert_eq!(parts, expected);
    assert_eq!(store.last_key_parts("other", "train").await.unwrap(), None);
    assert_eq!(store.last_key_parts("breast-cancer", "other").await.unwrap(), None);
}

#[tokio::test]
async fn durations_are_medians_of_late_executions() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert!(store.step_durations("breast-cancer").await.unwrap().is_empty());
    // Of 20 executions the last nine count: 11 to 19 ms.
    for i in 0..20 {
        run_of(&store, &format!("run-{i}"), ended(i, i, CacheOutcome::Miss)).await;
        run_of(&store, &format!("hit-{i}"), ended(100 + i, 0, CacheOutcome::Hit)).await;
    }
    run_of(&store, "other", StepRow { step_key: "a".to_owned(), ..ended(1, 7, CacheOutcome::Off) }).await;
    let durations = Vec::from_iter(store.step_durations("breast-cancer").await.unwrap());
    assert_eq!(durations, [("a".to_owned(), 7), ("train".to_owned(), 15)]);
}

#[tokio::test]
async fn a_checkpoint_goes_by_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let key = Digest::blake3(b"key");
    assert_eq!(store.load_checkpoint(&key).await.unwrap(), None);
    for state in [&b"one"[..], b"two"] {
        store.save_checkpoint(key, Digest::blake3(state), NOON).await.unwrap();
        assert_eq!(store.load_checkpoint(&key).await.unwrap(), Some(Digest::blake3(state)));
    }
}
