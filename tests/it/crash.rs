//! A run whose process is killed goes on, and ends as if nothing had happened.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use wasmlops_package::Digest;

use crate::support::{TestProject, digests};

const ROUNDS: u64 = 50;

const PIPELINE: &str = r#"
pipeline: many
steps:
  ingest:   { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
  split:    { uses: split, inputs: { table: ingest.table }, matrix: { seed: [1, 2, 3, 4] },
              with: { test: 0.25, stratify: benign, seed: "${{ matrix.seed }}" } }
  features: { uses: tabular-features, inputs: { table: split.train }, with: { target: benign } }
  train:    { uses: linear-model, inputs: { train: split.train, features: features.state },
              with: { task: binary, target: benign } }
  gate:     { uses: model-gate, inputs: { model: train.model, table: split.test }, with: { min: { auc: 0.9 } } }
"#;

fn project() -> TestProject {
    let project = TestProject::example("breast-cancer");
    project.write("many.yaml", PIPELINE);
    project
}

#[test]
fn a_killed_run_goes_on_to_the_same_end() {
    let undisturbed = project();
    let expected = digests(&undisturbed.json(0, &["run", "many.yaml"]));
    // Again for the time that it takes once the plugins are compiled.
    let begun = Instant::now();
    undisturbed.json(0, &["run", "many.yaml", "--no-cache"]);
    let usual = begun.elapsed();
    assert_eq!(expected.len(), 2 + 4 * 6);

    let mut resumed = 0;
    for round in 0..ROUNDS {
        let project = project();
        let mut child =
            project.command(&["run", "many.yaml", "--json"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        // Spread over the run's usual time, in another order than rising.
        let moment = usual.mul_f64((round * 37 % ROUNDS) as f64 / ROUNDS as f64);
        std::thread::sleep(moment.max(Duration::from_millis(1)));
        child.kill().unwrap();
        child.wait().unwrap();

        let runs = project.json(0, &["runs", "list"]);
        let Some(run) = runs["runs"].as_array().unwrap().first() else { continue };
        let id = run["run"].as_str().unwrap();
        let ended = if run["status"] == "succeeded" {
            project.json(0, &["runs", "show", id])
        } else {
            resumed += 1;
            project.json(0, &["runs", "resume", id])
        };
        assert_eq!(ended["status"], "succeeded", "round {round}");
        assert_eq!(digests(&ended), expected, "round {round}");
        assert_eq!(rows(&ended), 569 * 5, "round {round}");
        every_blob_is_whole(&project.path().join(".wasmlops/blobs"));
    }
    assert!(resumed >= ROUNDS / 3, "only {resumed} of {ROUNDS} runs were killed under way");
}

/// Rows of all tables: each of the four splits has all rows once, and so has the file.
fn rows(run: &Value) -> u64 {
    let steps = run["steps"].as_array().unwrap().iter();
    steps
        .flat_map(|step| step["outputs"].as_object().unwrap().values())
        .filter_map(|output| output["rows"].as_u64())
        .sum()
}

/// Every file under the artifacts is named by the digest of its bytes.
fn every_blob_is_whole(blobs: &Path) {
    for algorithm in ["blake3", "sha256"] {
        for folder in fs::read_dir(blobs.join(algorithm)).into_iter().flatten().flatten() {
            for file in fs::read_dir(folder.path()).unwrap().flatten() {
                let bytes = fs::read(file.path()).unwrap();
                let name = format!("{}{}", folder.file_name().to_string_lossy(), file.file_name().to_string_lossy());
                let digest = match algorithm {
                    "blake3" => Digest::blake3(&bytes),
                    _ => Digest::sha256(&bytes),
                };
                assert_eq!(digest.hex(), name);
            }
        }
    }
}
