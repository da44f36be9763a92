//! What guests cannot do is tested one guest at a time in `host/engine/tests`; here is what a user sees of it.

use crate::support::{TestProject, step};

#[test]
fn a_step_sees_granted_files_alone() {
    let project = TestProject::example("breast-cancer");
    project.write("elsewhere/secret.csv", "a,b\n1,2\n");
    project.edit("pipelines/breast-cancer.yaml", "path: data/breast-cancer.csv", "path: elsewhere/secret.csv");
    let refused = project.json(2, &["run"]);
    assert_eq!(refused["error"]["code"], "path-not-granted", "{refused:#}");
    project.edit("pipelines/breast-cancer.yaml", "grants: { read: [data] }", "grants: { read: [elsewhere] }");
    let refused = project.json(2, &["run"]);
    assert!(refused["error"]["message"].as_str().unwrap().contains("elsewhere"), "{refused:#}");
}

#[test]
fn a_link_out_of_the_project_is_not_followed() {
    let project = TestProject::example("breast-cancer");
    std::os::unix::fs::symlink("/etc", project.path().join("data/outside")).unwrap();
    let failed = project.json(1, &["run"]);
    assert_eq!(step(&failed, "ingest")["error"]["code"], "grant-unreadable", "{failed:#}");
}

#[test]
fn limits_of_a_step_end_it_with_their_name() {
    let project = TestProject::example("breast-cancer");
    project.edit("pipelines/breast-cancer.yaml", "limits: { memory: 1GiB, timeout: 5m }", "limits: { memory: 1MiB }");
    let failed = project.json(1, &["run"]);
    assert_eq!(step(&failed, "train")["error"]["code"], "out-of-memory", "{failed:#}");
    assert_eq!(step(&failed, "gate")["status"], "skipped");
    project.edit("pipelines/breast-cancer.yaml", "limits: { memory: 1MiB }", "limits: { host-calls: 3 }");
    let failed = project.json(1, &["run"]);
    assert_eq!(step(&failed, "train")["error"]["code"], "host-call-budget", "{failed:#}");
}
