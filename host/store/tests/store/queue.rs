//! The queue of runs: in exactly once, claimed by one, out with the end of the run.

use super::*;

fn queued(id: &str) -> NewQueued {
    NewQueued {
        run: NewRun { tracked: vec![("seed".to_owned(), "7".to_owned())], ..new_run(id) },
        submission: "blake3:1".to_owned(),
        priority: 0,
        use_cache: true,
        trace: None,
        most: 1000,
    }
}

fn status(status: RunStatus) -> RunChange {
    RunChange { status: Some(status), ended: status.is_final().then_some(NOON), ..RunChange::default() }
}

async fn actions(store: &Store) -> Vec<String> {
    let records = store.audit_records(0, 1000).await.unwrap();
    records.into_iter().map(|record| record.entry.action).collect()
}

#[tokio::test]
async fn a_submission_is_in_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let submit = |_| {
        let store = store.clone();
        tokio::spawn(async move { store.enqueue(queued("run-1")).await.unwrap() })
    };
    let mut created = 0;
    for answer in (0..100).map(submit).collect::<Vec<_>>() {
        created += u32::from(answer.await.unwrap() == Enqueued::Created);
    }
    assert_eq!(created, 1);
    assert_eq!(actions(&store).await, ["run.created"]);
    assert_eq!(store.params("run-1").await.unwrap()["seed"], "7");
    let other = NewQueued { submission: "blake3:2".to_owned(), ..queued("run-1") };
    assert_eq!(store.enqueue(other).await.unwrap(), Enqueued::Differs);
    store.create_run(new_run("run-2")).await.unwrap();
    assert_eq!(store.enqueue(queued("run-2")).await.unwrap(), Enqueued::Differs, "nobody submitted it");
    let row = store.queue_row("run-1").await.unwrap().unwrap();
    assert_eq!((row.state, row.attempts, row.origin.as_str()), (QueueState::Queued, 0, "api"));
    assert_eq!(row.actor, "test");
    assert_eq!(store.queue_row("run-2").await.unwrap(), None);
}

#[tokio::test]
async fn a_full_queue_takes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for (id, end) in [("run-1", Enqueued::Created), ("run-2", Enqueued::Created), ("run-3", Enqueued::Full(2))] {
        assert_eq!(store.enqueue(NewQueued { most: 2, ..queued(id) }).await.unwrap(), end);
    }
    // What is there is known all the same, and what is run makes room.
    assert_eq!(store.enqueue(NewQueued { most: 2, ..queued("run-1") }).await.unwrap(), Enqueued::AlreadyThere);
    store.claim("run-1", "process 1", NOON).await.unwrap();
    assert_eq!(store.enqueue(NewQueued { most: 2, ..queued("run-3") }).await.unwrap(), Enqueued::Created);
    assert_eq!(store.load_run("run-4").await.unwrap(), None);
}

#[tokio::test]
async fn one_claims_it_and_its_end_takes_it_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.enqueue(NewQueued { priority: -3, ..queued("run-1") }).await.unwrap();
    store.enqueue(NewQueued { priority: 5, ..queued("run-2") }).await.unwrap();
    let waiting = store.queue(QueueState::Queued, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.run.as_str()).collect::<Vec<_>>(), ["run-2", "run-1"]);
    assert_eq!(store.claim("run-2", "process 1", NOON).await.unwrap(), Claim::Taken { attempts: 1 });
    assert_eq!(store.claim("run-2", "process 2", NOON).await.unwrap(), Claim::Gone);
    assert_eq!(store.queue_length(QueueState::Claimed).await.unwrap(), 1);

    // A process that stopped in good order leaves no trace; one that died does.
    store.give_back("run-2", false).await.unwrap();
    assert_eq!(store.claim("run-2", "process 2", NOON).await.unwrap(), Claim::Taken { attempts: 1 });
    store.give_back("run-2", true).await.unwrap();
    assert_eq!(store.claim("run-2", "process 3", NOON).await.unwrap(), Claim::Taken { attempts: 2 });

    store.append_events(events("run-2", 0, &["{}"], status(RunStatus::Running))).await.unwrap();
    assert_eq!(store.queue_row("run-2").await.unwrap().unwrap().state, QueueState::Claimed);
    store.append_events(events("run-2", 1, &["{}"], status(RunStatus::Succeeded))).await.unwrap();
    assert_eq!(store.queue_row("run-2").await.unwrap().unwrap().state, QueueState::Done);
    assert!(!store.requeue("run-2", stamp()).await.unwrap(), "success is for ever");
    store.give_back("run-2", true).await.unwrap();
    assert_eq!(store.queue_row("run-2").await.unwrap().unwrap().state, QueueState::Done);
}

#[tokio::test]
async fn what_failed_can_wait_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    // Whoever began it: a command's run has no place in the queue before.
    store.create_run(new_run("run-1")).await.unwrap();
    store.append_events(events("run-1", 0, &["{}"], status(RunStatus::Failed))).await.unwrap();
    assert!(store.requeue("run-1", stamp()).await.unwrap());
    let run = store.load_run("run-1").await.unwrap().unwrap();
    assert_eq!((run.status, run.ended), (RunStatus::Scheduled, None));
    assert_eq!(store.claim("run-1", "process 1", NOON).await.unwrap(), Claim::Taken { attempts: 1 });
    assert_eq!(actions(&store).await, ["run.created", "run.failed", "run.resumed"]);
    assert!(matches!(store.requeue("run-9", stamp()).await, Err(StoreError::RunNotFound(_))));
}

#[tokio::test]
async fn quarantine_ends_the_run_and_a_resume_takes_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.enqueue(queued("run-1")).await.unwrap();
    store.claim("run-1", "process 1", NOON).await.unwrap();
    let running = RunChange { steps: vec![step("train", StepStatus::Running)], ..status(RunStatus::Running) };
    store.append_events(events("run-1", 0, &["{}"], running)).await.unwrap();
    store.quarantine("run-1", "{}".to_owned(), stamp()).await.unwrap();
    store.quarantine("run-1", "{}".to_owned(), stamp()).await.unwrap();
    let run = store.load_run("run-1").await.unwrap().unwrap();
    assert_eq!((run.status, run.ended, run.error.as_deref()), (RunStatus::Failed, Some(NOON), Some("{}")));
    assert_eq!(store.steps("run-1").await.unwrap()[0].status, StepStatus::Failed);
    assert_eq!(store.queue_row("run-1").await.unwrap().unwrap().state, QueueState::Done);
    assert_eq!(actions(&store).await, ["run.created", "run.started", "run.failed"]);
    store.reopen_run("run-1", stamp()).await.unwrap();
    assert_eq!(store.load_run("run-1").await.unwrap().unwrap().status, RunStatus::Scheduled);
    assert_eq!(store.queue_row("run-1").await.unwrap().unwrap().state, QueueState::Done);
}
