//! The model registry at the command line: versions, aliases, history, cards, folders.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Ended, TestProject, step, workspace};

/// Trains and registers; `gate` judges with a bound that any model passes.
const PIPELINE: &str = r#"
pipeline: tumours
params: { seed: 7 }
steps:
  ingest: { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
  split: { uses: split, inputs: { table: ingest.table }, with: { test: 0.25, stratify: benign, seed: "${{ params.seed }}" } }
  features: { uses: tabular-features, inputs: { table: split.train }, with: { target: benign } }
  train: { uses: linear-model, inputs: { train: split.train, features: features.state }, with: { task: binary, target: benign } }
  gate: { uses: model-gate, inputs: { model: train.model, table: split.test }, with: { min: { accuracy: 0.5 } } }
  publish: { model: tumours, inputs: { model: train.model }, needs: [gate] }
"#;

/// A project with so many versions of `tumours`, and the run of the last.
fn project(versions: u32) -> (TestProject, Value) {
    let project = TestProject::example("breast-cancer");
    fs::remove_dir_all(project.path().join("pipelines")).unwrap();
    project.write("wasmlops.yaml", "project: tumours\n");
    project.write("pipelines/tumours.yaml", PIPELINE);
    let run = |seed: u32| project.json(0, &["run", "--param", &format!("seed={seed}")]);
    let mut last = run(1);
    for seed in 2..=versions {
        last = run(seed);
    }
    (project, last)
}

fn code(ended: &Ended) -> (Option<i32>, String) {
    let error: Value = serde_json::from_str(&ended.stdout).unwrap();
    (ended.code, error["error"]["code"].as_str().unwrap().to_owned())
}

#[test]
fn history_answers_what_was_live_who_moved_it_on_which_evidence() {
    let (project, last) = project(2);
    let listed = project.json(0, &["model", "list"]);
    assert_eq!((&listed["models"][0]["model"], &listed["models"][0]["version"]), (&json!("tumours"), &json!(2)));
    let shown = project.json(0, &["model", "show", "tumours@2"]);
    assert_eq!((&shown["run"], &shown["step"]), (&last["run"], &json!("publish")));
    let report = &step(&last, "gate")["outputs"]["report"]["digest"];
    assert_eq!(shown["evidence"], json!([report]));

    let first = project.json(0, &["model", "alias", "tumours", "champion", "1", "--expect", "none"]);
    let between = first["move"]["time"].as_str().unwrap().to_owned();
    let stale = project.wasmlops(&["model", "alias", "tumours", "champion", "2", "--expect", "none", "--json"]);
    assert_eq!(code(&stale), (Some(2), "alias-moved".to_owned()));
    project.json(0, &["model", "alias", "tumours", "champion", "2", "--expect", "1"]);
    let back = project.json(0, &["model", "rollback", "tumours", "--reason", "it errs"]);
    assert_eq!((&back["move"]["to"], &back["move"]["kind"]), (&json!(1), &json!("rollback")));
    let end = project.wasmlops(&["model", "rollback", "tumours", "--json"]);
    assert_eq!(code(&end), (Some(2), "nothing-before".to_owned()));

    let history = project.json(0, &["model", "history", "tumours", "champion"]);
    let moves: Vec<&Value> = history["moves"].as_array().unwrap().iter().map(|made| &made["to"]).collect();
    assert_eq!(moves, [&json!(1), &json!(2), &json!(1)]);
    assert_eq!(history["moves"][1]["evidence"], json!([report]));
    assert_eq!(history["moves"][2]["reason"], "it errs");
    // Times are shown to the millisecond, and the move happened within it.
    let soon = between.replace('Z', "999Z");
    let then = project.json(0, &["model", "history", "tumours", "--at", &soon]);
    assert_eq!((&then["moves"][0]["to"], &then["moves"][0]["by"]), (&json!(1), &first["move"]["by"]));
    let before = project.json(0, &["model", "history", "tumours", "champion", "--at", "2020-01-01T00:00:00Z"]);
    assert_eq!(before["moves"], json!([]));
}

#[test]
fn what_no_gate_judged_is_moved_by_force_alone_and_with_a_reason() {
    let project = TestProject::example("breast-cancer");
    fs::remove_dir_all(project.path().join("pipelines")).unwrap();
    project.write("wasmlops.yaml", "project: tumours\n");
    project.write("pipelines/tumours.yaml", &PIPELINE.replace(", needs: [gate]", ""));
    project.json(0, &["run"]);
    let move_it = ["model", "alias", "tumours", "champion", "1", "--json"];
    assert_eq!(code(&project.wasmlops(&move_it)), (Some(2), "no-evidence".to_owned()));
    assert_eq!(project.wasmlops(&[&move_it[..], &["--force"]].concat()).code, Some(2));
    let forced = project.json(0, &["model", "alias", "tumours", "champion", "1", "--force", "--reason", "a trial"]);
    assert_eq!((&forced["move"]["forced"], &forced["move"]["reason"]), (&json!(true), &json!("a trial")));
    project.json(0, &["model", "approve", "tumours@1", "--state", "rejected", "--reason", "biased"]);
    assert_eq!(project.json(0, &["model", "show", "tumours@champion"])["approval"], "rejected");
}

#[test]
fn the_card_keeps_what_people_wrote_apart() {
    let (project, last) = project(1);
    let card = project.wasmlops(&["model", "card", "tumours@1"]).stdout;
    assert_eq!(card, project.wasmlops(&["model", "card", "tumours@1"]).stdout);
    let head = card.strip_prefix("---\n").unwrap().split("\n---\n").next().unwrap();
    for line in ["library_name: wasmlops", "pipeline_tag: tabular-classification", "  - \"breast-cancer\""] {
        assert!(head.lines().any(|found| found == line), "no `{line}` in\n{head}");
    }
    let accuracy = step(&last, "gate")["metrics"]["accuracy"].as_f64().unwrap();
    assert!(head.contains(&format!("- type: \"accuracy\"\n            value: {accuracy}\n")), "{head}");
    project.json(0, &["model", "note", "tumours@1", "For adults only."]);
    project.json(0, &["model", "tag", "tumours@1", "license=mit"]);
    let noted = project.wasmlops(&["model", "card", "tumours@1"]).stdout;
    let (generated, human) = noted.split_once("## Notes").unwrap();
    assert!(human.contains("For adults only.") && !generated.contains("adults"));
    assert!(generated.starts_with("---\nlicense: \"mit\"\n"));
}

#[test]
fn a_folder_stands_for_itself_and_a_changed_one_is_refused() {
    let (project, _) = project(1);
    let exported = project.json(0, &["model", "export", "tumours@1", "out"]);
    let files: Vec<&str> = exported["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    for file in ["version.json", "card.md", "model.json", "blob", "predictor.wasm", "transforms/0.state"] {
        assert!(files.contains(&file), "{files:?}");
    }
    assert!(files.contains(&"golden/input.arrow") && files.contains(&"golden/predictions.arrow"), "{files:?}");
    let folder = project.path().join("out");
    let used = project.wasmlops(&["model", "export", "tumours@1", "out", "--json"]);
    assert_eq!(code(&used), (Some(2), "folder-used".to_owned()));

    // Elsewhere it is the same version of the same content, with its evidence.
    let other = TestProject::empty();
    other.write("wasmlops.yaml", "project: elsewhere\n");
    let path = folder.to_str().unwrap();
    for file in ["blob", "version.json", "transforms/0.state", "golden/predictions.arrow", "card.md"] {
        let target = folder.join(file);
        let whole = fs::read(&target).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&target, bytes).unwrap();
        let refused = other.wasmlops(&["model", "import", "tumours", path]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(&format!("`{file}` cannot be trusted")), "{}", refused.stderr);
        fs::write(&target, whole).unwrap();
    }
    // A file whose sum was changed along with it is still not what the content names.
    let (blob, sums) = (folder.join("blob"), folder.join("SHA256SUMS"));
    let (whole, listed) = (fs::read(&blob).unwrap(), fs::read_to_string(&sums).unwrap());
    fs::write(&blob, fs::read(folder.join("card.md")).unwrap()).unwrap();
    let sum = |path: &str| listed.lines().find(|line| line.ends_with(path)).unwrap()[..64].to_owned();
    fs::write(&sums, listed.replace(&sum("  blob"), &sum("  card.md"))).unwrap();
    let refused = other.wasmlops(&["model", "import", "tumours", path]);
    assert!(refused.stderr.contains("`blob` cannot be trusted: it is not `blake3:"), "{}", refused.stderr);
    fs::write(&blob, whole).unwrap();
    fs::write(&sums, listed).unwrap();

    let wrong = other.wasmlops(&["model", "import", "other", path, "--json"]);
    assert_eq!(code(&wrong), (Some(2), "other-model".to_owned()));
    let imported = other.json(0, &["model", "import", "tumours", path, "--alias", "champion"]);
    assert_eq!((&imported["digest"], &imported["version"]), (&exported["digest"], &json!(1)));
    assert_eq!(imported["alias"]["forced"], false);
    let again = other.json(0, &["model", "import", "tumours", path]);
    assert_eq!((&again["created"], &again["version"]), (&json!(false), &json!(1)));
}

