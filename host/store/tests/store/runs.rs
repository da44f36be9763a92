//! Runs, their event log and what appears together with it.

use super::*;

async fn with_run(dir: &Path, id: &str) -> Store {
    let store = open(dir).await;
    store.create_run(new_run(id)).await.unwrap();
    store
}

fn status(status: RunStatus) -> RunChange {
    RunChange { status: Some(status), started: Some(NOON), ..RunChange::default() }
}

#[tokio::test]
async fn a_run_is_what_it_was_created_as() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path(), "run-1").await;
    let source = SourceState {
        git_commit: Some("abc".to_owned()),
        branch: Some("main".to_owned()),
        dirty_digest: Some(Digest::blake3(b"tree")),
        patch_digest: None,
    };
    let child = NewRun { parent: Some("run-1".to_owned()), source: Some(source.clone()), ..new_run("run-2") };
    store.create_run(child).await.unwrap();
    let run = store.load_run("run-2").await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Scheduled);
    assert_eq!((run.seed, run.nominal_time, run.created, run.next_seq), (u64::MAX, NOON, NOON, 0));
    assert_eq!((run.params.as_str(), run.parent.as_deref()), (r#"{"seed":7}"#, Some("run-1")));
    assert_eq!(store.run_graph("run-2").await.unwrap().as_deref(), Some(r#"{"steps":[]}"#));
    assert_eq!(store.run_source("run-2").await.unwrap(), Some(source));
    assert_eq!(store.run_source("run-1").await.unwrap(), None);
    assert_eq!(store.load_run("run-3").await.unwrap(), None);
}

#[tokio::test]
async fn creating_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path(), "run-1").await;
    let end = store.create_run(new_run("run-1")).await;
    assert!(matches!(end, Err(StoreError::RunExists(_))), "{end:?}");
    let end = store.create_run(NewRun { experiment: "9".to_owned(), ..new_run("run-2") }).await;
    assert!(matches!(end, Err(StoreError::ExperimentNotFound(_))), "{end:?}");
    let end = store.create_run(NewRun { parent: Some("run-9".to_owned()), ..new_run("run-2") }).await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))), "{end:?}");
    assert_eq!(store.list_runs(&RunFilter::default()).await.unwrap().runs.len(), 1);
}

