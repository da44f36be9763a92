//! The plugin through its door.

use std::fmt::Write as _;

use serde_json::json;
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::testing;

use super::{DataQuality, inspect};

/// 2026-11-21T12:00:00Z, the time of all runs here.
const NOW: i64 = 1_795_262_400_000_000;

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        testing::forget();
        let table = case.table("table").expect("the case has a table");
        let config = wasmlops_sdk::codec::config(&case.config().to_string())?;
        Ok(render(&inspect(&config, &table, || NOW)?))
    });
}

fn render(report: &Report) -> String {
    let mut text = format!("passed: {}\n{}\n", report.passed, report.summary);
    for check in &report.checks {
        let mark = if check.passed { "ok  " } else { "FAIL" };
        let column = check.column.as_deref().unwrap_or("-");
        let observed = check.observed.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let _ = writeln!(text, "{mark} {} {column}: {observed}, expected {}", check.name, check.expected);
        let _ = writeln!(text, "     {}", check.message);
        if check.count > 0 || !check.examples.is_empty() {
            let _ = writeln!(text, "     count {}: {}", check.count, check.examples.join("; "));
        }
    }
    for (name, value, _) in testing::heard().metrics {
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}

fn validate(config: serde_json::Value, table: Table) -> Result<Report> {
    testing::validate::<DataQuality>(config, &Subject::Table(table))
}

#[test]
fn batches_are_one_table() {
    let rows = 3 * wasmlops_sdk::BATCH_ROWS + 5;
    let id = (0..rows).map(|row| if row == rows - 1 { 0 } else { row as i64 });
    let table = Table::from_columns([("id", Column::from_s64(id))]);
    let report = validate(json!({ "rules": [{ "unique": "id" }, { "column": "id", "max": 20_000 }] }), table).unwrap();
    let unique = report.checks.iter().find(|check| check.name == "unique").unwrap();
    assert_eq!((unique.count, unique.examples.clone()), (1, vec![format!("`0` in rows 0 and {}", rows - 1)]));
    let max = report.checks.iter().find(|check| check.name == "max").unwrap();
    assert_eq!((max.count, max.examples.len()), (rows as u64 - 1 - 20_001, 10));
    assert_eq!(max.examples[0], "`20001` in row 20001");
}

#[test]
fn the_clock_is_read_only_where_a_rule_needs_it() {
    let table = || Table::from_columns([("seen", Column::from_timestamp([NOW - 1]))]);
    let config = |rules| serde_json::from_value(json!({ "rules": rules })).unwrap();
    inspect(&config(json!([{ "no_nulls": "*" }])), &table(), || panic!("nothing here depends on the time")).unwrap();
    let fresh = config(json!([{ "column": "seen", "fresh_within": "1s" }]));
    assert!(inspect(&fresh, &table(), || NOW).unwrap().passed);
    assert!(!inspect(&fresh, &table(), || NOW + 1_000_000).unwrap().passed);
}

#[test]
fn refuses_an_evaluation() {
    let table = || Table::from_columns([("prediction", Column::from_f64([1.0]))]);
    let evaluation = Evaluation { truth: None, candidate: table(), champion: None, features: table() };
    let refused = testing::validate::<DataQuality>(json!({ "rules": [] }), &Subject::Evaluation(evaluation));
    assert_eq!(refused.unwrap_err().field.as_deref(), Some("model"));
}

#[test]
fn refuses_unknown_keys() {
    let table = Table::from_columns([("x", Column::from_f64([1.0]))]);
    let refused = validate(json!({ "rules": [{ "column": "x", "betwen": [0, 1] }] }), table).unwrap_err();
    assert!(refused.message.contains("betwen"), "{refused}");
}
