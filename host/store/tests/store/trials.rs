//! Trials of a search are runs that come, are listed and go with the run that searches.

use super::*;

/// The search's run, three of its trials, and a child that is no trial.
async fn with_trials(dir: &Path) -> Store {
    let store = open(dir).await;
    store.create_run(new_run("parent")).await.unwrap();
    let child = |id: &str, origin: &str| NewRun {
        parent: Some("parent".to_owned()),
        pipeline: "trial".to_owned(),
        origin: origin.to_owned(),
        ..new_run(id)
    };
    for id in ["trial-1", "trial-2", "trial-3"] {
        store.create_run(child(id, "search:tune")).await.unwrap();
    }
    store.create_run(child("child", "api")).await.unwrap();
    store
}

async fn ends(store: &Store, run: &str, status: RunStatus) {
    let change = RunChange { status: Some(status), started: Some(NOON), ended: Some(NOON), ..RunChange::default() };
    store.append_events(events(run, 0, &["{}"], change)).await.unwrap();
}

async fn listed(store: &Store, filter: RunFilter) -> Vec<String> {
    let mut ids: Vec<String> = store.list_runs(&filter).await.unwrap().runs.into_iter().map(|run| run.id).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn trials_are_listed_with_their_parent_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_trials(dir.path()).await;
    assert_eq!(listed(&store, RunFilter::default()).await, ["child", "parent"]);
    let of_parent = RunFilter { parent: Some("parent".to_owned()), ..RunFilter::default() };
    assert_eq!(listed(&store, of_parent).await, ["child", "trial-1", "trial-2", "trial-3"]);
    let of_search = RunFilter { origin: Some("search:tune".to_owned()), ..RunFilter::default() };
    assert_eq!(listed(&store, of_search).await, ["trial-1", "trial-2", "trial-3"]);
    let children: Vec<_> = store.children_of("parent").await.unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(children, ["child", "trial-1", "trial-2", "trial-3"]);
}

#[tokio::test]
async fn trials_go_with_the_run_that_searched() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_trials(dir.path()).await;
    for (run, status) in [
        ("trial-1", RunStatus::Succeeded),
        ("trial-2", RunStatus::Cancelled),
        ("trial-3", RunStatus::Failed),
        ("child", RunStatus::Succeeded),
        ("parent", RunStatus::Succeeded),
    ] {
        ends(&store, run, status).await;
    }
    let rows = store.retention_runs().await.unwrap();
    let children: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.children)).collect();
    assert_eq!(children, [("child", false), ("parent", true)], "trials neither go nor keep by themselves");

    let both = ["parent".to_owned(), "child".to_owned()];
    assert_eq!(store.remove_runs(&both[..1], NOON + 1, &stamp()).await.unwrap(), [] as [&str; 0]);
    assert_eq!(store.remove_runs(&both[1..], NOON + 1, &stamp()).await.unwrap(), ["child"]);
    let mut trials = store.trials_of(&both).await.unwrap();
    trials.sort();
    assert_eq!(trials, ["trial-1", "trial-2", "trial-3"]);
    let mut gone = store.remove_runs(&both[..1], NOON + 1, &stamp()).await.unwrap();
    gone.sort();
    assert_eq!(gone, ["parent", "trial-1", "trial-2", "trial-3"]);
    assert!(store.children_of("parent").await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_is_told_of_a_trials_gate() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_trials(dir.path()).await;
    let gate = StepRow { kind: Some("validator".to_owned()), ..step("gate", StepStatus::Succeeded) };
    let change = |status| RunChange {
        status: Some(status),
        steps: vec![gate.clone()],
        outputs: vec![output("gate", "report", b"report")],
        ..RunChange::default()
    };
    for run in ["trial-1", "parent"] {
        store.append_events(events(run, 0, &["{}"], change(RunStatus::Succeeded))).await.unwrap();
    }
    let mut actions = Vec::new();
    let audit = store.audit_records(0, 100).await.unwrap();
    for row in audit {
        let of_trial = row.entry.subject.contains("trial-1");
        if of_trial || row.entry.subject.contains("parent") {
            actions.push((of_trial, row.entry.action.clone(), row.entry.details.contains("\"trial\":true")));
        }
    }
    let has = |of_trial, action: &str, marked| actions.contains(&(of_trial, action.to_owned(), marked));
    assert!(has(false, "gate.passed", false) && !actions.iter().any(|(own, what, _)| *own && what == "gate.passed"));
    assert!(has(true, "run.succeeded", true) && has(false, "run.succeeded", false), "{actions:?}");
}
