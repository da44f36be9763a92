//! Validators beside the gate: personal data named, groups compared, and the model asked again by the one that explains
//! it, with the same answers and a proof.

use serde_json::Value;

use crate::support::{TestProject, each, step};

/// The example's rows; the radius stands for what divides people.
const PIPELINE: &str = r#"
pipeline: tumours
params:
  limit: 1
steps:
  ingest: { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
  privacy: { uses: privacy, inputs: { table: ingest.table } }
  split: { uses: split, inputs: { table: ingest.table }, needs: [privacy], with: { test: 0.25, stratify: benign, seed: 7 } }
  features: { uses: tabular-features, inputs: { table: split.train }, with: { target: benign } }
  train: { uses: linear-model, inputs: { train: split.train, features: features.state }, with: { task: binary, target: benign } }
  fairness:
    uses: fairness
    inputs: { model: train.model, table: split.test }
    with: { sensitive: [{ column: mean_radius, bins: [13] }] }
  explain:
    uses: explain
    inputs: { model: train.model, table: split.test }
    with:
      slices: { depth: 1 }
      importance: { columns: [mean_radius, worst_texture, worst_area], repeats: 2, max_rows: 100 }
      max_ece: "${{ params.limit }}"
  publish: { model: tumours, inputs: { model: train.model }, needs: [fairness, explain], alias: champion }
"#;

fn project(pipeline: &str) -> TestProject {
    let project = TestProject::example("breast-cancer");
    std::fs::remove_dir_all(project.path().join("pipelines")).unwrap();
    project.write("wasmlops.yaml", "project: tumours\n");
    project.write("pipelines/tumours.yaml", pipeline);
    project
}

fn report(project: &TestProject, run: &Value, step: &str) -> Value {
    let artifact = format!("{}/{step}.report", run["run"].as_str().unwrap());
    project.json(0, &["artifact", "show", &artifact])["document"].clone()
}

fn passed(report: &Value, name: &str) -> Vec<bool> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    checks.map(|check| check["passed"].as_bool().unwrap()).collect()
}

#[test]
fn a_model_is_asked_again_and_its_explanation_is_proved() {
    let project = project(PIPELINE);
    let run = project.json(0, &["run"]);
    let explained = report(&project, &run, "explain");
    // Through the door the model says of the same rows what the evaluation's table of predictions has.
    assert_eq!(passed(&explained, "same_predictions"), [true], "{explained:#}");
    assert_eq!(passed(&explained, "target_unread"), [true]);
    assert_eq!(passed(&explained, "importance"), [true, true, true]);
    let baseline = step(&run, "explain")["metrics"]["importance_baseline"].as_f64().unwrap();
    assert!(baseline > 0.95, "{baseline}");
    assert!(report(&project, &run, "fairness")["checks"].as_array().unwrap().len() >= 6 + 7);

    // Their reports are evidence, so the version may have its alias.
    assert_eq!(step(&run, "publish")["status"], "succeeded");
    let again = project.json(0, &["run"]);
    assert!(each(&again, "cache").iter().all(|(_, cache)| *cache == "hit"), "{again:#}");
    let verified = project.json(0, &["verify", run["run"].as_str().unwrap()]);
    for name in ["privacy", "fairness", "explain"] {
        assert_eq!(step(&verified, name)["result"], "equal", "{verified:#}");
    }
}

#[test]
fn a_limit_of_the_explanation_stops_the_model() {
    let project = project(PIPELINE);
    let run = project.json(1, &["run", "--param", "limit=0"]);
    let failed = step(&run, "explain");
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&"failed".into(), &"gate-failed".into()), "{run:#}");
    assert_eq!(passed(&report(&project, &run, "explain"), "ece"), [false]);
    assert_ne!(step(&run, "publish")["status"], "succeeded");
}

#[test]
fn a_model_that_needs_more_than_the_step_may_have_ends_the_step() {
    let project = project(PIPELINE);
    project.edit(
        "pipelines/tumours.yaml",
        "    uses: explain\n",
        "    uses: explain\n    limits: { host-calls: 40 }\n",
    );
    let run = project.json(1, &["run"]);
    assert_eq!(step(&run, "explain")["error"]["code"], "host-call-budget", "{run:#}");
}

#[test]
fn personal_data_does_not_reach_the_trainer() {
    let project = project(PIPELINE);
    let data = project.read("data/breast-cancer.csv");
    let mut rows = data.lines();
    let header = format!("{},contact", rows.next().unwrap());
    let rows = rows.enumerate().map(|(row, line)| format!("{line},person{row}@example.com"));
    let text: Vec<String> = std::iter::once(header).chain(rows).collect();
    project.write("data/breast-cancer.csv", &text.join("\n"));
    let run = project.json(1, &["run"]);
    let failed = step(&run, "privacy");
    assert_eq!(failed["error"]["code"], "validation-failed");
    assert!(failed["error"]["message"].as_str().unwrap().contains("`contact`"), "{failed:#}");
    assert_ne!(step(&run, "train")["status"], "succeeded");
    assert!(!report(&project, &run, "privacy").to_string().contains("person1"), "no value stands in a report");
}