#[test]
fn a_foreign_model_is_judged_in_the_sandbox_before_it_is_registered() {
    let data = workspace().join("plugins/onnx-predictor/tests/data");
    let rows = fs::read(data.join("rows.f32")).unwrap();
    let (rows, _) = rows.as_chunks::<4>();
    let mut sample = "size,price,count,depth,kind,level\n".to_owned();
    for row in rows.chunks(5).take(20) {
        row.iter().for_each(|value| sample += &format!("{},", f32::from_le_bytes(*value)));
        sample += "low\n";
    }
    let project = TestProject::empty();
    project.write("wasmlops.yaml", "project: foreign\n");
    project.write("sample.csv", &sample);
    let model = data.join("forest_classifier.onnx");
    fs::write(project.path().join("broken.onnx"), &fs::read(&model).unwrap()[..500]).unwrap();

    let options = ["--format", "onnx", "--data", "sample.csv", "--classes", "high,low,middle", "--target"];
    let import = |file: &str, target: &str| {
        project.wasmlops(&[&["model", "import", "forest", file, "--json"], &options[..], &[target]].concat())
    };
    assert_eq!(code(&import("broken.onnx", "level")), (Some(2), "invalid-input".to_owned()));
    assert_eq!(code(&import(model.to_str().unwrap(), "levle")), (Some(2), "unknown-column".to_owned()));
    assert_eq!(project.json(0, &["model", "list"])["models"], json!([]));

    let first: Value = serde_json::from_str(&import(model.to_str().unwrap(), "level").stdout).unwrap();
    assert_eq!((&first["version"], &first["created"]), (&json!(1), &json!(true)), "{first:#}");
    let again: Value = serde_json::from_str(&import(model.to_str().unwrap(), "level").stdout).unwrap();
    assert_eq!((&again["version"], &again["created"]), (&json!(1), &json!(false)));
    let shown = project.json(0, &["model", "show", "forest@1"]);
    assert_eq!((&shown["content"]["origin"], &shown["evidence"]), (&json!("onnx"), &json!([])));
    let output = shown["content"]["document"]["output"]["fields"].as_array().unwrap();
    let names: Vec<&str> = output.iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["prediction", "probability.high", "probability.low", "probability.middle"]);
    // Nobody has judged it, so only force lets it be live.
    let live = project.wasmlops(&["model", "alias", "forest", "champion", "1", "--json"]);
    assert_eq!(code(&live), (Some(2), "no-evidence".to_owned()));
    project.json(0, &["model", "export", "forest@1", "out"]);
    assert!(project.path().join("out/golden/predictions.arrow").is_file());
}
