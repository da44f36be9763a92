//! Many writers in one process, and two stores on one folder.

use super::*;

/// A run with `count` events, each appended on its own.
async fn write_run(store: &Store, run: &str, count: i64) {
    store.create_run(new_run(run)).await.unwrap();
    for seq in 0..count {
        let change = RunChange { steps: vec![step(&format!("s{seq}"), StepStatus::Succeeded)], ..RunChange::default() };
        store.append_events(events(run, seq, &["{}"], change)).await.unwrap();
    }
}

async fn expect_runs(store: &Store, runs: usize, events: usize) {
    let found = store.list_runs(&RunFilter { limit: 1000, ..RunFilter::default() }).await.unwrap().runs;
    assert_eq!(found.len(), runs);
    for run in found {
        assert_eq!(store.events(&run.id).await.unwrap().len(), events);
    }
    // A record for each run and each step.
    assert_eq!(assert_intact(&store.audit_verify().await.unwrap()), (runs * (1 + events)) as i64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_writers_and_their_readers_get_no_lock_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let tasks: Vec<_> = (0..50)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                let run = format!("run-{i}");
                write_run(&store, &run, 20).await;
                assert_eq!(store.steps(&run).await.unwrap().len(), 20);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    expect_runs(&store, 50, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_neighbour_takes_nothing_along() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let tasks: Vec<_> = (0..60)
        .map(|i| {
            let store = store.clone();
            // Every third one comes to an end that takes its work back.
            let run = if i % 3 == 0 {
                NewRun { experiment: "9".to_owned(), ..new_run(&format!("run-{i}")) }
            } else {
                new_run(&format!("run-{i}"))
            };
            tokio::spawn(async move { store.create_run(run).await.is_ok() })
        })
        .collect();
    let mut created = 0;
    for (i, task) in tasks.into_iter().enumerate() {
        let ok = task.await.unwrap();
        assert_eq!(ok, i % 3 != 0);
        created += usize::from(ok);
    }
    expect_runs(&store, created, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_home_both_write() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = tokio::join!(open(dir.path()), open(dir.path()));
    let tasks: Vec<_> = [("one", one.clone()), ("two", two.clone())]
        .into_iter()
        .flat_map(|(name, store)| (0..4).map(move |i| (format!("{name}-{i}"), store.clone())))
        .map(|(run, store)| {
            tokio::spawn(async move {
                write_run(&store, &run, 25).await;
                store.barrier().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    expect_runs(&one, 8, 25).await;
    expect_runs(&two, 8, 25).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_blobs_from_many_writers_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let content = vec![1_u8; 200_000];
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (store, content) = (store.clone(), content.clone());
            tokio::spawn(async move { store.blobs().put(content).await.unwrap() })
        })
        .collect();
    for task in tasks {
        let digest = task.await.unwrap();
        assert_eq!(store.blobs().get(&digest).await.unwrap(), content);
    }
}
