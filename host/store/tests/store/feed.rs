//! The audit as a feed: what is told, how far readers are, what came in once.

use super::*;

/// A run of `breast-cancer` that made a table with these bytes and whose gate ended so.
async fn ran(store: &Store, run: &str, table: &[u8], gate: StepStatus) {
    store.create_run(new_run(run)).await.unwrap();
    let judge = StepRow { kind: Some("validator".to_owned()), ..step("gate", gate) };
    let report = OutputRow { rows: None, ..output("gate", "report", b"report") };
    let change = RunChange {
        status: Some(RunStatus::Running),
        steps: vec![step("split", StepStatus::Succeeded), judge],
        outputs: vec![output("split", "train", table), report],
        ..RunChange::default()
    };
    store.append_events(events(run, 0, &["{}"], change)).await.unwrap();
    let end = if gate == StepStatus::Succeeded { RunStatus::Succeeded } else { RunStatus::Failed };
    let change = RunChange { status: Some(end), ended: Some(NOON), ..RunChange::default() };
    store.append_events(events(run, 1, &["{}"], change)).await.unwrap();
}

async fn feed(store: &Store, after: i64, prefix: &str) -> Vec<(i64, String, String)> {
    let range = FeedRange { after, until: i64::MAX, prefix, limit: 100 };
    let rows = store.feed(range).await.unwrap();
    rows.into_iter().map(|row| (row.seq, row.entry.action, row.entry.details)).collect()
}

#[tokio::test]
async fn verdicts_and_changed_tables_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    ran(&store, "run-1", b"one", StepStatus::Succeeded).await;
    ran(&store, "run-2", b"one", StepStatus::Succeeded).await;
    ran(&store, "run-3", b"two", StepStatus::Failed).await;
    ran(&store, "run-4", b"two", StepStatus::Succeeded).await;
    let gates: Vec<_> = feed(&store, 0, "gate.").await.into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(gates, ["gate.passed", "gate.passed", "gate.failed", "gate.passed"]);
    let changed = feed(&store, 0, "dataset.changed").await;
    let digests = [(b"one", None), (b"two", Some(b"one"))].map(|(digest, before)| {
        let text = |bytes: &[u8; 3]| Digest::blake3(bytes).to_string();
        (text(digest), before.map(text))
    });
    let told = changed.iter().map(|(_, _, details)| {
        let details: serde_json::Value = serde_json::from_str(details).unwrap();
        assert_eq!((&details["pipeline"], &details["output"]), (&"breast-cancer".into(), &"split.train".into()));
        (details["digest"].as_str().unwrap().to_owned(), details["before"].as_str().map(str::to_owned))
    });
    assert_eq!(told.collect::<Vec<_>>(), digests, "a run that failed changes nothing");
    let ended = feed(&store, 0, "run.succeeded").await;
    assert!(ended.iter().all(|(_, _, details)| details.contains(r#""pipeline":"breast-cancer""#)), "{ended:?}");
    let last = ended.last().unwrap().0;
    assert!(feed(&store, last, "run.").await.is_empty());
    assert_eq!(store.feed_head().await.unwrap(), last + 1, "the changed table comes after the end of its run");
    assert_intact(&store.audit_verify().await.unwrap());
}

#[tokio::test]
async fn cursors_never_go_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert_eq!((store.feed_head().await.unwrap(), store.feed_cursor("a").await.unwrap()), (0, None));
    for (seq, known) in [(5, 5), (3, 5), (9, 9)] {
        store.with_tx(move |tx| Box::pin(async move { tx.set_feed_cursor("a", seq, NOON).await })).await.unwrap();
        assert_eq!(store.feed_cursor("a").await.unwrap(), Some(known));
    }
}

#[tokio::test]
async fn events_are_remembered_once_and_forgotten_when_they_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let seen = |id: &str, expires: Option<i64>| SeenEvent {
        scope: "events".to_owned(),
        source: "/a".to_owned(),
        id: id.to_owned(),
        time: NOON,
        expires,
    };
    let remember = async |event: SeenEvent| {
        store.with_tx(move |tx| Box::pin(async move { tx.remember_event(&event).await })).await.unwrap()
    };
    assert!(remember(seen("1", Some(NOON + 10))).await && remember(seen("2", None)).await);
    assert!(!remember(seen("1", None)).await);
    assert!(store.has_seen("events", "/a", "1").await.unwrap());
    assert!(!store.has_seen("hook:x", "/a", "1").await.unwrap() && !store.has_seen("events", "/b", "1").await.unwrap());
    for (now, forgotten) in [(NOON + 9, 0), (NOON + 10, 1), (i64::MAX, 0)] {
        let forget = store.with_tx(move |tx| Box::pin(async move { tx.forget_events(now).await })).await;
        assert_eq!(forget.unwrap(), forgotten);
    }
    assert!(store.has_seen("events", "/a", "2").await.unwrap());
}

#[tokio::test]
async fn deliveries_and_started_runs_survive() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.create_run(new_run("run-1")).await.unwrap();
    let delivery = DeliveryRow {
        subscription: "ops".to_owned(),
        seq: 7,
        attempts: 2,
        since: NOON,
        next_attempt: NOON + 5,
        outcome: "answered 503".to_owned(),
    };
    let run = TriggerRunRow {
        run: "run-1".to_owned(),
        trigger: "t".to_owned(),
        depth: 3,
        cause: "audit:7".to_owned(),
        time: NOON,
    };
    let (first, row) = (delivery.clone(), run.clone());
    let written = store.with_tx(move |tx| {
        Box::pin(async move {
            tx.set_delivery(&DeliveryRow { attempts: 1, ..first.clone() }).await?;
            tx.set_delivery(&first).await?;
            tx.note_trigger_run(&row).await?;
            tx.note_trigger_run(&TriggerRunRow { depth: 9, ..row }).await
        })
    });
    written.await.unwrap();
    store.close().await;
    let store = open(dir.path()).await;
    assert_eq!(store.delivery("ops").await.unwrap(), Some(delivery));
    assert_eq!(store.delivery("other").await.unwrap(), None);
    assert_eq!(store.trigger_runs("t", 10).await.unwrap(), [run]);
    assert_eq!((store.trigger_depth("run-1").await.unwrap(), store.trigger_depth("run-2").await.unwrap()), (3, 0));
}
