//! What makes a step run again, and what `plan` says of it.

use serde_json::Value;

use crate::support::{TestProject, each, each_computed, step};

const PIPELINE: &str = "pipelines/breast-cancer.yaml";

fn ran() -> TestProject {
    let project = TestProject::example("breast-cancer");
    project.json(0, &["run"]);
    project
}

fn reason<'a>(plan: &'a Value, name: &str) -> &'a str {
    step(plan, name)["reason"].as_str().unwrap()
}

#[test]
fn nothing_changed_is_all_hits() {
    let plan = ran().json(0, &["plan"]);
    assert!(each_computed(&plan, "cache").iter().all(|(_, cache)| *cache == "hit"), "{plan:#}");
    // All but the deployment, which is an effect.
    assert_eq!((&plan["hits"], &plan["misses"]), (&10.into(), &1.into()));
}

#[test]
fn a_byte_of_the_data_is_named() {
    let project = ran();
    project.edit("data/breast-cancer.csv", "17.99", "17.98");
    let plan = project.json(0, &["plan"]);
    assert_eq!(reason(&plan, "ingest"), "file `data/breast-cancer.csv` changed");
    for name in ["quality", "split", "features", "train", "gate"] {
        assert!(reason(&plan, name).ends_with("file `data/breast-cancer.csv` changed"), "{plan:#}");
    }
    // The plan is what the run does.
    let run = project.json(0, &["run"]);
    assert!(each_computed(&run, "cache").iter().all(|(_, cache)| *cache == "miss"), "{run:#}");
}

#[test]
fn a_parameter_is_named() {
    let plan = ran().json(0, &["plan", "--param", "seed=8"]);
    assert_eq!(reason(&plan, "split"), "`with.seed` changed from 7 to 8 (`params.seed`)");
    assert_eq!(step(&plan, "ingest")["cache"], "hit");
    assert_eq!(step(&plan, "quality")["cache"], "hit");
    assert!(reason(&plan, "gate").ends_with("`with.seed` changed from 7 to 8 (`params.seed`)"), "{plan:#}");
}

#[test]
fn a_key_of_the_configuration_is_named() {
    let project = ran();
    project.edit(PIPELINE, "accuracy: 0.93", "accuracy: 0.92");
    let plan = project.json(0, &["plan"]);
    assert_eq!(reason(&plan, "gate"), "`with.min.accuracy` changed from 0.93 to 0.92");
    assert_eq!(step(&plan, "train")["cache"], "hit");
}

#[test]
fn a_version_of_a_plugin_is_named() {
    let project = ran();
    let component = wasmlops_plugins::standard().iter().find(|plugin| plugin.name == "split").unwrap();
    let newer = with_version(component.bytes, "0.1.0", "0.1.9");
    std::fs::create_dir_all(project.path().join("plugins")).unwrap();
    std::fs::write(project.path().join("plugins/split.wasm"), newer).unwrap();
    project.edit("wasmlops.yaml", "split: ^0.1", "split: { version: ^0.1, path: plugins/split.wasm }");
    let plan = project.json(0, &["plan"]);
    let text = reason(&plan, "split");
    assert!(text.starts_with("plugin changed from split 0.1.0 (") && text.contains(" to split 0.1.9 ("), "{text}");
    assert_eq!(step(&plan, "ingest")["cache"], "hit");
    let run = project.json(0, &["run"]);
    assert_eq!(step(&run, "split")["cache"], "miss");
    // Another version made the same rows: what depends on them need not run.
    assert_eq!(step(&run, "train")["cache"], "hit");
}

/// Another version in the manifest, and so other bytes.
fn with_version(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    let (from, to) = (format!("\"version\":\"{from}\""), format!("\"version\":\"{to}\""));
    assert_eq!(from.len(), to.len());
    let mut bytes = component.to_vec();
    let place = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("a manifest");
    bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn a_damaged_result_is_made_again() {
    let project = ran();
    let run = project.json(0, &["run"]);
    let digest = step(&run, "split")["outputs"]["train"]["digest"].as_str().unwrap();
    let hex = digest.strip_prefix("blake3:").unwrap();
    let found = find(&project.path().join(".wasmlops/blobs"), &hex[2..]);
    std::fs::remove_file(found).unwrap();
    let plan = project.json(0, &["plan"]);
    assert!(reason(&plan, "split").contains("no longer in the store"), "{plan:#}");
    let again = project.json(0, &["run"]);
    assert_eq!(step(&again, "split")["outputs"]["train"]["digest"], digest);
}

fn find(folder: &std::path::Path, ending: &str) -> std::path::PathBuf {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                return path;
            }
        }
    }
    panic!("no blob ends in {ending}")
}

#[test]
fn only_a_step_that_asks_for_the_time_depends_on_it() {
    let project = TestProject::empty();
    project.write("rows.csv", "at,x\n2026-01-01T00:00:00Z,1\n2026-01-02T00:00:00Z,2\n");
    project.write(
        "fresh.yaml",
        "pipeline: fresh\nsteps:\n  \
         ingest: { uses: csv-source, with: { path: rows.csv }, grants: { read: [rows.csv] } }\n  \
         quality:\n    uses: data-quality\n    inputs: { table: ingest.table }\n    \
         with: { rules: [ { column: at, fresh_within: 7d } ] }\n",
    );
    let at = |code: i32, time: &str| project.json(code, &["run", "fresh.yaml", "--nominal-time", time]);
    at(0, "2026-01-03T00:00:00Z");
    let same = at(0, "2026-01-03T00:00:00Z");
    assert_eq!(each(&same, "cache"), [("ingest", "hit"), ("quality", "hit")]);
    let later = at(1, "2026-02-03T00:00:00Z");
    assert_eq!(each(&later, "cache"), [("ingest", "hit"), ("quality", "miss")]);
    assert_eq!(reason(&later, "quality"), "the step asks for the time, and the nominal time changed");
    // The recorded time is what the verification uses.
    let first = project.json(0, &["verify", same["run"].as_str().unwrap()]);
    assert_eq!(first["result"], "equal");
}
