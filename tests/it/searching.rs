//! Searches: the same trials in every run, found again after a crash, taken from the cache, proved, compared.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{TestProject, digests, step};

const PIPELINE: &str = r#"
pipeline: tune
params: { seed: 7, trials: 6 }
steps:
  ingest:   { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
  split:    { uses: split, inputs: { table: ingest.table }, with: { test: 0.25, validation: 0.25, stratify: benign, seed: 1 } }
  features: { uses: tabular-features, inputs: { table: split.train }, with: { target: benign } }
  search:
    search: tune-trial
    inputs: { train: split.train, held_out: split.validation, features: features.state }
    with:
      space:
        c: { between: [0.001, 100], scale: log }
        weight: { choices: [balanced, none] }
      objective: { metric: gate.auc, goal: maximize }
      trials: "${{ params.trials }}"
      parallel: 2
      seed: "${{ params.seed }}"
      outputs: { model: train.model, report: gate.report }
  gate:     { uses: model-gate, inputs: { model: search.model, table: split.test }, with: { min: { auc: 0.9 } } }
"#;

const TRIAL: &str = r#"
pipeline: tune-trial
params:
  train: { type: string, default: "" }
  held_out: { type: string, default: "" }
  features: { type: string, default: "" }
  c: { type: number, default: 1, minimum: 0 }
  weight: { type: string, default: none, enum: [balanced, none] }
  least: 0.5
steps:
  data:     { artifact: "${{ params.train }}" }
  unseen:   { artifact: "${{ params.held_out }}" }
  prepared: { artifact: "${{ params.features }}", as: state }
  train:
    uses: linear-model
    inputs: { train: data.table, validation: unseen.table, features: prepared.state }
    with: { task: binary, target: benign, c: "${{ params.c }}", class_weight: "${{ params.weight }}" }
  gate:
    uses: model-gate
    inputs: { model: train.model, table: unseen.table }
    with: { min: { auc: "${{ params.least }}" } }
"#;

const STOP: (&str, &str) = (
    "      parallel: 2\n",
    "      parallel: 2\n      stop: { metric: train.train_loss, goal: minimize, first: 2, factor: 2 }\n",
);

fn project() -> TestProject {
    let project = TestProject::example("breast-cancer");
    project.write("pipelines/tune.yaml", PIPELINE);
    project.write("pipelines/tune-trial.yaml", TRIAL);
    project
}

fn trials(project: &TestProject, run: &Value) -> Vec<Value> {
    let id = run["run"].as_str().unwrap();
    let listed = project.json(0, &["runs", "list", "--parent", id, "--limit", "100"]);
    listed["runs"].as_array().unwrap().clone()
}

#[test]
fn a_search_is_the_same_every_time_and_comes_from_the_cache() {
    let project = project();
    let plan = project.json(0, &["plan", "tune"]);
    let planned = step(&plan, "search");
    assert_eq!(planned["search"], serde_json::json!({"pipeline": "tune-trial", "trials": 6, "parallel": 2}));
    assert_eq!(planned["reason"], "input `train` comes from `split`, which runs: the step has not run before");

    let first = project.json(0, &["run", "tune"]);
    let search = step(&first, "search");
    assert_eq!(search["metrics"]["trials"], 6.0);
    let outputs: BTreeSet<&String> = search["outputs"].as_object().unwrap().keys().collect();
    assert_eq!(outputs.into_iter().collect::<Vec<_>>(), ["best", "model", "report", "trials"]);
    assert_eq!(search["outputs"]["trials"]["rows"], 6);
    let id = first["run"].as_str().unwrap();
    let best: Value =
        serde_json::from_str(&project.wasmlops(&["artifact", "cat", &format!("{id}/search.best")]).stdout).unwrap();
    assert_eq!(best["objective"]["metric"], "gate.auc");
    assert_eq!(best["objective"]["value"], search["metrics"]["best"]);

    // The trials are runs of their own, which stand in the list with their parent alone.
    let children = trials(&project, &first);
    assert_eq!(children.len(), 6);
    assert!(children.iter().all(|run| run["origin"] == "search:search" && run["status"] == "succeeded"));
    assert_eq!(project.json(0, &["runs", "list"])["runs"].as_array().unwrap().len(), 1);
    assert_eq!(first["children"].as_array().unwrap().len(), 6);
    let child = project.json(0, &["runs", "show", children[0]["run"].as_str().unwrap()]);
    assert_eq!(child["parent"], first["run"]);

    // The second run has the result without a trial.
    let again = project.json(0, &["run", "tune"]);
    assert_eq!(step(&again, "search")["cache"], "hit");
    assert_eq!(digests(&again), digests(&first));
    assert!(trials(&project, &again).is_empty());

    // Without the cache it comes to the same bytes.
    let anew = project.json(0, &["run", "tune", "--no-cache"]);
    assert_eq!(digests(&anew), digests(&first));
    assert_eq!(trials(&project, &anew).len(), 6);

    // Another seed, and what the trial is made of, are reasons to search again.
    let plan = project.json(0, &["plan", "tune", "--param", "seed=8"]);
    assert_eq!(step(&plan, "search")["reason"], "`with.search.seed` changed from 7 to 8 (`params.seed`)");
    project.edit("pipelines/tune-trial.yaml", "least: 0.5", "least: 0.6");
    let plan = project.json(0, &["plan", "tune"]);
    assert_eq!(step(&plan, "search")["reason"], "`with.params.least` changed from 0.5 to 0.6");
}

#[test]
fn a_search_is_proved_with_its_early_stops() {
    let project = project();
    project.edit("pipelines/tune.yaml", STOP.0, STOP.1);
    let run = project.json(0, &["run", "tune", "--param", "trials=10"]);
    let search = step(&run, "search");
    assert!(search["metrics"]["stopped"].as_f64().unwrap() >= 1.0, "{search:#}");
    let stopped: Vec<Value> =
        trials(&project, &run).into_iter().filter(|child| child["status"] == "cancelled").collect();
    assert_eq!(stopped.len() as f64, search["metrics"]["stopped"].as_f64().unwrap());
    let child = project.json(0, &["runs", "show", stopped[0]["run"].as_str().unwrap()]);
    let reason = step(&child, "train")["reason"].as_str().unwrap();
    assert!(reason.starts_with("stopped early at "), "{reason}");

    let id = run["run"].as_str().unwrap();
    let verified = project.json(0, &["verify", id]);
    assert_eq!(verified["result"], "equal", "{verified:#}");
    assert_eq!(step(&verified, "search")["result"], "equal");
    // Also where the result came from the cache, whose run may be gone.
    let hit = project.json(0, &["run", "tune", "--param", "trials=10"]);
    let verified = project.json(0, &["verify", hit["run"].as_str().unwrap()]);
    assert_eq!(step(&verified, "search")["result"], "equal");
    // A trial is a run that can be proved by itself.
    let best = trials(&project, &run).into_iter().find(|child| child["status"] == "succeeded").unwrap();
    assert_eq!(project.json(0, &["verify", best["run"].as_str().unwrap()])["result"], "equal");
}

#[test]
fn a_killed_search_goes_on_with_the_trials_that_it_has() {
    let undisturbed = project();
    undisturbed.edit("pipelines/tune.yaml", STOP.0, STOP.1);
    let begun = Instant::now();
    let expected = digests(&undisturbed.json(0, &["run", "tune"]));
    let usual = begun.elapsed();

    let mut resumed = 0;
    for round in 1..=6 {
        let project = project();
        project.edit("pipelines/tune.yaml", STOP.0, STOP.1);
        let mut child =
            project.command(&["run", "tune", "--json"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(usual.mul_f64(f64::from(round) / 7.0).max(Duration::from_millis(1)));
        child.kill().unwrap();
        child.wait().unwrap();
        let runs = project.json(0, &["runs", "list"]);
        let Some(run) = runs["runs"].as_array().unwrap().first() else { continue };
        if run["status"] == "succeeded" {
            continue;
        }
        resumed += 1;
        let ended = project.json(0, &["runs", "resume", run["run"].as_str().unwrap()]);
        assert_eq!(digests(&ended), expected, "round {round}");
        assert_eq!(trials(&project, &ended).len(), 6, "round {round}");
    }
    assert!(resumed >= 2, "only {resumed} of 6 runs were killed under way");
}

#[test]
fn stopping_a_search_stops_its_trials() {
    let project = project();
    let child = project.command(&["run", "tune", "--param", "trials=200", "--json"]);
    let mut child = { child }.stdout(std::process::Stdio::null()).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    let run = loop {
        assert!(Instant::now() < patience, "no trial began");
        let runs = project.json(0, &["runs", "list"]);
        if let Some(run) = runs["runs"].as_array().unwrap().first()
            && trials(&project, run).len() >= 3
        {
            break run.clone();
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let id = run["run"].as_str().unwrap();
    project.json(0, &["runs", "cancel", id]);
    child.wait().unwrap();
    let ended = project.json(0, &["runs", "show", id]);
    assert_eq!(ended["status"], "cancelled");
    let children = trials(&project, &ended);
    assert!(children.len() < 200);
    let open = |run: &&Value| !["succeeded", "cancelled"].contains(&run["status"].as_str().unwrap());
    assert_eq!(children.iter().filter(open).count(), 0, "{children:#?}");
}

#[test]
fn trials_are_compared() {
    let project = project();
    let run = project.json(0, &["run", "tune"]);
    let id = run["run"].as_str().unwrap();
    let compared = project.json(0, &["runs", "compare", "--children", id]);
    assert_eq!(compared["runs"].as_array().unwrap().len(), 6);
    let names: Vec<&str> =
        compared["runs"].as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["trial 1", "trial 2", "trial 3", "trial 4", "trial 5", "trial 6"]);
    let param = &compared["params"][0];
    assert_eq!((&param["name"], &param["differs"]), (&"c".into(), &true.into()));
    let differs = |name: &str| step(&compared, name)["differs"].clone();
    assert_eq!((differs("train"), differs("data")), (true.into(), false.into()));
    let text = project.wasmlops(&["runs", "compare", "--children", id]).stdout;
    assert!(text.contains("trial 6") && text.contains("steps that came to other bytes: train, gate"), "{text}");

    let other = project.json(0, &["run", "tune", "--param", "seed=8"]);
    let compared = project.json(0, &["runs", "compare", id, other["run"].as_str().unwrap()]);
    assert_eq!(compared["params"][0]["name"], "seed");
    assert_eq!(compared["params"][0]["values"], serde_json::json!([7, 8]));
    let alone = project.json(2, &["runs", "compare", id]);
    assert_eq!(alone["error"]["message"], "1 runs cannot be compared: it takes 2 to 1000");
}

#[test]
fn a_search_in_which_nothing_succeeds_says_why() {
    let project = project();
    project.edit("pipelines/tune-trial.yaml", "least: 0.5", "least: 1.0");
    let run = project.json(1, &["run", "tune", "--param", "trials=2"]);
    let error = &step(&run, "search")["error"];
    assert_eq!(error["code"], "search-failed");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("step `search`: none of 2 trials succeeded; trial 1 (c "), "{message}");
    assert_eq!(error["file"], "pipelines/tune.yaml");
}
