//! Pipelines that wait for people, from the question to the end of the run, over restarts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};
use wasmlops_core::access::{Rights, Role};
use wasmlops_core::approval::DecisionDocument;
use wasmlops_core::call::Cancel;
use wasmlops_core::run::Micros;
use wasmlops_store::{AuditVerdict, RunStatus};

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::error::Error;
use crate::host::HostOptions;
use crate::planning::{self, LockPolicy};
use crate::runs::RunOptions;
use crate::view::RunView;
use crate::watch::Unwatched;

const NOON: Micros = 1_795_262_400_000_000;

/// People decide twice; nothing else happens.
const PIPELINE: &str = r#"
pipeline: release
params: { version: "7" }
steps:
  release:
    approval: "Roll out ${{ params.version }}?"
    role: editor
    expires: 24h
    form:
      ticket: { type: string }
      share: { type: number, minimum: 0, maximum: 1, default: 0.1 }
  announce: { approval: "Tell everybody?", role: viewer, inputs: { decision: release.decision } }
  regret: { approval: "Tell nobody?", when: "steps.release.status == 'failed'" }
"#;

struct Site {
    host: Host,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pipelines")).unwrap();
        std::fs::write(folder.path().join("wasmlops.yaml"), "project: people\n").unwrap();
        std::fs::write(folder.path().join("pipelines/release.yaml"), PIPELINE).unwrap();
        let clock = Arc::new(ManualClock::at(NOON));
        let host = open(folder.path(), clock.clone()).await;
        Self { host, clock, folder }
    }

    /// Another process, after the first is gone.
    async fn restarted(self) -> Self {
        self.host.store.close().await;
        let host = open(self.folder.path(), self.clock.clone()).await;
        Self { host, ..self }
    }

    async fn start(&self) -> RunView {
        let pipeline = self.host.project.pipeline(self.folder.path(), Some("release")).unwrap();
        let graph = planning::bound(&self.host, &pipeline, &Map::new(), LockPolicy::Keep).unwrap();
        let options = RunOptions {
            id: None,
            seed: 0,
            nominal_time: None,
            use_cache: true,
            source: None,
            observer: Arc::new(Unwatched),
            cancel: Cancel::default(),
            actor: "cli:ann".to_owned(),
            origin: "cli".to_owned(),
        };
        runs::start(&self.host, graph, options).await.unwrap()
    }

    async fn resume(&self, run: &str) -> RunView {
        runs::resume(&self.host, run, "cli:ann", Arc::new(Unwatched), Cancel::default()).await.unwrap()
    }

    async fn decide(&self, run: &str, step: &str, decision: Decision, role: Role) -> Result<ApprovalView> {
        let rights = Rights::of(role);
        let by = Decider { actor: "cli:bob", rights: &rights, goes_on: GoesOn::Decider };
        decide(&self.host, run, step, decision, by).await
    }

    async fn open_steps(&self) -> Vec<String> {
        let page = list(&self.host, ApprovalQuery::default()).await.unwrap();
        page.approvals.into_iter().map(|approval| approval.step).collect()
    }

    /// The actions of the audit, in order; it is whole.
    async fn audited(&self) -> Vec<String> {
        let verdict = self.host.store.audit_verify().await.unwrap();
        assert!(matches!(verdict, AuditVerdict::Intact { .. }), "{verdict:?}");
        let records = self.host.store.audit_records(0, 1000).await.unwrap();
        records.into_iter().map(|record| record.entry.action).collect()
    }

    async fn decision(&self, run: &str, step: &str) -> DecisionDocument {
        let outputs = self.host.store.outputs(run).await.unwrap();
        let output = outputs.iter().find(|output| output.step_key == step && output.name == "decision").unwrap();
        let bytes = self.host.store.blobs().get(&output.digest).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

async fn open(folder: &Path, clock: Arc<ManualClock>) -> Host {
    Host::open(HostOptions::for_tests(folder, clock)).await.unwrap()
}

fn approve(input: serde_json::Value) -> Decision {
    Decision { approve: true, input: input.as_object().unwrap().clone(), ..Decision::default() }
}

fn reject(reason: &str) -> Decision {
    Decision { reason: Some(reason.to_owned()), ..Decision::default() }
}

fn ticket() -> Decision {
    approve(json!({ "ticket": "T-1" }))
}

fn status<'a>(view: &'a RunView, step: &str) -> &'a str {
    &view.steps.iter().find(|view| view.step == step).unwrap().status
}

/// Codes and messages of what is wrong.
fn told(error: Error) -> Vec<(String, String)> {
    let Error::User(problems) = error else { panic!("{error}") };
    problems.0.into_iter().map(|problem| (problem.code, problem.message)).collect()
}

