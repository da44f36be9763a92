//! What runs ask people: decided once, expired in time, taken up by the run.

use super::*;

const HOUR: i64 = 3_600_000_000;

fn question(step: &str) -> NewApproval {
    NewApproval {
        step_key: step.to_owned(),
        attempt: 1,
        pipeline: "breast-cancer".to_owned(),
        message: "Roll out?".to_owned(),
        role: "editor".to_owned(),
        shown: r#"{"report":{"from":"gate.report","digest":"blake3:00","media_type":"x"}}"#.to_owned(),
        expires: NOON + HOUR,
    }
}

/// A run that waits for the decision on these steps.
async fn waiting(dir: &Path, steps: &[&str]) -> Store {
    let store = open(dir).await;
    store.create_run(new_run("run-1")).await.unwrap();
    let change = RunChange { status: Some(RunStatus::Running), started: Some(NOON), ..RunChange::default() };
    store.append_events(events("run-1", 0, &["{}"], change)).await.unwrap();
    let approvals = steps.iter().map(|step| question(step)).collect();
    let change = RunChange { status: Some(RunStatus::Waiting), approvals, ..RunChange::default() };
    store.append_events(events("run-1", 1, &["{}"], change)).await.unwrap();
    store
}

fn decision(step: &str, approve: bool, at: i64, by: &str) -> DecideApproval {
    DecideApproval {
        run: "run-1".to_owned(),
        step_key: step.to_owned(),
        attempt: 1,
        approve,
        reason: Some("seen".to_owned()),
        input: r#"{"ticket":"T-1"}"#.to_owned(),
        stamp: Stamp { time: at, actor: by.to_owned() },
    }
}

async fn decide(store: &Store, decision: DecideApproval) -> DecisionAnswer {
    let decided = store.with_tx(move |tx| Box::pin(wasmlops_store::approvals::decide_approval(tx, decision)));
    decided.await.unwrap()
}

/// Action and actor of every record about approvals.
async fn audited(store: &Store) -> Vec<(String, String)> {
    let records = store.audit_records(0, 1000).await.unwrap().into_iter();
    let about = records.filter(|row| row.entry.subject.starts_with("approval:"));
    about.map(|row| (row.entry.action, row.entry.stamp.actor)).collect()
}

fn pair(action: &str, actor: &str) -> (String, String) {
    (action.to_owned(), actor.to_owned())
}

#[tokio::test]
async fn of_many_deciders_one_decides() {
    let dir = tempfile::tempdir().unwrap();
    let store = waiting(dir.path(), &["release"]).await;
    let mut racing = tokio::task::JoinSet::new();
    for racer in 0..16 {
        let (store, by) = (store.clone(), format!("token:{racer}"));
        racing.spawn(async move { decide(&store, decision("release", racer % 2 == 0, NOON + 1, &by)).await });
    }
    let answers = racing.join_all().await;
    let winners: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            DecisionAnswer::Decided { approval, run } => Some((approval, *run)),
            _ => None,
        })
        .collect();
    let [(won, RunStatus::Waiting)] = winners.as_slice() else { panic!("{winners:?}") };
    let kept = store.approval("run-1", "release").await.unwrap().unwrap();
    assert_eq!(kept, **won);
    assert!(answers.iter().all(|answer| !matches!(answer, DecisionAnswer::Closed(row) if *row != kept)));
    let by = kept.decided_by.as_deref().unwrap();
    let expected = [pair("approval.requested", "test"), pair(&format!("approval.{}", kept.state), by)];
    assert_eq!(audited(&store).await, expected);
}