#[tokio::test]
async fn events_and_their_change_appear_together() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path(), "run-1").await;
    let running = RunChange { steps: vec![step("train", StepStatus::Running)], ..status(RunStatus::Running) };
    assert_eq!(store.append_events(events("run-1", 0, &[r#"{"a":1}"#, r#"{"b":2}"#], running)).await.unwrap(), 2);
    let change = RunChange {
        steps: vec![step("train", StepStatus::Succeeded)],
        outputs: vec![output("train", "model", b"model"), output("train", "log", b"log")],
        metrics: vec![point("auc", 0, NOON, 0.9), point("auc", 1, NOON, 0.95)],
        lineage: vec![
            edge("train", Direction::Used, "input:train", Digest::blake3(b"table")),
            edge("train", Direction::Made, "output:model", Digest::blake3(b"model")),
        ],
        cache_entries: vec![CacheEntryRow {
            cache_key: Digest::blake3(b"key"),
            run: "run-1".to_owned(),
            step_key: "train".to_owned(),
            outputs: "{}".to_owned(),
            metrics: "{}".to_owned(),
            clock: None,
            created: NOON,
        }],
        ..RunChange::default()
    };
    assert_eq!(store.append_events(events("run-1", 2, &[r#"{"c":3}"#], change)).await.unwrap(), 3);
    let done = RunChange { ended: Some(NOON + 9), ..status(RunStatus::Succeeded) };
    assert_eq!(store.append_events(events("run-1", 3, &[], done)).await.unwrap(), 3);

    let log: Vec<_> = store.events("run-1").await.unwrap().into_iter().map(|event| (event.seq, event.event)).collect();
    assert_eq!(log, [(0, r#"{"a":1}"#.to_owned()), (1, r#"{"b":2}"#.to_owned()), (2, r#"{"c":3}"#.to_owned())]);
    assert_eq!(store.events_from("run-1", 2).await.unwrap().len(), 1);
    assert_eq!(store.steps("run-1").await.unwrap(), [step("train", StepStatus::Succeeded)]);
    assert_eq!(
        store.outputs("run-1").await.unwrap(),
        [output("train", "log", b"log"), output("train", "model", b"model")]
    );
    assert_eq!(store.metrics("run-1").await.unwrap(), [point("auc", 1, NOON, 0.95)]);
    assert_eq!(store.metric_history("run-1", "train", "auc").await.unwrap().len(), 2);
    assert_eq!(store.edges_of_run("run-1").await.unwrap().len(), 2);
    assert!(store.cache_lookup(&Digest::blake3(b"key")).await.unwrap().is_some());
    assert_eq!(store.artifact(&Digest::blake3(b"model")).await.unwrap().unwrap().size, 5);
    let run = store.load_run("run-1").await.unwrap().unwrap();
    assert_eq!((run.status, run.started, run.ended), (RunStatus::Succeeded, Some(NOON), Some(NOON + 9)));
    let actions: Vec<_> =
        store.audit_records(0, 100).await.unwrap().into_iter().map(|record| record.entry.action).collect();
    assert_eq!(
        actions,
        ["run.created", "run.started", "step.succeeded", "run.succeeded", "dataset.changed", "dataset.changed"]
    );
}

#[tokio::test]
async fn events_of_somebody_else_are_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path(), "run-1").await;
    store.append_events(events("run-1", 0, &["{}"], RunChange::default())).await.unwrap();
    for expected in [0, 2] {
        let late = RunChange { steps: vec![step("late", StepStatus::Running)], ..RunChange::default() };
        let end = store.append_events(events("run-1", expected, &["{}"], late)).await;
        assert!(matches!(end, Err(StoreError::EventConflict { actual: 1, .. })), "{end:?}");
        let end = store.append_events(events("run-1", expected, &["{}"], status(RunStatus::Running))).await;
        assert!(matches!(end, Err(StoreError::EventConflict { actual: 1, .. })), "{end:?}");
    }
    // Without events as well; and nothing of it has moved the run.
    for (run, expected) in [("run-1", 0), ("run-1", 2), ("run-9", 0)] {
        let end = store.append_events(events(run, expected, &[], RunChange::default())).await;
        assert!(
            matches!(end, Err(StoreError::EventConflict { actual: 1, .. } | StoreError::RunNotFound(_))),
            "{end:?}"
        );
    }
    assert_eq!(store.load_run("run-1").await.unwrap().unwrap().next_seq, 1);
    assert!(store.steps("run-1").await.unwrap().is_empty());
    let end = store.append_events(events("run-9", 0, &["{}"], RunChange::default())).await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))), "{end:?}");
    let end = store.append_events(events("run-9", 0, &["{}"], status(RunStatus::Running))).await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))), "{end:?}");
}

#[tokio::test]
async fn success_is_final_and_failure_can_be_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path(), "run-1").await;
    store.request_cancel("run-1", stamp()).await.unwrap();
    let failed = RunChange { ended: Some(NOON), error: Some("{}".to_owned()), ..status(RunStatus::Failed) };
    store.append_events(events("run-1", 0, &["{}"], failed)).await.unwrap();
    let end = store.append_events(events("run-1", 1, &[], status(RunStatus::Succeeded))).await;
    assert!(matches!(end, Err(StoreError::StatusConflict { from: RunStatus::Failed, .. })), "{end:?}");
    store.append_events(events("run-1", 1, &["{}"], status(RunStatus::Running))).await.unwrap();
    let run = store.load_run("run-1").await.unwrap().unwrap();
    assert_eq!((run.ended, run.error, run.cancel_requested), (None, None, None));
    store.append_events(events("run-1", 2, &[], status(RunStatus::Succeeded))).await.unwrap();
    for to in [RunStatus::Running, RunStatus::Failed, RunStatus::Succeeded] {
        let end = store.append_events(events("run-1", 2, &[], status(to))).await;
        assert!(matches!(end, Err(StoreError::StatusConflict { .. })), "{end:?}");
    }
    let records = store.audit_records(0, 100).await.unwrap();
    assert!(records.iter().any(|record| record.entry.action == "run.resumed"));
}

