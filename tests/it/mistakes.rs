//! Mistakes that users make: each folder under `tests/mistakes` holds a pipeline, its data and what is said of it.
//! `BLESS=1` rewrites the expectations.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::{TestProject, copy, workspace};

#[test]
fn every_mistake_is_explained() {
    let folder = workspace().join("tests/mistakes");
    let mut cases: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 9, "the cases are gone");
    let mut differences = String::new();
    for case in cases {
        let project = TestProject::empty();
        copy(&case, project.path());
        let actual = said(&project);
        let expected = case.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &actual).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != actual {
            let _ = write!(differences, "\n{}\n{actual}", case.display());
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// The exit code, then every error with its place and its fix.
fn said(project: &TestProject) -> String {
    let ended = project.wasmlops(&["run", "pipeline.yaml", "--json"]);
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    let errors: Vec<&Value> = match (&answer["errors"], &answer["error"], &answer["steps"]) {
        (Value::Array(errors), ..) => errors.iter().collect(),
        (_, error @ Value::Object(_), _) => vec![error],
        (_, _, Value::Array(steps)) => steps.iter().map(|step| &step["error"]).filter(|e| e.is_object()).collect(),
        _ => panic!("{answer:#}"),
    };
    let mut text = format!("exit {}\n", ended.code.unwrap());
    for error in errors {
        let field = |name: &str| match &error[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let place = format!("{}:{}:{}", field("file"), field("line"), field("column"));
        let _ = write!(text, "\n{} at {place}\n{}\nhint: {}\n", field("code"), field("message"), field("hint"));
    }
    text
}