#[tokio::test]
async fn an_expired_approval_cannot_be_decided() {
    let dir = tempfile::tempdir().unwrap();
    let store = waiting(dir.path(), &["release", "second"]).await;
    assert_eq!(store.expire_approvals(None, NOON + HOUR - 1).await.unwrap(), []);
    let answer = decide(&store, decision("release", true, NOON + HOUR, "token:late")).await;
    let DecisionAnswer::Closed(row) = answer else { panic!("{answer:?}") };
    assert_eq!((row.state, row.decided_by), (ApprovalState::Expired, None));
    // All of the run that was due went with it; a second look finds nothing.
    assert_eq!(store.expire_approvals(None, NOON + 2 * HOUR).await.unwrap(), []);
    let expired = pair("approval.expired", "system:approvals");
    assert_eq!(audited(&store).await.iter().filter(|record| **record == expired).count(), 2);
    assert_eq!(decide(&store, decision("third", true, NOON, "cli")).await, DecisionAnswer::Unknown);
}

#[tokio::test]
async fn a_decision_waits_for_the_run_to_take_it_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = waiting(dir.path(), &["release", "second"]).await;
    assert_eq!(store.runs_to_go_on_with(10).await.unwrap(), Vec::<String>::new());
    decide(&store, decision("release", true, NOON + 1, "cli:ann")).await;
    // The process that would have gone on with it is gone: whoever looks finds it.
    store.close().await;
    let store = open(dir.path()).await;
    assert_eq!(store.runs_to_go_on_with(10).await.unwrap(), ["run-1"]);
    let decided = store.unsettled_decisions("run-1").await.unwrap();
    assert_eq!(decided.iter().map(|row| row.step_key.as_str()).collect::<Vec<_>>(), ["release"]);
    assert_eq!(decided[0].input.as_deref(), Some(r#"{"ticket":"T-1"}"#));
    let change = RunChange { settled: vec!["release".to_owned()], ..RunChange::default() };
    store.append_events(events("run-1", 2, &["{}"], change)).await.unwrap();
    assert_eq!(store.unsettled_decisions("run-1").await.unwrap(), []);
    assert_eq!(store.runs_to_go_on_with(10).await.unwrap(), Vec::<String>::new());
    // A step that is cancelled asks no longer.
    let change = RunChange { settled: vec!["second".to_owned()], ..RunChange::default() };
    store.append_events(events("run-1", 3, &["{}"], change)).await.unwrap();
    assert_eq!(store.approval("run-1", "second").await.unwrap().unwrap().state, ApprovalState::Withdrawn);
    let answer = decide(&store, decision("second", true, NOON + 1, "cli:ann")).await;
    assert!(matches!(answer, DecisionAnswer::Closed(_)), "{answer:?}");
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let store = waiting(dir.path(), &["release"]).await;
    store.request_cancel("run-1", stamp()).await.unwrap();
    assert_eq!(store.runs_to_go_on_with(10).await.unwrap(), ["run-1"]);
    store.requeue("run-1", stamp()).await.unwrap();
    assert_eq!(store.runs_to_go_on_with(10).await.unwrap(), Vec::<String>::new(), "it is in the queue");
}

#[tokio::test]
async fn approvals_are_listed_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let steps: Vec<String> = (0..25).map(|step| format!("ask.{step:02}")).collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let store = waiting(dir.path(), &steps).await;
    decide(&store, decision("ask.07", false, NOON + 1, "cli:ann")).await;
    let mut filter = ApprovalFilter { only_open: true, limit: 10, ..ApprovalFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.approvals(&filter).await.unwrap();
        seen.extend(page.approvals.into_iter().map(|row| row.step_key));
        let Some(next) = page.next else { break };
        filter.cursor = Some(next);
    }
    let mut expected: Vec<&str> = steps.iter().copied().filter(|step| *step != "ask.07").collect();
    expected.reverse();
    assert_eq!(seen, expected);
    let all = ApprovalFilter { run: Some("run-1".to_owned()), ..ApprovalFilter::default() };
    assert_eq!(store.approvals(&all).await.unwrap().approvals.len(), 25);
    let other = ApprovalFilter { run: Some("run-2".to_owned()), ..ApprovalFilter::default() };
    assert_eq!(store.approvals(&other).await.unwrap().approvals, []);
    let wrong = ApprovalFilter { cursor: Some("nonsense".to_owned()), ..ApprovalFilter::default() };
    assert!(matches!(store.approvals(&wrong).await, Err(StoreError::BadCursor(_))));
}
