//! The plugin through its door: golden cases, and scikit-learn's results on the same predictions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::testing;

use super::ModelGate;

fn validate(config: Value, evaluation: Evaluation) -> Result<Report> {
    testing::forget();
    testing::validate::<ModelGate>(config, &Subject::Evaluation(evaluation))
}

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        let rows = case.table("table").unwrap_or_else(|| Table::from_columns([]));
        let evaluation = Evaluation {
            truth: case.table("truth"),
            candidate: case.table("model").expect("the case has predictions"),
            champion: case.table("baseline"),
            features: rows,
        };
        Ok(render(&validate(case.config(), evaluation)?))
    });
}

fn render(report: &Report) -> String {
    let mut text = format!("passed: {}\n{}\n", report.passed, report.summary);
    for check in &report.checks {
        let mark = if check.passed { "ok  " } else { "FAIL" };
        let slice = check.slice.as_deref().map_or_else(String::new, |slice| format!(" where {slice}"));
        let observed = check.observed.map_or_else(|| "-".to_owned(), |value| format!("{value:.6}"));
        let _ = writeln!(text, "{mark} {}{slice}: {observed}, expected {}", check.name, check.expected);
        let _ = writeln!(text, "     {}", check.message);
        if check.count > 0 {
            let _ = writeln!(text, "     count {}: {}", check.count, check.examples.join("; "));
        }
    }
    let heard = testing::heard();
    for (name, value, _) in heard.metrics {
        let _ = writeln!(text, "{name} = {value:.6}");
    }
    for line in heard.logs {
        let _ = writeln!(text, "log: {line}");
    }
    text
}

/// A line of `tests/data/vectors.json`.
#[derive(Deserialize)]
struct Vector {
    name: String,
    task: String,
    #[serde(default)]
    classes: Vec<String>,
    positive: Option<String>,
    threshold: Option<f64>,
    /// Indexes of classes, or numbers.
    truth: Vec<f64>,
    predicted: Vec<f64>,
    /// Class by class.
    #[serde(default)]
    probabilities: Vec<Vec<f64>>,
    expected: BTreeMap<String, f64>,
}

impl Vector {
    fn evaluation(&self) -> Evaluation {
        let values = |values: &[f64]| match self.task.as_str() {
            "regression" => Column::from_f64_slice(values),
            _ => Column::from_categories(values.iter().map(|&class| self.classes[class as usize].as_str())),
        };
        let names: Vec<String> = self.classes.iter().map(|class| format!("probability.{class}")).collect();
        let probabilities = self.probabilities.iter().map(|numbers| Column::from_f64_slice(numbers));
        let predictions = std::iter::once(("prediction", values(&self.predicted)));
        let table = || Table::from_columns([("target", values(&self.truth))]);
        Evaluation {
            truth: Some(table()),
            candidate: Table::from_columns(predictions.chain(names.iter().map(String::as_str).zip(probabilities))),
            champion: None,
            features: table(),
        }
    }
}

#[test]
fn agrees_with_scikit_learn() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../tests/data/vectors.json")).unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let mut config = json!({});
        if let Some(positive) = &vector.positive {
            config["positive"] = json!(positive);
        }
        if let Some(threshold) = vector.threshold {
            config["threshold"] = json!(threshold);
        }
        let name = &vector.name;
        validate(config, vector.evaluation()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let heard = testing::heard();
        for (metric, expected) in &vector.expected {
            let value = heard.metric(metric).unwrap_or_else(|| panic!("{name}: {metric} is missing"));
            let difference = (value - expected).abs() / expected.abs().max(1.0);
            assert!(difference <= 1e-9, "{name}: {metric} is {value}, and scikit-learn says {expected}");
        }
        assert_eq!(heard.metrics.len(), vector.expected.len() + 1, "{name}: {:?}", heard.metrics);
    }
}

#[test]
fn a_model_is_as_good_as_itself_whatever_the_order_of_its_classes() {
    let candidate = || {
        Table::from_columns([
            ("prediction", Column::from_categories(["a", "b", "c", "a", "b"])),
            ("probability.a", Column::from_f64([0.7, 0.1, 0.2, 0.5, 0.3])),
            ("probability.b", Column::from_f64([0.2, 0.6, 0.3, 0.3, 0.4])),
            ("probability.c", Column::from_f64([0.1, 0.3, 0.5, 0.2, 0.3])),
        ])
    };
    let turned = || {
        let table = candidate();
        let columns = [0, 3, 1, 2].map(|index| (index, table.column(index).unwrap()));
        let names: Vec<String> = table.schema().names().map(str::to_owned).collect();
        Table::from_columns(columns.map(|(index, column)| (names[index].as_str(), column)))
    };
    let truth = || Table::from_columns([("kind", Column::from_text(["a", "b", "c", "b", "c"]))]);
    let names = ["accuracy", "f1", "auc", "average_precision", "log_loss", "brier", "mcc"];
    let config = json!({ "compare": names.map(|metric| json!({ "metric": metric })) });
    let evaluation =
        Evaluation { truth: Some(truth()), candidate: candidate(), champion: Some(turned()), features: truth() };
    let report = validate(config, evaluation).unwrap();
    assert!(report.passed, "{}", report.summary);
    assert!(report.checks[1..].iter().all(|check| check.observed == Some(0.0)), "{:?}", report.checks);
}

#[test]
fn refuses_a_table() {
    let table = Table::from_columns([("x", Column::from_f64([1.0]))]);
    let refused = testing::validate::<ModelGate>(json!({}), &Subject::Table(table)).unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidInput, Some("model")));
    assert!(refused.message.contains("hint: give the step an input `model`"));
}

#[test]
fn refuses_unknown_metrics() {
    let table = || Table::from_columns([("prediction", Column::from_f64([1.0]))]);
    let evaluation = Evaluation { truth: Some(table()), candidate: table(), champion: None, features: table() };
    let refused = validate(json!({ "min": { "acurracy": 0.9 } }), evaluation).unwrap_err();
    assert!(refused.message.contains("acurracy") && refused.message.contains("accuracy"), "{refused}");
}

#[test]
fn a_tolerance_includes_its_end() {
    let right = |wrong: usize| Column::from_categories((0..100).map(move |row| if row < wrong { "b" } else { "a" }));
    let truth = || Table::from_columns([("kind", Column::from_categories(["a"; 100]))]);
    let model = |wrong| Table::from_columns([("prediction", right(wrong))]);
    let config = json!({ "compare": [{ "metric": "accuracy", "min_improvement": -0.01 }] });
    for (wrong, passed) in [(3, true), (4, false)] {
        let evaluation =
            Evaluation { truth: Some(truth()), candidate: model(wrong), champion: Some(model(2)), features: truth() };
        assert_eq!(validate(config.clone(), evaluation).unwrap().passed, passed, "{wrong} wrong");
    }
}
