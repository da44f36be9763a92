//! A secret with a known value goes through everything that can leave a trace, and is then looked for in every file and
//! in everything that was printed.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use base64::Engine;

use crate::support::{Ended, TestProject, step};

const CANARY: &str = "canary-7f3b19d4e2";

/// The value as a guest may write it.
fn forms() -> Vec<String> {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![CANARY.to_owned(), hex, base64::engine::general_purpose::STANDARD_NO_PAD.encode(CANARY)]
}

fn holds(bytes: &[u8]) -> bool {
    forms().iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
}

/// The files below a folder that hold the secret.
fn found_below(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found_below(&path, found);
        } else if holds(&fs::read(&path).unwrap()) {
            found.push(path.display().to_string());
        }
    }
}

fn set(project: &TestProject, name: &str, value: &str) -> Ended {
    let mut child = project
        .command(&["secret", "set", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: ended.status.code(), stdout: text(ended.stdout), stderr: text(ended.stderr) }
}

#[test]
fn a_secret_leaves_no_trace() {
    let project = TestProject::example("breast-cancer");
    let mut printed = String::new();
    let mut note = |ended: &Ended| printed.push_str(&format!("{}{}", ended.stdout, ended.stderr));
    let ended = set(&project, "CANARY", &format!("{CANARY}\n"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    note(&ended);

    // Without the grant, and without the project's word, there is none.
    project.edit("pipelines/breast-cancer.yaml", "path: data/breast-cancer.csv", "path: { secret: CANARY }");
    assert_eq!(project.json(2, &["plan"])["error"]["code"], "secret-not-granted");
    project.edit("pipelines/breast-cancer.yaml", "{ read: [data] }", "{ read: [data], secrets: [CANARY] }");
    assert_eq!(project.json(2, &["plan"])["error"]["code"], "grant-beyond-policy");
    project.edit("wasmlops.yaml", "  read: [data]\n", "  read: [data]\n  secrets: [CANARY]\n");

    // The guest says what it cannot open: in an error.
    let planned = project.json(0, &["plan"]);
    assert_eq!(step(&planned, "ingest")["grants"]["secrets"][0], "CANARY");
    assert_eq!(step(&planned, "ingest")["cache"], "off");
    let failed = project.json(1, &["run"]);
    let error = &step(&failed, "ingest")["error"];
    assert!(error["message"].as_str().unwrap().contains("[secret]"), "{error:#}");
    let run = failed["run"].as_str().unwrap().to_owned();

    // Another guest writes it into its report: that is not kept.
    project.edit("pipelines/breast-cancer.yaml", "path: { secret: CANARY }", "path: data/breast-cancer.csv");
    project.edit("pipelines/breast-cancer.yaml", ", secrets: [CANARY]", "");
    let rule = "{ column: benign, allowed: [0, 1] }";
    project.edit("pipelines/breast-cancer.yaml", rule, "{ column: benign, allowed: [0, 1, { secret: CANARY }] }");
    let quality = "uses: data-quality@^0.1\n    inputs";
    let granted = "uses: data-quality@^0.1\n    grants: { secrets: [CANARY] }\n    inputs";
    project.edit("pipelines/breast-cancer.yaml", quality, granted);
    let leaked = project.json(1, &["run"]);
    assert_eq!(step(&leaked, "quality")["error"]["code"], "secret-leaked", "{leaked:#}");
    assert!(step(&leaked, "quality")["outputs"].as_object().unwrap().is_empty());

    for arguments in [
        ["runs", "show", &run].as_slice(),
        &["runs", "logs", &run],
        &["run", "--verbose"],
        &["secret", "list"],
        &["audit", "export"],
        &["audit", "verify"],
        &["gc", "--dry-run", "--json"],
        &["secret", "remove", "CANARY"],
    ] {
        note(&project.wasmlops(arguments));
    }
    assert!(!holds(format!("{printed}{planned}{failed}{leaked}").as_bytes()), "{printed}");
    let mut found = Vec::new();
    found_below(project.path(), &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert!(project.wasmlops(&["audit", "export"]).stdout.contains("secret.removed"));
}

#[test]
fn the_key_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let project = TestProject::example("breast-cancer");
    assert_eq!(set(&project, "A", "correct horse").code, Some(0));
    let key = project.path().join(".wasmlops/secret.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = set(&project, "B", "battery staple");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("chmod 600"), "{refused:?}");
    let bad = project.command(&["secret", "list"]).env("WASMLOPS_SECRET_KEY", "short").output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
}
