//! The plugin through its door: golden cases, and fairlearn's results on the same predictions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::testing;

use super::Fairness;

fn validate(config: Value, evaluation: Evaluation) -> Result<Report> {
    testing::forget();
    testing::validate::<Fairness>(config, &Subject::Evaluation(evaluation))
}

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        let evaluation = Evaluation {
            truth: case.table("truth"),
            candidate: case.table("model").expect("the case has predictions"),
            champion: None,
            features: case.table("table").expect("the case has rows"),
        };
        let report = validate(case.config(), evaluation)?;
        let mut text = format!("passed: {}\n{}\n", report.passed, report.summary);
        for check in report.checks {
            let mark = if check.passed { "ok  " } else { "FAIL" };
            let observed = check.observed.map_or_else(|| "-".to_owned(), |value| format!("{value:.6}"));
            let of = check.slice.or(check.column).unwrap_or_default();
            let _ = writeln!(text, "{mark} {} {of}: {observed}, expected {}", check.name, check.expected);
            let _ = writeln!(text, "     {}", check.message);
        }
        for (name, value, _) in testing::heard().metrics {
            let _ = writeln!(text, "{name} = {value:.6}");
        }
        Ok(text)
    });
}

/// A line of `tests/data/vectors.json`.
#[derive(Deserialize)]
struct Vector {
    name: String,
    classes: Vec<String>,
    positive: Option<String>,
    threshold: Option<f64>,
    groups: Vec<String>,
    truth: Vec<f64>,
    predicted: Vec<f64>,
    /// Class by class.
    probabilities: Vec<Vec<f64>>,
    expected: BTreeMap<String, f64>,
    rates: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Vector {
    fn evaluation(&self) -> Evaluation {
        let values = |values: &[f64]| match self.classes.is_empty() {
            true => Column::from_f64_slice(values),
            false => Column::from_categories(values.iter().map(|&class| self.classes[class as usize].as_str())),
        };
        let names: Vec<String> = self.classes.iter().map(|class| format!("probability.{class}")).collect();
        let probabilities = self.probabilities.iter().map(|numbers| Column::from_f64_slice(numbers));
        let prediction = std::iter::once(("prediction", values(&self.predicted)));
        Evaluation {
            truth: Some(Table::from_columns([("target", values(&self.truth))])),
            candidate: Table::from_columns(prediction.chain(names.iter().map(String::as_str).zip(probabilities))),
            champion: None,
            features: Table::from_columns([("group", Column::from_text(self.groups.iter().map(String::as_str)))]),
        }
    }
}

#[test]
fn agrees_with_fairlearn() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../tests/data/vectors.json")).unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let mut config = json!({ "sensitive": ["group"], "min_rows": 1 });
        if let Some(positive) = &vector.positive {
            config["positive"] = json!(positive);
        }
        if let Some(threshold) = vector.threshold {
            config["threshold"] = json!(threshold);
        }
        let report = validate(config, vector.evaluation()).unwrap();
        let close = |what: &str, value: f64, expected: f64| {
            let name = &vector.name;
            assert!((value - expected).abs() <= 1e-12, "{name}: {what} is {value}, and fairlearn says {expected}");
        };
        for (measure, &expected) in &vector.expected {
            close(measure, testing::heard().metric(&format!("fairness/group/{measure}")).unwrap(), expected);
        }
        for (group, rates) in &vector.rates {
            for (rate, &expected) in rates {
                let slice = format!("group={group}");
                let of = |check: &&Check| check.name == *rate && check.slice.as_ref() == Some(&slice);
                close(rate, report.checks.iter().find(of).unwrap().observed.unwrap(), expected);
            }
        }
    }
}

fn two_groups() -> Evaluation {
    let rows = 100;
    let pick = move |say: fn(usize) -> bool| (0..rows).map(move |row| if say(row) { "yes" } else { "no" });
    Evaluation {
        truth: Some(Table::from_columns([("ok", Column::from_text(pick(|row| row % 4 < 2)))])),
        // Half of the even rows and a quarter of the odd ones.
        candidate: Table::from_columns([(
            "prediction",
            Column::from_categories(pick(|row| row % 4 == 0 || row % 8 == 1)),
        )]),
        champion: None,
        features: Table::from_columns([("odd", Column::from_bool((0..rows).map(|row| row % 2 == 1)))]),
    }
}

#[test]
fn limits_are_kept_and_broken() {
    let ask = |limits: Value| {
        validate(json!({ "min_rows": 20, "sensitive": [{ "column": "odd", "max": limits }] }), two_groups())
    };
    assert!(ask(json!({ "demographic_parity_difference": 0.24 })).unwrap().passed);
    let broken = ask(json!({ "demographic_parity_difference": 0.1, "equalized_odds_difference": 0.99 })).unwrap();
    assert!(!broken.passed);
    let failed: Vec<_> = broken.checks.iter().filter(|check| !check.passed).map(|check| check.name.as_str()).collect();
    assert_eq!(failed, ["demographic_parity_difference"]);
}

#[test]
fn a_reference_turns_the_ratio() {
    let sensitive = json!([{ "column": "odd", "reference": true }]);
    let report = validate(json!({ "sensitive": sensitive, "min": { "disparate_impact": 1.0 } }), two_groups()).unwrap();
    // The others are selected more often than the reference.
    let impact = testing::heard().metric("fairness/odd/disparate_impact").unwrap();
    assert!(report.passed && impact > 1.9, "{impact}");
}

#[test]
fn what_cannot_be_judged_fails_where_it_is_asked() {
    let config = json!({ "sensitive": ["odd"], "min_rows": 60, "max": { "equal_opportunity_difference": 0.5 } });
    let report = validate(config, two_groups()).unwrap();
    assert!(!report.passed && report.summary.starts_with("1 of 1 limit broken"), "{}", report.summary);
}

#[test]
fn mistakes() {
    let field = |config: Value| validate(config, two_groups()).unwrap_err().field.unwrap();
    assert_eq!(field(json!({ "sensitive": [] })), "sensitive");
    assert_eq!(field(json!({ "sensitive": ["x", "y"] })), "sensitive.0");
    assert_eq!(field(json!({ "sensitive": ["odd"], "positive": "maybe" })), "positive");
    assert_eq!(field(json!({ "sensitive": ["odd"], "threshold": 0.5 })), "threshold");
    assert_eq!(field(json!({ "sensitive": [{ "column": "odd", "reference": 3 }] })), "sensitive.0.reference");
    let max = json!({ "mean_prediction_difference": 1.0 });
    assert_eq!(field(json!({ "sensitive": ["odd"], "max": max })), "max.mean_prediction_difference");
    let table = Table::from_columns([("odd", Column::from_bool([true]))]);
    let refused = testing::validate::<Fairness>(json!({ "sensitive": ["odd"] }), &Subject::Table(table)).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("model"));
}
