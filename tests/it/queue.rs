//! Runs that wait for a server: it may be killed at any moment, and each of them comes to its end once.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{TestProject, digests};

const PIPELINE: &str = r#"
pipeline: small
params:
  seed: { type: integer }
steps:
  ingest:   { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
  split:    { uses: split, inputs: { table: ingest.table },
              with: { test: 0.25, stratify: benign, seed: "${{ params.seed }}" } }
  features: { uses: tabular-features, inputs: { table: split.train }, with: { target: benign } }
  train:    { uses: linear-model, inputs: { train: split.train, features: features.state },
              with: { task: binary, target: benign } }
"#;

const RUNS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(240);

struct Server(Child);

impl Server {
    fn start(project: &TestProject) -> Self {
        let mut command = project.command(&["serve", "--open", "--bind", "127.0.0.1:0"]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// In good order.
    fn stop(mut self) -> Option<i32> {
        assert!(std::process::Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn project() -> TestProject {
    let project = TestProject::example("breast-cancer");
    project.write("pipelines/small.yaml", PIPELINE);
    project
}

/// Ids by seed.
fn submit(project: &TestProject) -> BTreeMap<usize, String> {
    let ids = (0..RUNS).map(|seed| {
        let param = format!("seed={seed}");
        let view = project.json(0, &["run", "small", "--detach", "--no-cache", "--param", &param]);
        assert_eq!(view["status"], "scheduled");
        (seed, view["run"].as_str().unwrap().to_owned())
    });
    ids.collect()
}

fn statuses(project: &TestProject) -> BTreeMap<String, String> {
    let listed = project.json(0, &["runs", "list", "--pipeline", "small"]);
    let text = |run: &Value, field: &str| run[field].as_str().unwrap().to_owned();
    listed["runs"].as_array().unwrap().iter().map(|run| (text(run, "run"), text(run, "status"))).collect()
}

fn until(project: &TestProject, is: impl Fn(&BTreeMap<String, String>) -> bool) {
    let begun = Instant::now();
    while !is(&statuses(project)) {
        assert!(begun.elapsed() < PATIENCE, "{:#?}", statuses(project));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ended(statuses: &BTreeMap<String, String>) -> usize {
    statuses.values().filter(|status| matches!(status.as_str(), "succeeded" | "failed" | "cancelled")).count()
}

/// Every run succeeded, made what a run that nobody disturbed makes, and each of its steps ended once.
fn check(project: &TestProject, ids: &BTreeMap<usize, String>) {
    let expected = digests(&project.json(0, &["run", "small", "--no-cache", "--param", "seed=0"]));
    for (seed, id) in ids {
        let run = project.json(0, &["runs", "show", id]);
        assert_eq!(run["status"], "succeeded", "{run:#}");
        assert_eq!(digests(&run).len(), expected.len());
        if *seed == 0 {
            assert_eq!(digests(&run), expected);
        }
    }
    let queue = project.json(0, &["runs", "queue"]);
    assert_eq!((queue["waiting"].as_u64(), queue["runs"].as_array().unwrap().len()), (Some(0), 0));
}

#[test]
fn a_killed_server_leaves_its_runs_to_the_next_one() {
    let project = project();
    let ids = submit(&project);
    // Each server is killed once it has ended two more runs, so somewhere in the middle of the others.
    for goal in [2, 4, 6] {
        let server = Server::start(&project);
        until(&project, |statuses| ended(statuses) >= goal);
        drop(server);
    }
    let _server = Server::start(&project);
    until(&project, |statuses| ended(statuses) == RUNS);
    check(&project, &ids);
}

#[test]
fn a_stopped_server_cancels_nothing() {
    let project = project();
    let ids = submit(&project);
    let first = ids[&0].clone();
    let server = Server::start(&project);
    until(&project, |statuses| statuses[&first] != "scheduled");
    assert_eq!(server.stop(), Some(0));
    let left = statuses(&project);
    assert!(left.values().all(|status| !matches!(status.as_str(), "failed" | "cancelled")), "{left:#?}");
    let queue = project.json(0, &["runs", "queue"]);
    assert!(queue["runs"].as_array().unwrap().iter().all(|run| run["state"] == "queued"), "{queue:#}");

    // One of those that wait is stopped at once, without a server.
    let waiting = ids.values().rev().find(|id| left[*id] == "scheduled");
    if let Some(id) = waiting {
        assert_eq!(project.json(0, &["runs", "cancel", id])["status"], "cancelled");
        assert_eq!(project.json(0, &["runs", "resume", id])["status"], "succeeded");
    }
    let _server = Server::start(&project);
    until(&project, |statuses| ended(statuses) == RUNS);
    check(&project, &ids);
}

#[test]
fn what_a_server_cannot_run_is_refused_at_once() {
    let project = project();
    project.write("apart.yaml", PIPELINE);
    let refused = project.json(2, &["run", "apart.yaml", "--detach", "--param", "seed=1"]);
    assert_eq!(refused["error"]["code"], "unknown-pipeline");
    let refused = project.json(2, &["run", "small", "--detach", "--param", "seed=1", "--priority", "101"]);
    assert_eq!(refused["error"]["code"], "wrong-value");
    project.edit("wasmlops.yaml", "project:", "concurrency: { runs: 1, queued: 1 }\nproject:");
    project.json(0, &["run", "small", "--detach", "--param", "seed=1"]);
    let refused = project.json(2, &["run", "small", "--detach", "--param", "seed=2"]);
    assert_eq!(refused["error"]["code"], "queue-full");
}
