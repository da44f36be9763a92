//! Pipelines that register models and read the registry.

use serde_json::Value;

use crate::support::{TestProject, each, step};

/// Reads, splits, trains, gates against the live version, and registers.
const PIPELINE: &str = r#"
pipeline: tumours
params:
  seed: 7
  window: ""
steps:
  ingest: { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
  recent: { artifact: "${{ params.window }}" }
  split: { uses: split, inputs: { table: ingest.table }, with: { test: 0.25, stratify: benign, seed: "${{ params.seed }}" } }
  features: { uses: tabular-features, inputs: { table: split.train }, with: { target: benign } }
  train: { uses: linear-model, inputs: { train: split.train, features: features.state }, with: { task: binary, target: benign } }
  gate: { uses: model-gate, inputs: { model: train.model, table: split.test, baseline: champion }, with: { min: { accuracy: 0.5 } } }
  publish: { model: tumours, inputs: { model: train.model }, needs: [gate], tags: { team: onco }, notes: made by a test }
"#;

/// The alias moves with every registration.
const MOVING: (&str, &str) = ("needs: [gate],", "needs: [gate], alias: champion,");

fn project(edit: impl Fn(&str) -> String) -> TestProject {
    let project = TestProject::example("breast-cancer");
    std::fs::remove_dir_all(project.path().join("pipelines")).unwrap();
    project.write("wasmlops.yaml", "project: tumours\n");
    project.write("pipelines/tumours.yaml", &edit(PIPELINE));
    project
}

fn version(run: &Value) -> f64 {
    step(run, "publish")["metrics"]["version"].as_f64().unwrap()
}

fn cache<'a>(view: &'a Value, name: &str) -> (&'a str, &'a str) {
    let step = step(view, name);
    (step["cache"].as_str().unwrap(), step["reason"].as_str().unwrap())
}

#[test]
fn the_same_content_is_the_same_version() {
    let project = project(str::to_owned);
    let first = project.json(0, &["run"]);
    assert_eq!(version(&first), 1.0);
    let output = &step(&first, "publish")["outputs"]["version"];
    assert_eq!(output["media_type"], "application/vnd.wasmlops.model-version+json");
    let second = project.json(0, &["run"]);
    assert!(each(&second, "cache").iter().all(|(_, cache)| *cache == "hit"), "{second:#}");
    assert_eq!((version(&second), &step(&second, "publish")["outputs"]["version"]), (1.0, output));
    // Told to run everything, it comes to the same content and finds it registered.
    let again = project.json(0, &["run", "--no-cache"]);
    assert_eq!((version(&again), &step(&again, "publish")["outputs"]["version"]), (1.0, output));
    let other = project.json(0, &["run", "--param", "seed=8"]);
    assert_eq!(version(&other), 2.0);
    assert_ne!(&step(&other, "publish")["outputs"]["version"], output);
    // The first content is there still, under its number.
    assert_eq!(version(&project.json(0, &["run"])), 1.0);
}

#[test]
fn the_content_names_its_evidence_data_and_code() {
    let project = project(str::to_owned);
    let run = project.json(0, &["run"]);
    let digest = |name: &str, output: &str| step(&run, name)["outputs"][output]["digest"].clone();
    let content = digest("publish", "version");
    let document = project.wasmlops(&["artifact", "cat", content.as_str().unwrap()]);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!((&document["name"], &document["model"]), (&"tumours".into(), &digest("train", "model")));
    let report = serde_json::json!([{"step": "gate", "digest": digest("gate", "report"), "passed": true}]);
    assert_eq!(document["reports"], report);
    assert_eq!(document["training"], digest("split", "train"));
    assert_eq!(document["evaluation"], digest("split", "test"));
    assert_eq!(document["data"]["ingest.table"], digest("ingest", "table"));
    assert!(document["data"]["data/breast-cancer.csv"].is_string(), "{document:#}");
    assert_eq!(document["metrics"]["accuracy"], step(&run, "gate")["metrics"]["accuracy"]);
    assert!(document["code"]["plugins"]["train"].as_str().unwrap().starts_with("linear-model 0.1.0 sha256:"));
    // The model step stands in the lineage between the model and its version.
    let lineage = project.json(0, &["lineage", content.as_str().unwrap()]);
    let edges = lineage["upstream"].as_array().unwrap();
    let used = |role: &str, digest: &Value| edges.iter().any(|edge| edge["role"] == role && edge["digest"] == *digest);
    assert!(used("input:model", &digest("train", "model")), "{lineage:#}");
    assert!(used("input:report:gate", &digest("gate", "report")), "{lineage:#}");
}

#[test]
fn a_step_that_reads_an_alias_runs_again_when_it_moved() {
    let project = project(|text| text.replace(MOVING.0, MOVING.1));
    let first = project.json(0, &["run"]);
    let live = step(&first, "tumours@champion");
    assert_eq!(
        (&live["outputs"], &live["reason"]),
        (&serde_json::json!({}), &"there is no `tumours@champion` yet".into())
    );
    let plan = project.json(0, &["plan"]);
    assert_eq!(cache(&plan, "gate"), ("miss", "`tumours@champion` is there now: version 1"));
    assert_eq!(cache(&plan, "train").0, "hit");
    // The same model, judged against itself as champion, is no new version.
    assert_eq!(version(&project.json(0, &["run"])), 1.0);
    let settled = project.json(0, &["run"]);
    assert!(each(&settled, "cache").iter().all(|(_, cache)| *cache == "hit"), "{settled:#}");
    let other = project.json(0, &["run", "--param", "seed=8"]);
    assert_eq!(version(&other), 2.0);
    let plan = project.json(0, &["plan", "--param", "seed=8"]);
    assert_eq!(cache(&plan, "gate"), ("miss", "`tumours@champion` moved from version 1 to 2"));
    assert_eq!(cache(&plan, "publish").0, "miss");
    let verified = project.json(0, &["verify", other["run"].as_str().unwrap()]);
    let results = each(&verified, "result");
    assert!(
        results.contains(&("publish", "equal")) && results.contains(&("tumours@champion", "equal")),
        "{verified:#}"
    );
}

#[test]
fn a_failed_gate_registers_nothing() {
    let project = project(|text| text.replace("accuracy: 0.5", "accuracy: 1.1"));
    let run = project.json(1, &["run"]);
    assert_eq!(step(&run, "gate")["status"], "failed");
    assert_eq!(step(&run, "publish")["status"], "skipped");
}

#[test]
fn an_alias_needs_evidence() {
    let project = project(|text| text.replace("needs: [gate],", "alias: champion,"));
    let run = project.json(1, &["run"]);
    assert_eq!(step(&run, "publish")["error"]["code"], "no-evidence", "{run:#}");
}

#[test]
fn a_table_comes_in_by_its_digest() {
    let project =
        project(|text| text.replace("table: ingest.table }, with: { test", "table: recent.table }, with: { test"));
    // Without one, the step that needs it cannot run.
    let run = project.json(1, &["run"]);
    assert_eq!(step(&run, "split")["error"]["message"], "step `split`: input `table`: `recent` names no artifact");
    let table = step(&run, "ingest")["outputs"]["table"]["digest"].as_str().unwrap().to_owned();
    let run = project.json(0, &["run", "--param", &format!("window={table}")]);
    assert_eq!(step(&run, "recent")["outputs"]["table"]["rows"], 569);
    let model = step(&run, "train")["outputs"]["model"]["digest"].as_str().unwrap();
    let run = project.json(1, &["run", "--param", &format!("window={model}")]);
    let message = step(&run, "recent")["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("is no table, as step `recent` needs"), "{message}");
}
