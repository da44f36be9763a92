//! Whether columns are found, left out and judged as promised; the statistics have their own tests.

use serde_json::json;
use wasmlops_sdk::ErrorCode;

use super::*;

fn observed(options: serde_json::Value, window: Table, reference: &Table) -> Result<Vec<Finding>> {
    let options: Options = serde_json::from_value(options).unwrap();
    let window = Window { rows: window, start: None, end: None };
    observe(&options, Subject::Features, &window, Some(reference))
}

fn ramp(rows: u32, shift: f64) -> Column {
    Column::from_f64((0..rows).map(|row| f64::from(row * 7919 % rows) / f64::from(rows) + shift))
}

fn find<'a>(findings: &'a [Finding], column: &str, statistic: &str) -> &'a Finding {
    let found = findings.iter().find(|f| f.column.as_deref().unwrap_or("") == column && f.statistic == statistic);
    found.unwrap_or_else(|| panic!("no `{statistic}` of `{column}`: {findings:?}"))
}

#[test]
fn a_table_does_not_drift_from_itself() {
    for rows in [100, 1500] {
        let table = || {
            Table::from_columns([
                ("x", ramp(rows, 0.0)),
                ("few", Column::from_s64((0..i64::from(rows)).map(|row| row % 3))),
                ("flag", Column::from_bool((0..rows).map(|row| row % 2 == 0))),
                ("text", Column::from_text((0..rows).map(|row| ["a", "b", "c", "d"][row as usize % 4]))),
                ("label", Column::from_s64((0..i64::from(rows)).map(|_| 1))),
                ("_id", Column::from_text((0..rows).map(|_| "i"))),
                ("prediction", ramp(rows, 0.0)),
            ])
        };
        let findings = observed(json!({}), table(), &table()).unwrap();
        assert!(findings.iter().all(|finding| !finding.found), "{findings:?}");
        let names: Vec<_> =
            findings.iter().map(|f| (f.column.as_deref().unwrap_or("-"), f.statistic.as_str())).collect();
        let expected = match rows {
            100 => ["ks", "chisquare", "z", "chisquare"],
            _ => ["wasserstein", "jensenshannon", "jensenshannon", "jensenshannon"],
        };
        assert_eq!(
            names,
            [
                ("x", expected[0]),
                ("few", expected[1]),
                ("flag", "new_values"),
                ("flag", expected[2]),
                ("text", "new_values"),
                ("text", expected[3]),
                ("-", "share_drifted")
            ]
        );
    }
}

#[test]
fn what_moved_is_found_and_a_few_rows_are_not_judged() {
    let reference = Table::from_columns([("x", ramp(2000, 0.0)), ("y", ramp(2000, 0.0))]);
    let window = |rows| Table::from_columns([("x", ramp(rows, 0.5)), ("y", ramp(rows, 0.0))]);
    let findings = observed(json!({}), window(300), &reference).unwrap();
    assert!(find(&findings, "x", "wasserstein").found && !find(&findings, "y", "wasserstein").found);
    let all = find(&findings, "", "share_drifted");
    assert_eq!((all.value, all.threshold, all.found), (0.5, Some(0.5), true));
    let findings = observed(json!({}), window(29), &reference).unwrap();
    let x = find(&findings, "x", "wasserstein");
    assert!(x.value.is_nan() && !x.found && x.window_rows == 29);
    assert_eq!(x.message, "`x` is not judged: the window has 29 values, and 30 are needed");
    assert!(!find(&findings, "", "share_drifted").found);
}

#[test]
fn a_distance_that_chance_gives_is_not_drift() {
    let reference = Table::from_columns([("x", ramp(2000, 0.0))]);
    let window = || Table::from_columns([("x", ramp(40, 0.06))]);
    let x = observed(json!({}), window(), &reference).unwrap().swap_remove(0);
    assert!(x.value >= 0.1 && !x.found && x.message.contains("chance"), "{x:?}");
    let x = observed(json!({ "significance": 1.0 }), window(), &reference).unwrap().swap_remove(0);
    assert!(x.found);
}

