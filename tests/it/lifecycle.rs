//! The breast-cancer example from end to end: run, cache, verification, lineage, artifacts.

use crate::support::{TestProject, digests, each, each_computed, step};

#[test]
fn the_example_runs_is_cached_verified_and_explained() {
    let project = TestProject::example("breast-cancer");
    let first = project.json(0, &["run"]);
    assert_eq!(first["status"], "succeeded");
    assert!(each_computed(&first, "cache").iter().all(|(_, cache)| *cache == "miss"), "{first:#}");
    let auc = step(&first, "gate")["metrics"]["auc"].as_f64().unwrap();
    assert!(auc >= 0.98, "held-out AUC {auc}");

    let second = project.json(0, &["run"]);
    assert!(each_computed(&second, "cache").iter().all(|(_, cache)| *cache == "hit"), "{second:#}");
    assert_eq!(step(&second, "deploy")["cache"], "off");
    assert_eq!(digests(&first), digests(&second));
    assert_eq!(step(&second, "gate")["metrics"]["auc"].as_f64(), Some(auc));

    let id = first["run"].as_str().unwrap();
    let verified = project.json(0, &["verify", id]);
    assert!(each_computed(&verified, "result").iter().all(|(_, result)| *result == "equal"), "{verified:#}");
    assert_eq!(step(&verified, "deploy")["result"], "captured");

    let model = step(&first, "train")["outputs"]["model"]["digest"].as_str().unwrap();
    let lineage = project.json(0, &["lineage", model]);
    let roles: Vec<&str> =
        lineage["upstream"].as_array().unwrap().iter().filter_map(|edge| edge["role"].as_str()).collect();
    assert!(roles.contains(&"file:data/breast-cancer.csv"), "{roles:?}");
    assert!(roles.contains(&"input:features") && roles.contains(&"component"), "{roles:?}");
    let shown = project.json(0, &["runs", "show", &id[..12]]);
    assert_eq!(digests(&shown), digests(&first));
}

#[test]
fn the_same_work_elsewhere_gives_the_same_bytes() {
    let [one, other] = [(); 2].map(|()| TestProject::example("breast-cancer"));
    assert_eq!(digests(&one.json(0, &["run"])), digests(&other.json(0, &["run"])));
}

#[test]
fn a_project_for_a_csv_file_runs_and_gates_at_once() {
    let project = TestProject::empty();
    let mut rows = String::from("size,colour,price,class\n");
    for row in 0..200 {
        let colour = ["red", "green", "blue"][row % 3];
        let class = if (row * 7) % 200 > 100 { "large" } else { "small" };
        rows += &format!("{},{colour},{}.5,{class}\n", (row * 7) % 200, 3 * ((row * 7) % 200) + 10);
    }
    project.write("Shapes 2.csv", &rows);
    for (target, task) in [("class", "binary"), ("colour", "multiclass"), ("price", "regression")] {
        let folder = format!("for-{target}");
        let made = project.json(0, &["init", &folder, "--data", "Shapes 2.csv", "--target", target]);
        assert!(made["about"].as_str().unwrap().contains(task), "{made}");
        let run = project.json_maybe(&["run", "--project", &folder]);
        let statuses = each(&run, "status");
        assert_eq!(statuses.len(), 6, "{run:#}");
        // Colours are unrelated to the rest: their gate may fail, and then says why.
        let last = statuses[5].1;
        assert!(last == "succeeded" || (target == "colour" && last == "failed"), "{run:#}");
    }
    let wrong = project.json(2, &["init", "wrong", "--data", "Shapes 2.csv", "--target", "clas"]);
    assert_eq!(wrong["error"]["hint"], "did you mean `class`?");
    assert!(!project.path().join("wrong").exists());
}

#[test]
fn tables_can_be_exported_and_reports_shown() {
    let project = TestProject::empty();
    project.json(0, &["init", "sample"]);
    let run = project.json(0, &["run", "--project", "sample"]);
    let table = format!("{}/split.test", run["run"].as_str().unwrap());
    for file in ["test.csv", "test.parquet", "test.arrow"] {
        project.json(0, &["artifact", "export", &table, file, "--project", "sample"]);
    }
    assert_eq!(project.read("test.csv").lines().count(), 144);
    let shown = project.json(0, &["artifact", "show", &table, "--project", "sample"]);
    assert_eq!(shown["rows"], 143);
    let report = format!("{}/gate.report", run["run"].as_str().unwrap());
    let report = project.json(0, &["artifact", "show", &report, "--project", "sample"]);
    assert_eq!(report["document"]["passed"], true);
    let refused = project.json(2, &["artifact", "export", &table, "test.xlsx", "--project", "sample"]);
    assert_eq!(refused["error"]["code"], "unknown-format");
}

#[test]
fn a_run_can_be_stopped_and_gone_on_with() {
    let project = TestProject::example("breast-cancer");
    // A gate that nothing passes.
    project.edit("pipelines/breast-cancer.yaml", "auc: 0.98", "auc: 1.1");
    let failed = project.json(1, &["run"]);
    assert_eq!(step(&failed, "gate")["status"], "failed");
    assert_eq!(step(&failed, "gate")["error"]["code"], "gate-failed");
    assert!(step(&failed, "gate")["outputs"]["report"]["digest"].is_string(), "the report is kept");
    let id = failed["run"].as_str().unwrap();
    let again = project.json(1, &["runs", "resume", id]);
    assert_eq!(step(&again, "gate")["attempts"], 2);
    assert_eq!(step(&again, "train")["attempts"], 1);
    let refused = project.json(2, &["runs", "cancel", id]);
    assert_eq!(refused["error"]["code"], "run-ended");
}