fn code(result: Result<ApprovalView>) -> String {
    told(result.unwrap_err()).swap_remove(0).0
}

#[tokio::test]
async fn a_run_waits_over_restarts_and_goes_on_when_it_is_approved() {
    let site = Site::new().await;
    let view = site.start().await;
    let run = view.run.as_str();
    assert_eq!(
        (view.status.as_str(), status(&view, "release"), status(&view, "announce")),
        ("waiting", "waiting", "pending")
    );
    assert!(view.ended.is_none());
    let site = site.restarted().await;
    assert_eq!(site.open_steps().await, ["release"]);
    // Nothing to take up: it waits on, and nothing is written.
    let before = site.audited().await;
    assert_eq!(site.resume(run).await.status, "waiting");
    assert_eq!(site.audited().await, before);

    let decided = site.decide(run, "release", ticket(), Role::Editor).await.unwrap();
    assert_eq!((decided.state.as_str(), decided.by.as_deref()), ("approved", Some("cli:bob")));
    // The process that decided is gone before the run could go on.
    let site = site.restarted().await;
    let view = site.resume(run).await;
    assert_eq!(
        (view.status.as_str(), status(&view, "release"), status(&view, "announce")),
        ("waiting", "succeeded", "waiting")
    );
    site.decide(run, "announce", approve(json!({})), Role::Viewer).await.unwrap();
    let view = site.resume(run).await;
    assert_eq!((view.status.as_str(), status(&view, "regret")), ("succeeded", "skipped"));
    let document = site.decision(run, "release").await;
    assert_eq!((document.by.as_deref(), document.message.as_str()), (Some("cli:bob"), "Roll out 7?"));
    assert_eq!(serde_json::Value::Object(document.input), json!({ "share": 0.1, "ticket": "T-1" }));
    let announced = site.decision(run, "announce").await;
    assert_eq!(announced.shown["decision"].from, "release.decision");
    let actions = site.audited().await;
    let about: Vec<&str> = actions
        .iter()
        .map(String::as_str)
        .filter(|action| action.starts_with("approval.") || action.starts_with("run."))
        .collect();
    assert_eq!(
        about,
        [
            "run.created",
            "run.started",
            "run.waiting",
            "approval.requested",
            "approval.approved",
            "run.resumed",
            "run.waiting",
            "approval.requested",
            "approval.approved",
            "run.succeeded",
        ]
    );
}

#[tokio::test]
async fn every_wrong_field_is_told_and_nothing_is_decided() {
    let site = Site::new().await;
    let run = site.start().await.run;
    let wrong = site.decide(&run, "release", approve(json!({ "share": 3, "tickt": "T-1" })), Role::Admin).await;
    let messages: Vec<String> = told(wrong.unwrap_err()).into_iter().map(|(_, message)| message).collect();
    assert_eq!(
        messages,
        [
            "the approval has no field `tickt`",
            "field `ticket` has no value",
            "field `share` must be at most `1`, not the number `3`",
        ]
    );
    assert_eq!(code(site.decide(&run, "release", Decision::default(), Role::Admin).await), "missing-reason");
    let elsewhere = Decision { attempt: Some(2), ..ticket() };
    assert_eq!(code(site.decide(&run, "release", elsewhere, Role::Admin).await), "approval-conflict");
    assert_eq!(code(site.decide(&run, "announce", ticket(), Role::Admin).await), "unknown-approval");
    assert_eq!(site.open_steps().await, ["release"]);
}

#[tokio::test]
async fn a_role_that_is_too_low_is_refused_and_recorded() {
    let site = Site::new().await;
    let run = site.start().await.run;
    for role in [Role::Viewer, Role::Operator] {
        assert_eq!(code(site.decide(&run, "release", ticket(), role).await), "forbidden");
    }
    let elsewhere = Rights { role: Role::Admin, scopes: vec!["runs".parse().unwrap()] };
    let by = Decider { actor: "token:ci", rights: &elsewhere, goes_on: GoesOn::Server };
    assert_eq!(code(decide(&site.host, &run, "release", ticket(), by).await), "forbidden");
    let denied = site.audited().await.into_iter().filter(|action| action == "access.denied").count();
    assert_eq!(denied, 3);
    site.decide(&run, "release", ticket(), Role::Editor).await.unwrap();
}