#[tokio::test]
async fn one_change_may_carry_a_step_twice_and_thousands_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path(), "run-1").await;
    let mut steps = vec![step("a", StepStatus::Running)];
    steps.extend((0..1200).map(|i| step(&format!("s{i}"), StepStatus::Succeeded)));
    steps.push(step("a", StepStatus::Failed));
    let texts: Vec<String> = (0..1200).map(|i| format!("{{\"n\":{i}}}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let change = RunChange { steps, ..RunChange::default() };
    assert_eq!(store.append_events(events("run-1", 0, &texts, change)).await.unwrap(), 1200);
    let steps = store.steps("run-1").await.unwrap();
    assert_eq!(steps.len(), 1201);
    assert_eq!(steps[0].status, StepStatus::Failed);
    assert_eq!(store.events("run-1").await.unwrap().len(), 1200);
}

#[tokio::test]
async fn cancelling_is_asked_for_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path(), "run-1").await;
    assert!(!store.cancel_requested("run-1").await.unwrap());
    assert_eq!(store.request_cancel("run-1", stamp()).await.unwrap(), CancelAnswer::Requested);
    assert_eq!(store.request_cancel("run-1", stamp()).await.unwrap(), CancelAnswer::AlreadyRequested);
    assert!(store.cancel_requested("run-1").await.unwrap());
    store.append_events(events("run-1", 0, &[], status(RunStatus::Cancelled))).await.unwrap();
    let end = store.request_cancel("run-1", stamp()).await.unwrap();
    assert_eq!(end, CancelAnswer::AlreadyEnded(RunStatus::Cancelled));
    assert!(matches!(store.request_cancel("run-9", stamp()).await, Err(StoreError::RunNotFound(_))));
    assert!(!store.cancel_requested("run-9").await.unwrap());
}

#[tokio::test]
async fn lists_page_by_page_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for i in 0..7 {
        let pipeline = if i % 2 == 0 { "even" } else { "odd" }.to_owned();
        // Two of each time, so that a page may end between them.
        let stamp = Stamp { time: NOON + i / 2, ..stamp() };
        store.create_run(NewRun { pipeline, stamp, ..new_run(&format!("run-{i}")) }).await.unwrap();
    }
    store.append_events(events("run-2", 0, &[], status(RunStatus::Running))).await.unwrap();
    let mut filter = RunFilter { limit: 3, ..RunFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.list_runs(&filter).await.unwrap();
        seen.extend(page.runs.into_iter().map(|run| run.id));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["run-6", "run-5", "run-4", "run-3", "run-2", "run-1", "run-0"]);
    let ids = async |filter: RunFilter| -> Vec<String> {
        store.list_runs(&filter).await.unwrap().runs.into_iter().map(|run| run.id).collect()
    };
    let odd = RunFilter { pipeline: Some("odd".to_owned()), ..RunFilter::default() };
    assert_eq!(ids(odd.clone()).await, ["run-5", "run-3", "run-1"]);
    let running = RunFilter { status: Some(RunStatus::Running), ..RunFilter::default() };
    assert_eq!(ids(running).await, ["run-2"]);
    assert!(ids(RunFilter { status: Some(RunStatus::Running), ..odd.clone() }).await.is_empty());
    let cursor = Some(format!("{}.run-3", NOON + 1));
    assert_eq!(ids(RunFilter { cursor, ..odd }).await, ["run-1"]);
    let bad = RunFilter { cursor: Some("x".to_owned()), ..RunFilter::default() };
    assert!(matches!(store.list_runs(&bad).await, Err(StoreError::BadCursor(_))));
}