#[test]
fn missing_infinite_and_new_values_are_findings_of_their_own() {
    let reference = Table::from_columns([
        ("x", ramp(200, 0.0)),
        ("text", Column::from_categories((0..200).map(|row| ["a", "b"][row % 2]))),
    ]);
    let half = |row: u32| match row % 4 {
        0 => Some(f64::INFINITY),
        1 => None,
        2 => Some(f64::NAN),
        _ => Some(f64::from(row) / 200.0),
    };
    let window = Table::from_columns([
        ("x", Column::from_f64((0..200).map(half))),
        ("text", Column::from_text((0..200).map(|row| if row < 10 { Some("new") } else { Some("a") }))),
    ]);
    let findings = observed(json!({}), window, &reference).unwrap();
    let missing = find(&findings, "x", "missing_share");
    assert_eq!((missing.value, missing.found, missing.signal.as_str()), (0.75, true, "data-quality"));
    assert!(missing.message.contains("50 of them infinite"), "{}", missing.message);
    assert_eq!(find(&findings, "x", "ks").window_rows, 50);
    let new = find(&findings, "text", "new_values");
    assert_eq!((new.value, new.found), (0.05, true));
    assert!(new.message.contains("`new`"));
}

#[test]
fn constant_empty_and_absent_columns() {
    let columns = |constant: f64, empty: Option<f64>| {
        [
            ("constant", Column::from_f64((0..2000).map(|_| constant))),
            ("empty", Column::from_f64((0..2000).map(move |_| empty))),
        ]
    };
    let gone = ("gone", Column::from_f64((0..2000).map(f64::from)));
    let reference = Table::from_columns(columns(1.0, None).into_iter().chain([gone]));
    let same = observed(json!({}), Table::from_columns(columns(1.0, None)), &reference).unwrap();
    assert_eq!(find(&same, "constant", "jensenshannon").value, 0.0);
    let empty = find(&same, "empty", "z");
    assert!(empty.value.is_nan() && !empty.found && empty.message.contains("0 values"), "{}", empty.message);
    assert_eq!(find(&same, "empty", "missing_share").value, 0.0);
    assert!(find(&same, "gone", "type").found);
    let other = observed(json!({}), Table::from_columns(columns(1.1, Some(1.0))), &reference).unwrap();
    assert_eq!(find(&other, "constant", "jensenshannon").value, 1.0);
    assert!(find(&other, "empty", "missing_share").found);
}

#[test]
fn statistics_and_thresholds_are_the_users() {
    let reference = Table::from_columns([("x", ramp(2000, 0.0)), ("y", ramp(2000, 0.0)), ("z", ramp(2000, 0.0))]);
    let window = Table::from_columns([("x", ramp(500, 0.3)), ("y", ramp(500, 0.3)), ("z", ramp(500, 0.3))]);
    let options = json!({
        "exclude": ["z"],
        "numeric": { "statistic": "psi", "threshold": 50.0 },
        "per_column": { "y": { "statistic": "ks" } },
        "share": 0.4
    });
    let findings = observed(options, window, &reference).unwrap();
    assert_eq!(findings.len(), 3);
    let psi = find(&findings, "x", "psi");
    assert!(psi.threshold == Some(50.0) && !psi.found && psi.value > 1.0);
    let ks = find(&findings, "y", "ks");
    assert!(ks.threshold == Some(0.05) && ks.found);
    assert!(find(&findings, "", "share_drifted").found);
}

#[test]
fn mistakes_are_found_at_once() {
    let table = || Table::from_columns([("x", ramp(50, 0.0)), ("text", Column::from_text((0..50).map(|_| "a")))]);
    let options = json!({
        "columns": ["x", "nope"],
        "categorical": { "statistic": "ks" },
        "per_column": { "text": { "statistic": "wasserstein" }, "other": {} }
    });
    let refused = observed(options, table(), &table()).unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidConfig, Some("columns.1")));
    for part in ["4 options", "`per_column.other`", "`per_column.text.statistic`", "`categorical.statistic`", "hint: "]
    {
        assert!(refused.message.contains(part), "{}", refused.message);
    }
    let window = Window { rows: table(), start: None, end: None };
    let refused = observe(&Options::default(), Subject::Features, &window, None).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("reference"));
    let refused = observe(&Options::default(), Subject::Predictions, &window, Some(&table())).unwrap_err();
    assert!(refused.message.contains("`probability.*`"));
}

#[test]
fn too_many_texts_are_not_judged() {
    let texts: Vec<String> = (0..values::MOST_TEXTS + 1).map(|row| row.to_string()).collect();
    let table = || Table::from_columns([("id", Column::from_text(texts.iter().map(String::as_str)))]);
    let findings = observed(json!({}), table(), &table()).unwrap();
    assert!(!findings[0].found && findings[0].message.contains("more than 10000 different texts"));
}