#[tokio::test]
async fn of_two_racing_deciders_one_decides() {
    let site = Site::new().await;
    let run = site.start().await.run;
    let (one, other) = tokio::join!(
        site.decide(&run, "release", ticket(), Role::Editor),
        site.decide(&run, "release", reject("not today"), Role::Admin),
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let won = one.as_ref().or(other.as_ref()).unwrap().state.clone();
    assert_eq!(code(if one.is_ok() { other } else { one }), "approval-decided");
    assert_eq!(code(site.decide(&run, "release", ticket(), Role::Editor).await), "approval-decided");
    let view = site.resume(&run).await;
    assert_eq!(status(&view, "release") == "succeeded", won == "approved", "{view:?}");
}

#[tokio::test]
async fn a_rejection_fails_the_step_with_its_reason_and_a_resume_asks_again() {
    let site = Site::new().await;
    let run = site.start().await.run;
    site.decide(&run, "release", reject("auc is too low"), Role::Editor).await.unwrap();
    let view = site.resume(&run).await;
    // A step may ask what to do about it.
    assert_eq!(
        (view.status.as_str(), status(&view, "announce"), status(&view, "regret")),
        ("waiting", "skipped", "waiting")
    );
    let error = view.steps[0].error.as_ref().unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("rejected", "step `release`: `cli:bob` rejected it: auc is too low")
    );
    site.decide(&run, "regret", approve(json!({})), Role::Operator).await.unwrap();
    assert_eq!(site.resume(&run).await.status, "failed");
    assert_eq!(site.decision(&run, "release").await.reason.as_deref(), Some("auc is too low"));

    let again = site.resume(&run).await;
    assert_eq!((again.status.as_str(), again.steps[0].attempts), ("waiting", 2));
    assert_eq!(show(&site.host, &run, "release").await.unwrap().approval.attempt, 2);
    site.decide(&run, "release", ticket(), Role::Editor).await.unwrap();
    assert_eq!(status(&site.resume(&run).await, "release"), "succeeded");
}

#[tokio::test]
async fn an_approval_expires_and_its_run_fails() {
    let site = Site::new().await;
    let run = site.start().await.run;
    site.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(code(site.decide(&run, "release", ticket(), Role::Admin).await), "approval-expired");
    let actions = site.audited().await;
    assert_eq!(actions.last().map(String::as_str), Some("approval.expired"));
    let view = site.resume(&run).await;
    let error = view.steps[0].error.as_ref().unwrap();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("expired", "step `release`: nobody decided within 24h"));
    assert_eq!(site.open_steps().await, ["regret"]);
}

#[tokio::test]
async fn the_server_lets_approvals_expire_and_runs_go_on() {
    let site = Site::new().await;
    let run = site.start().await.run;
    let service = Approvals::new(&site.host);
    assert!(service.tick().await.unwrap().is_empty());
    site.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(service.tick().await.unwrap(), std::slice::from_ref(&run));
    // It is in the queue now, where a dispatcher takes it.
    assert!(service.tick().await.unwrap().is_empty());
    let row = site.host.store.queue_row(&run).await.unwrap().unwrap();
    assert_eq!(row.state, wasmlops_store::QueueState::Queued);
    let view = site.resume(&run).await;
    assert_eq!((status(&view, "release"), status(&view, "regret")), ("failed", "waiting"));
}

#[tokio::test]
async fn a_decision_for_a_server_puts_the_run_into_the_queue() {
    let site = Site::new().await;
    let run = site.start().await.run;
    assert!(site.host.store.queue_row(&run).await.unwrap().is_none());
    let rights = Rights::of(Role::Editor);
    let by = Decider { actor: "token:ann", rights: &rights, goes_on: GoesOn::Server };
    decide(&site.host, &run, "release", ticket(), by).await.unwrap();
    assert!(site.host.store.queue_row(&run).await.unwrap().is_some());
}

#[tokio::test]
async fn a_waiting_run_can_be_cancelled() {
    let site = Site::new().await;
    let run = site.start().await.run;
    let view = runs::cancel(&site.host, &run, "cli:ann").await.unwrap();
    assert_eq!((view.status.as_str(), status(&view, "release")), ("cancelled", "cancelled"));
    assert_eq!(site.open_steps().await, Vec::<String>::new());
    assert_eq!(code(site.decide(&run, "release", ticket(), Role::Editor).await), "approval-decided");
    let all = list(&site.host, ApprovalQuery { all: true, ..ApprovalQuery::default() }).await.unwrap();
    assert_eq!(all.approvals[0].state, "withdrawn");
    let row = site.host.store.load_run(&run).await.unwrap().unwrap();
    assert_eq!((row.status, row.ended.is_some()), (RunStatus::Cancelled, true));
    assert!(site.clock.now() > NOON);
}
