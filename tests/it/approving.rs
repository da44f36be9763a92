//! Pipelines that wait for a person: asked, shown, decided at the command line, also when processes are killed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Ended, TestProject, step};

/// Trains and gates, asks whether to release, and registers.
const PIPELINE: &str = r#"
pipeline: release
steps:
  ingest: { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
  split: { uses: split, inputs: { table: ingest.table }, with: { test: 0.25, stratify: benign } }
  features: { uses: tabular-features, inputs: { table: split.train }, with: { target: benign } }
  train: { uses: linear-model, inputs: { train: split.train, features: features.state }, with: { task: binary, target: benign } }
  gate: { uses: model-gate, inputs: { model: train.model, table: split.test }, with: { min: { accuracy: 0.5 } } }
  release:
    approval: "Release this model?"
    role: editor
    expires: 24h
    inputs: { model: train.model, report: gate.report }
    form: { ticket: { type: string }, share: { type: number, maximum: 1, default: 0.1 } }
    needs: [gate]
  publish: { model: tumours, inputs: { model: train.model }, needs: [release], alias: champion }
"#;

/// A person is asked, and nothing else happens.
const QUESTION: &str = r#"
pipeline: question
steps:
  ask: { approval: "Go on?" }
  again: { approval: "Really?", needs: [ask] }
"#;

fn project(pipeline: &str) -> TestProject {
    let project = TestProject::example("breast-cancer");
    std::fs::remove_dir_all(project.path().join("pipelines")).unwrap();
    project.write("wasmlops.yaml", "project: tumours\n");
    project.write("pipelines/it.yaml", pipeline);
    project
}

fn id(run: &Value) -> &str {
    run["run"].as_str().unwrap()
}

#[test]
fn a_release_waits_is_shown_and_goes_on_when_it_is_approved() {
    let project = project(PIPELINE);
    let said: Ended = project.wasmlops(&["run"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("`wasmlops approve "), "{said:?}");
    let listed = project.json(0, &["approvals", "list"]);
    let run = listed["approvals"][0]["run"].as_str().unwrap();
    let waiting = project.json(0, &["runs", "show", run]);
    assert_eq!((&waiting["status"], &step(&waiting, "release")["status"]), (&"waiting".into(), &"waiting".into()));
    assert_eq!(step(&waiting, "publish")["status"], "pending");
    assert_eq!(project.json(0, &["runs", "list", "--status", "waiting"])["runs"][0]["run"], run);

    let shown = project.json(0, &["approvals", "show", run]);
    assert_eq!(
        (&shown["message"], &shown["role"], &shown["state"]),
        (&"Release this model?".into(), &"editor".into(), &"open".into())
    );
    assert_eq!(shown["judgements"][0]["from"], "gate.report");
    assert!(shown["judgements"][0]["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{shown:#}");
    assert_eq!((&shown["model"]["model"], &shown["model"]["champion"]), (&"tumours".into(), &Value::Null));
    let accuracy = |metrics: &Value, of: &str| {
        let metrics = metrics.as_array().unwrap().iter();
        metrics.clone().find(|metric| metric["name"] == "accuracy").unwrap()[of].clone()
    };
    assert_eq!(accuracy(&shown["model"]["metrics"], "candidate"), step(&waiting, "gate")["metrics"]["accuracy"]);
    let text = project.wasmlops(&["approvals", "show", run, "release"]).stdout;
    assert!(text.contains("--input ticket=...") && text.contains("gate.report: passed"), "{text}");

    let wrong = project.json(2, &["approve", run, "--input", "share=2"]);
    let messages: Vec<&str> =
        wrong["errors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["field `ticket` has no value", "field `share` must be at most `1`, not the number `2`"]);
    let ended = project.json(0, &["approve", run, "--input", "ticket=OPS-7"]);
    assert_eq!(ended["status"], "succeeded", "{ended:#}");
    assert_eq!(step(&ended, "publish")["metrics"]["version"], 1.0);
    let decision = project.wasmlops(&["artifact", "cat", &format!("{run}/release.decision")]);
    let decision: Value = serde_json::from_str(&decision.stdout).unwrap();
    assert_eq!(decision["input"], serde_json::json!({ "share": 0.1, "ticket": "OPS-7" }));
    assert_eq!(decision["shown"]["model"]["digest"], step(&ended, "train")["outputs"]["model"]["digest"]);
    assert_eq!(project.json(2, &["approve", run])["error"]["code"], "unknown-approval");
    assert_eq!(project.json(2, &["approve", run, "release"])["error"]["code"], "approval-decided");
    let verified = project.json(0, &["verify", run]);
    assert_eq!(step(&verified, "release")["result"], "captured");

    // The next one is compared with what is live now.
    project.edit("pipelines/it.yaml", "test: 0.25", "test: 0.3");
    let run = project.json(0, &["run"]);
    let shown = project.json(0, &["approvals", "show", id(&run)]);
    assert_eq!(shown["model"]["champion"], 1);
    assert!(accuracy(&shown["model"]["metrics"], "champion").is_number(), "{shown:#}");
    assert_eq!(shown["model"]["plugins"], serde_json::json!([]));
}

#[test]
fn a_rejection_fails_the_run_with_its_reason() {
    let project = project(QUESTION);
    let run = project.json(0, &["run"]);
    let refused = project.wasmlops(&["approve", id(&run), "--reject"]);
    assert_eq!(refused.code, Some(2), "a reason is needed: {refused:?}");
    let ended = project.json(1, &["approve", id(&run), "--reject", "--reason", "not on a Friday"]);
    assert_eq!((&ended["status"], &step(&ended, "again")["status"]), (&"failed".into(), &"skipped".into()));
    let error = &step(&ended, "ask")["error"];
    assert_eq!(error["code"], "rejected");
    assert!(error["message"].as_str().unwrap().ends_with(": not on a Friday"), "{error}");
    let all = project.json(0, &["approvals", "list", "--all"]);
    assert_eq!(all["approvals"][0]["reason"], "not on a Friday");
}

#[test]
fn a_decision_survives_the_death_of_whoever_decides() {
    let begun = Instant::now();
    let undisturbed = project(QUESTION);
    let run = undisturbed.json(0, &["run"]);
    undisturbed.json(0, &["approve", id(&run)]);
    let usual = begun.elapsed() / 2;
    for round in 0..10 {
        let project = project(QUESTION);
        let run = project.json(0, &["run"]);
        let run = id(&run);
        let mut child = project
            .command(&["approve", run, "ask", "--json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(usual.mul_f64(f64::from(round) / 10.0).max(Duration::from_millis(1)));
        child.kill().unwrap();
        child.wait().unwrap();
        let all = project.json(0, &["approvals", "list", "--all"]);
        let asks = |step: &str| {
            let rows = all["approvals"].as_array().unwrap().iter();
            rows.filter(|row| row["step"] == step).map(|row| row["state"].as_str().unwrap()).collect::<Vec<_>>()
        };
        let view = match asks("ask").as_slice() {
            ["open"] => project.json(0, &["approve", run, "ask"]),
            ["approved"] => project.json(0, &["runs", "resume", run]),
            other => panic!("round {round}: {other:?}"),
        };
        assert_eq!((&view["status"], &step(&view, "ask")["status"]), (&"waiting".into(), &"succeeded".into()));
        let ended = project.json(0, &["approve", run, "again"]);
        assert_eq!(ended["status"], "succeeded", "round {round}");
        assert_eq!(project.json(0, &["approvals", "list", "--all"])["approvals"].as_array().unwrap().len(), 2);
    }
}
