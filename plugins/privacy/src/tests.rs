//! The plugin through its door.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::testing;

use super::Privacy;

fn validate(config: Value, table: Table) -> Result<Report> {
    testing::forget();
    testing::validate::<Privacy>(config, &Subject::Table(table))
}

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        let report = validate(case.config(), case.table("table").expect("the case has a table"))?;
        let mut text = format!("passed: {}\n{}\n", report.passed, report.summary);
        for check in report.checks {
            let mark = if check.passed { "ok  " } else { "FAIL" };
            let observed = check.observed.map_or_else(|| "-".to_owned(), |value| format!("{value:.6}"));
            let column = check.column.unwrap_or_else(|| "*".to_owned());
            let _ = writeln!(text, "{mark} {} {column}: {observed}, expected {}", check.name, check.expected);
            let _ = writeln!(text, "     {}", check.message);
            if !check.examples.is_empty() {
                let _ = writeln!(text, "     count {}: {}", check.count, check.examples.join("; "));
            }
        }
        let heard = testing::heard();
        heard.metrics.iter().for_each(|(name, value, _)| text.push_str(&format!("{name} = {value}\n")));
        heard.logs.iter().for_each(|line| text.push_str(&format!("log: {line}\n")));
        Ok(text)
    });
}

/// Cards as whole numbers, addresses as categories, identifiers over several batches.
#[test]
fn looks_at_every_row_of_every_type() {
    let rows = 20_000;
    let mail: Vec<String> = (0..rows).map(|row| format!("person{}@example.com", row % 7)).collect();
    let table = Table::from_columns([
        ("card", Column::from_s64((0..rows).map(|row| if row % 4 == 0 { 4_111_111_111_111_111 } else { 5 }))),
        ("contact", Column::from_categories(mail.iter().map(String::as_str))),
        ("key", Column::from_s64(0..rows)),
        ("amount", Column::from_f64((0..rows).map(|row| row as f64 / 3.0))),
        ("ok", Column::from_bool((0..rows).map(|row| row % 2 == 0))),
    ]);
    let report = validate(json!({}), table).unwrap();
    let found: Vec<_> = report.checks[1..]
        .iter()
        .map(|check| (check.name.as_str(), check.column.as_deref().unwrap(), check.observed.unwrap(), check.passed))
        .collect();
    assert_eq!(
        found,
        [("payment_card", "card", 0.25, false), ("email", "contact", 1.0, false), ("identifier", "key", 1.0, true)]
    );
    assert_eq!(report.checks[2].examples, ["aaaaaa9@aaaaaaa.aaa"]);
}

#[test]
fn a_sample_is_spread_evenly() {
    let rows: Vec<&str> = (0..20_000).map(|row| if row % 10 == 0 { "a@example.com" } else { "none" }).collect();
    let table = Table::from_columns([("text", Column::from_text(rows))]);
    let report = validate(json!({ "max_rows": 2000 }), table).unwrap();
    assert_eq!(report.checks[1].count, 2000);
}

#[test]
fn a_model_is_judged_by_its_rows() {
    let table = || Table::from_columns([("email", Column::from_text(["a@example.com"]))]);
    let evaluation = Evaluation { truth: None, candidate: table(), champion: None, features: table() };
    let report = testing::validate::<Privacy>(json!({}), &Subject::Evaluation(evaluation)).unwrap();
    assert!(!report.passed);
}

proptest! {
    /// Whatever a column holds: no piece of it longer than two characters stands in the report.
    #[test]
    fn reports_hold_no_value(values in prop::collection::vec("[b-z]{3,8}@[b-z]{3,8}[.](com|org)", 1..20)) {
        let table = Table::from_columns([("c", Column::from_text(values.iter().map(String::as_str)))]);
        let report = validate(json!({}), table).unwrap();
        prop_assert!(!report.passed);
        let text = format!("{:?}", report.checks[1].examples);
        for value in &values {
            prop_assert!(!text.contains(value.split('@').next().unwrap()));
        }
    }
}
