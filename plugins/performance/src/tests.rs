//! The plugin through its door: golden cases, and metrics against scikit-learn's.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use wasmlops_sdk::{ErrorCode, testing};

use super::*;

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        let window = case.table("window").expect("the case has a window");
        let reference = case.table("reference");
        testing::observe::<Performance>(case.config(), window, reference.as_ref())
            .map(|findings| testing::render_findings(&findings))
    });
}

/// `tests/data/vectors.json`.
#[derive(Deserialize)]
struct Vectors {
    made_with: String,
    cases: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    config: Value,
    window: Rows,
    reference: Option<Rows>,
    /// By statistic.
    expected: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Rows {
    /// Empty for regression.
    classes: Vec<String>,
    /// Indexes of classes, or numbers; null for a row without a label.
    labels: Vec<Option<f64>>,
    predicted: Vec<f64>,
    /// Class by class.
    probabilities: Vec<Vec<f64>>,
}

impl Rows {
    fn table(&self) -> Table {
        let names: Vec<String> = self.classes.iter().map(|class| format!("probability.{class}")).collect();
        let probabilities = self.probabilities.iter().map(|numbers| Column::from_f64_slice(numbers));
        let class = |index: f64| self.classes[index as usize].as_str();
        let (labels, predicted) = match self.classes.is_empty() {
            true => (Column::from_f64(self.labels.clone()), Column::from_f64_slice(&self.predicted)),
            false => (
                Column::from_text(self.labels.iter().map(|label| label.map(class))),
                Column::from_categories(self.predicted.iter().map(|index| class(*index))),
            ),
        };
        let plain = [("prediction", predicted), ("label", labels)];
        Table::from_columns(plain.into_iter().chain(names.iter().map(String::as_str).zip(probabilities)))
    }
}

#[test]
fn agrees_with_scikit_learn() {
    let vectors: Vectors = serde_json::from_str(include_str!("../tests/data/vectors.json")).unwrap();
    assert!(vectors.made_with.contains("scikit-learn 1.9") && !vectors.cases.is_empty());
    for Vector { name, config, window, reference, expected } in vectors.cases {
        let reference = reference.map(|reference| reference.table());
        let findings = testing::observe::<Performance>(config, window.table(), reference.as_ref()).unwrap();
        for (statistic, expected) in &expected {
            let found = findings.iter().find(|finding| finding.statistic == *statistic);
            let value = found.unwrap_or_else(|| panic!("{name}: {statistic} is missing")).value;
            let difference = (value - expected).abs() / expected.abs().max(1.0);
            assert!(difference <= 1e-9, "{name}: {statistic} is {value}, and scikit-learn says {expected}");
        }
        let measured = findings.iter().filter(|finding| !finding.value.is_nan()).count();
        assert_eq!(measured, expected.len(), "{name}: {findings:?}");
    }
}

/// `right` of `rows` predictions are right; the first `labelled` have their label.
fn binary(rows: usize, labelled: usize, right: usize, sure: f64) -> Table {
    let predicted = |row: usize| row.is_multiple_of(2);
    let label = |row: usize| (row < labelled).then_some(if row < right { predicted(row) } else { !predicted(row) });
    let positive: Vec<f64> = (0..rows).map(|row| if predicted(row) { sure } else { 1.0 - sure }).collect();
    Table::from_columns([
        ("prediction", Column::from_categories((0..rows).map(|row| if predicted(row) { "true" } else { "false" }))),
        ("probability.false", Column::from_f64(positive.iter().map(|p| 1.0 - p))),
        ("probability.true", Column::from_f64_slice(&positive)),
        ("label", Column::from_bool((0..rows).map(label))),
    ])
}

fn found(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|finding| finding.found).map(|finding| finding.statistic.as_str()).collect()
}

#[test]
fn labels_decide_and_until_there_are_enough_the_estimate_does() {
    let config = || json!({ "min": { "accuracy": 0.9 }, "calibrate": "none" });
    let findings = testing::observe::<Performance>(config(), binary(100, 100, 80, 0.95), None).unwrap();
    assert_eq!(found(&findings), ["accuracy"]);
    let findings = testing::observe::<Performance>(config(), binary(100, 10, 0, 0.95), None).unwrap();
    assert!(found(&findings).is_empty(), "10 labels are too few, and the estimate is 0.95: {findings:?}");
    let findings = testing::observe::<Performance>(config(), binary(100, 0, 0, 0.7), None).unwrap();
    assert_eq!(found(&findings), ["estimated_accuracy"]);
    let accuracy = findings.iter().find(|finding| finding.statistic == "estimated_accuracy").unwrap();
    assert!((accuracy.value - 0.7).abs() < 1e-12 && accuracy.window_rows == 100);
}

#[test]
fn a_drop_is_measured_from_the_reference_and_includes_its_end() {
    let config = |drop: f64| json!({ "max_drop": { "accuracy": drop } });
    let reference = binary(100, 100, 98, 0.9);
    let observe = |drop, right| {
        testing::observe::<Performance>(config(drop), binary(100, 100, right, 0.9), Some(&reference)).unwrap()
    };
    assert!(found(&observe(0.01, 97)).is_empty());
    assert_eq!(found(&observe(0.01, 96)), ["accuracy"]);
    let without = testing::observe::<Performance>(config(0.01), binary(50, 50, 0, 0.9), None).unwrap();
    assert!(without[0].message.contains("no reference") && found(&without).is_empty());
}

#[test]
fn calibration_learns_that_a_model_is_too_sure() {
    let reference = binary(200, 200, 120, 0.95);
    let window = || binary(100, 0, 0, 0.95);
    let accuracy = |config| {
        let findings = testing::observe::<Performance>(config, window(), Some(&reference)).unwrap();
        findings.into_iter().find(|finding| finding.statistic == "estimated_accuracy").unwrap().value
    };
    assert!((accuracy(json!({})) - 0.6).abs() < 1e-9);
    assert!((accuracy(json!({ "calibrate": "none" })) - 0.95).abs() < 1e-9);
}

#[test]
fn mistakes_are_found_at_once() {
    let config = json!({ "min": { "rmse": 1.0 }, "max_drop": { "auc": -0.1 } });
    let refused = testing::observe::<Performance>(config, binary(10, 0, 0, 0.9), None).unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidConfig, Some("min.rmse")));
    assert!(refused.message.contains("2 options") && refused.message.contains("`max_drop.auc`"), "{refused}");
    let refused = testing::observe::<Performance>(json!({ "positive": "maybe" }), binary(10, 0, 0, 0.9), None);
    assert!(refused.unwrap_err().message.contains("`maybe` is no class"));
    let table = Table::from_columns([("x", Column::from_f64([1.0]))]);
    let refused = testing::observe::<Performance>(json!({}), table, None).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("window"));
}
