//! The same commands at a server: what they do there, what they print, and what has no meaning there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{Ended, TestProject, step};

/// A server that asks for tokens, and its first one.
struct Remote {
    child: Child,
    url: String,
    token: String,
    /// The commands are called elsewhere: nothing of the project is at hand.
    elsewhere: TestProject,
}

impl Remote {
    fn start(project: &TestProject) -> Self {
        let mut command = project.command(&["serve", "--bind", "127.0.0.1:0", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        Self { child, url: text("listening"), token: text("admin_token"), elsewhere: TestProject::empty() }
    }

    fn wasmlops(&self, token: &str, arguments: &[&str]) -> Ended {
        let mut command = self.elsewhere.command(&[&["--server", &self.url], arguments].concat());
        command.env("WASMLOPS_TOKEN", token);
        Ended::of(command.output().unwrap())
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let ended = self.wasmlops(&self.token, &[&["--json"], arguments].concat());
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ended.stdout))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_model_goes_its_way_at_a_server() {
    let project = TestProject::example("breast-cancer");
    let server = Remote::start(&project);

    let planned = server.json(0, &["plan", "breast-cancer"]);
    assert_eq!(step(&planned, "train")["cache"], "miss");
    let run = server.json(0, &["run", "breast-cancer", "--param", "seed=11"]);
    assert_eq!(
        (&run["status"], &run["params"]["seed"], &run["origin"]),
        (&json!("succeeded"), &json!(11), &json!("api"))
    );
    let id = run["run"].as_str().unwrap();
    let listed = server.json(0, &["runs", "list", "--pipeline", "breast-cancer"]);
    assert_eq!(listed["runs"][0]["run"], id);
    assert_eq!(server.json(0, &["runs", "show", id])["run"], id);
    assert!(server.json(0, &["runs", "logs", id])["lines"].is_array());
    assert_eq!(server.json(0, &["lineage", id])["id"], id);

    let made = &step(&run, "train")["outputs"]["model"];
    let digest = made["digest"].as_str().unwrap();
    server.json(0, &["artifact", "show", digest]);
    let bytes = server.wasmlops(&server.token, &["artifact", "cat", digest]);
    assert_eq!((bytes.code, bytes.stdout.is_empty()), (Some(0), false));

    assert_eq!(server.json(0, &["model", "list"])["models"][0]["model"], "breast-cancer");
    server.json(0, &["model", "show", "breast-cancer@1"]);
    let moved = server.json(0, &["model", "alias", "breast-cancer", "challenger", "1", "--expect", "none"]);
    assert_eq!(moved["changed"], true, "{moved}");
    server.json(0, &["model", "tag", "breast-cancer@1", "owner=ann"]);
    server.json(0, &["model", "history", "breast-cancer", "challenger"]);
    assert!(server.wasmlops(&server.token, &["model", "card", "breast-cancer@1"]).stdout.contains("breast-cancer"));
    server.json(0, &["endpoint", "list"]);
    server.json(0, &["monitor", "list"]);
    server.json(0, &["plugin", "list"]);
    server.json(0, &["schedule", "list"]);
    server.json(0, &["trigger", "list"]);
    server.json(0, &["approvals", "list"]);
    server.json(0, &["runs", "queue"]);
    server.json(0, &["gc", "--dry-run"]);
    assert_eq!(server.json(0, &["audit", "verify"])["intact"], true);
    let exported = server.wasmlops(&server.token, &["audit", "export"]);
    assert!(exported.stdout.lines().count() > 5, "{}", exported.stdout);

    // For people.
    let shown = server.wasmlops(&server.token, &["runs", "show", id]).stdout;
    assert!(shown.contains("train") && shown.contains("succeeded"), "{shown}");
    let listed = server.wasmlops(&server.token, &["runs", "list"]).stdout;
    assert!(listed.starts_with("run "), "{listed}");
}

#[test]
fn who_may_not_is_told_what_to_do() {
    let project = TestProject::empty();
    project.write("wasmlops.yaml", "project: p\n");
    let server = Remote::start(&project);
    let made = server.json(0, &["token", "create", "watcher", "--role", "viewer"]);
    let viewer = made["token"].as_str().unwrap();
    let refused = server.wasmlops(viewer, &["token", "list"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("access:administer") || refused.stderr.contains("access"), "{}", refused.stderr);
    let unknown = server.wasmlops("wml_wrong", &["runs", "list"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("hint:"), "{}", unknown.stderr);
    let missing = server.wasmlops(viewer, &["runs", "show", "0123"]);
    assert!(missing.code == Some(2) && !missing.stderr.contains("panicked"), "{}", missing.stderr);

    let local = server.wasmlops(viewer, &["verify", "0123"]);
    assert!(local.code == Some(2) && local.stderr.contains("leave out `--server`"), "{}", local.stderr);
    let elsewhere = project.wasmlops(&["--server", "http://127.0.0.1:1", "runs", "list"]);
    assert!(elsewhere.code == Some(2) && elsewhere.stderr.contains("no answer from"), "{}", elsewhere.stderr);
    let mut clear = project.command(&["--server", "http://ml.example.org", "runs", "list"]);
    let clear = Ended::of(clear.env("WASMLOPS_TOKEN", viewer).output().unwrap());
    assert!(clear.code == Some(2) && clear.stderr.contains("https"), "{}", clear.stderr);
}
