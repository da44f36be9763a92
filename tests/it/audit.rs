//! `wasmlops audit`: what a person keeps of it shows a cut end.

use crate::support::TestProject;

#[test]
fn verifies_and_exports() {
    let project = TestProject::example("breast-cancer");
    project.json(0, &["run"]);
    let first = project.json(0, &["audit", "verify"]);
    let (head, records) = (first["head"].as_str().unwrap(), first["records"].as_i64().unwrap());
    assert!(first["intact"].as_bool().unwrap() && records > 2, "{first}");
    project.json(0, &["run"]);
    let count = records.to_string();
    let known = project.json(0, &["audit", "verify", "--head", head, "--records", &count]);
    assert!(known["records"].as_i64().unwrap() > records);
    let exported = project.wasmlops(&["audit", "export", "--from", "2", "--to", &count]).stdout;
    let lines: Vec<serde_json::Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len() as i64, records - 1);
    assert_eq!(lines[0]["seq"], 2);
    assert!(lines.windows(2).all(|pair| pair[0]["hash"] == pair[1]["previous"]));
    assert_eq!(lines.last().unwrap()["hash"], head);

    // What was noted elsewhere is not in another project's chain, nor in one whose end was cut off.
    let other = TestProject::example("breast-cancer");
    other.json(0, &["run"]);
    assert!(other.json(1, &["audit", "verify", "--head", head])["problem"].as_str().unwrap().contains("cut off"));
    assert_eq!(other.json(1, &["audit", "verify", "--records", "100000"])["intact"], false);
    assert_eq!(other.json(2, &["audit", "verify", "--head", "x"])["error"]["code"], "invalid-head");
}
