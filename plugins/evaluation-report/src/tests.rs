//! The plugin through its door, and pages for people to look at: `WASMLOPS_PAGES=FOLDER` writes them.

#![allow(clippy::unwrap_used, reason = "tests panic")]

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmlops_sdk::testing;

use super::*;

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

fn drawn(with: Value, evaluation: &Evaluation, features: &[Feature]) -> Result<Drawn> {
    Drawn::of(&serde_json::from_value(with).unwrap(), evaluation, features)
}

fn evaluation(truth: Column, candidate: Table, champion: Option<Table>) -> Evaluation {
    let truth = Table::from_columns([("truth", truth)]);
    let features = Table::from_columns([("x", Column::from_s64((0..truth.num_rows()).map(|row| row as i64)))]);
    Evaluation { truth: Some(truth), candidate, champion, features }
}

fn binary_table(scores: &[f64]) -> Table {
    Table::from_columns([
        ("prediction", Column::from_categories(scores.iter().map(|score| if *score >= 0.5 { "1" } else { "0" }))),
        ("probability.0", Column::from_f64(scores.iter().map(|score| 1.0 - score))),
        ("probability.1", Column::from_f64(scores.iter().copied())),
    ])
}

fn binary(rows: usize, share: f64) -> Evaluation {
    let mut numbers = Numbers(1);
    let truth: Vec<i64> = (0..rows).map(|_| i64::from(numbers.next() < share)).collect();
    let level = (share / (1.0 - share)).ln() - 1.2;
    let score = |sharp: f64, numbers: &mut Numbers, truth: i64| {
        let logit = level + sharp * (truth as f64 * 2.6 + numbers.normal());
        1.0 / (1.0 + (-logit).exp())
    };
    let scores: Vec<f64> = truth.iter().map(|&truth| score(1.3, &mut numbers, truth)).collect();
    let others: Vec<f64> = truth.iter().map(|&truth| score(0.7, &mut numbers, truth)).collect();
    evaluation(Column::from_s64(truth), binary_table(&scores), Some(binary_table(&others)))
}

fn classes(rows: usize) -> Evaluation {
    const NAMES: [&str; 4] = ["setosa", "versicolor", "virginica & others", "<unknown>"];
    let mut numbers = Numbers(2);
    let truth: Vec<usize> = (0..rows).map(|_| (numbers.next().powi(2) * 4.0) as usize).collect();
    let rows: Vec<Vec<f64>> = truth
        .iter()
        .map(|&truth| {
            let raw: Vec<f64> =
                (0..4).map(|class| (1.4 * numbers.normal() + if class == truth { 2.5 } else { 0.0 }).exp()).collect();
            let sum: f64 = raw.iter().sum();
            raw.iter().map(|value| value / sum).collect()
        })
        .collect();
    let best = |row: &Vec<f64>| (0..4).fold(0, |best, class| if row[class] > row[best] { class } else { best });
    let names: Vec<String> = NAMES.iter().map(|name| format!("probability.{name}")).collect();
    let mut columns = vec![("prediction", Column::from_categories(rows.iter().map(|row| NAMES[best(row)])))];
    for (class, name) in names.iter().enumerate() {
        columns.push((name, Column::from_f64(rows.iter().map(|row| row[class]))));
    }
    evaluation(Column::from_text(truth.iter().map(|&class| NAMES[class])), Table::from_columns(columns), None)
}

fn regression(rows: usize) -> Evaluation {
    let mut numbers = Numbers(3);
    let predicted: Vec<f64> = (0..rows).map(|_| 20.0 + 60.0 * numbers.next()).collect();
    let truth: Vec<f64> = predicted.iter().map(|guess| guess + numbers.normal() * guess / 12.0).collect();
    evaluation(Column::from_f64(truth), Table::from_columns([("prediction", Column::from_f64(predicted))]), None)
}

fn features() -> Vec<Feature> {
    let names = ["amount_ratio", "new_device", "merchant_category.target_mean", "payments_24h", "time.hour", "device"];
    let feature = |(place, name): (usize, &&str)| Feature {
        name: (*name).to_owned(),
        amount: 100.0 / (place as f64 + 1.0).powf(1.4),
        measure: "gain".to_owned(),
    };
    names.iter().enumerate().map(feature).collect()
}

fn pages() -> Vec<(&'static str, Drawn, Vec<&'static str>)> {
    let of_classes = ["roc", "precision_recall", "thresholds", "calibration", "scores", "confusion", "importance"];
    let without = |name: &str| of_classes.into_iter().filter(|known| *known != name).collect::<Vec<_>>();
    let title = |title: &str| json!({ "title": title });
    vec![
        ("binary", drawn(title("Fraud"), &binary(20_000, 0.01), &features()).unwrap(), of_classes.to_vec()),
        ("balanced", drawn(title("Balanced"), &binary(400, 0.4), &features()).unwrap(), of_classes.to_vec()),
        ("classes", drawn(title("Four classes"), &classes(1500), &features()).unwrap(), without("thresholds")),
        (
            "regression",
            drawn(title("Prices"), &regression(5000), &[]).unwrap(),
            vec!["predictions", "residuals", "errors"],
        ),
        ("few", drawn(title("Few"), &regression(60), &[]).unwrap(), vec!["predictions", "residuals", "errors"]),
    ]
}

#[test]
fn pages_stand_alone() {
    for (name, drawn, figures) in pages() {
        let html = &drawn.html;
        let names: Vec<&str> = drawn.figures.iter().map(|figure| figure.name).collect();
        assert_eq!(names, figures, "{name}");
        assert_eq!(html.matches("<svg ").count(), figures.len());
        assert_eq!(html.matches("</svg>").count(), figures.len());
        for word in ["<script", "src=", "href=", "url(", "@import", "NaN", "inf\"", "<unknown>"] {
            assert!(!html.contains(word), "{name} has `{word}`");
        }
        assert!(html.len() < 700_000, "{name} has {} bytes", html.len());
        assert!(drawn.report().passed);
        if let Some(folder) = std::env::var_os("WASMLOPS_PAGES") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), html).unwrap();
        }
    }
}

#[test]
fn the_same_evaluation_gives_the_same_bytes() {
    let html = || drawn(json!({}), &binary(3000, 0.1), &features()).unwrap().html;
    assert_eq!(html(), html());
}

#[test]
fn the_report_has_numbers_and_always_passes() {
    testing::forget();
    let subject = Subject::Evaluation(binary(2000, 0.2));
    let report = testing::validate::<EvaluationReport>(json!({}), &subject).unwrap();
    assert!(report.passed && report.checks.iter().all(|check| check.passed));
    let roc = report.checks.iter().find(|check| check.name == "roc").unwrap();
    assert_eq!(roc.observed, testing::heard().metric("auc"));
    assert!(report.summary.starts_with("6 drawings of 2000 rows: auc 0."), "{}", report.summary);
}

#[test]
fn what_cannot_be_drawn_is_left_out() {
    let truth = || Column::from_text([Some("a"), Some("b"), None]);
    let said = Table::from_columns([("prediction", Column::from_categories(["a", "a", "b"]))]);
    let only = drawn(json!({}), &evaluation(truth(), said, None), &[]).unwrap();
    assert_eq!(only.figures.iter().map(|figure| figure.name).collect::<Vec<_>>(), ["confusion"]);
    assert_eq!(only.rows, 2);
    assert!(only.html.contains("1 row without a truth"));
    // One class alone has no curves.
    let one = evaluation(Column::from_s64([0, 0]), binary_table(&[0.1, 0.2]), None);
    let names: Vec<&str> = drawn(json!({}), &one, &[]).unwrap().figures.iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["calibration", "scores", "confusion"]);
    // A truth and a prediction that never vary.
    let flat = Table::from_columns([("prediction", Column::from_f64([1.0, 1.0]))]);
    let flat = drawn(json!({}), &evaluation(Column::from_f64([1.0, 1.0]), flat, None), &[]).unwrap();
    assert_eq!(flat.figures.len(), 3);
}

#[test]
fn mistakes_are_named() {
    let wrong = |with: Value, evaluation: &Evaluation| drawn(with, evaluation, &[]).err().unwrap().field;
    let rows = binary(50, 0.5);
    assert_eq!(wrong(json!({ "positive": "x" }), &rows).as_deref(), Some("positive"));
    assert_eq!(wrong(json!({ "threshold": 0.5 }), &classes(50)).as_deref(), Some("threshold"));
    let nothing = evaluation(Column::from_s64([] as [i64; 0]), binary_table(&[]), None);
    assert_eq!(wrong(json!({}), &nothing).as_deref(), Some("table"));
    assert_eq!(wrong(json!({}), &Evaluation { truth: None, ..rows }).as_deref(), Some("table"));
    let table = Subject::Table(Table::from_columns([("x", Column::from_s64([1]))]));
    assert_eq!(testing::validate::<EvaluationReport>(json!({}), &table).unwrap_err().field.as_deref(), Some("model"));
}

/// `tests/make_vectors.py` says where they come from.
#[test]
fn curves_are_those_of_scikit_learn() {
    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        truth: Vec<u8>,
        scores: Vec<f64>,
        bins: usize,
        roc: Vec<(f64, f64)>,
        recall_precision: Vec<(f64, f64)>,
        average_precision: f64,
        calibration: Vec<(f64, f64)>,
        ece: f64,
    }
    let close = |found: &[(f64, f64)], expected: &[(f64, f64)], what: &str| {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (one, other) in found.iter().zip(expected) {
            assert!((one.0 - other.0).abs() < 1e-12 && (one.1 - other.1).abs() < 1e-12, "{what}: {one:?} {other:?}");
        }
    };
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../tests/data/vectors.json")).unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let positive: Vec<bool> = vector.truth.iter().map(|truth| *truth == 1).collect();
        let cuts = curves::Cuts::of(&vector.scores, &positive).unwrap();
        close(&cuts.roc(), &vector.roc, &vector.name);
        // The steps have two points for each recall that is new.
        let steps = cuts.precision_recall();
        for point in &vector.recall_precision {
            let found = steps.iter().any(|one| (one.0 - point.0).abs() < 1e-12 && (one.1 - point.1).abs() < 1e-12);
            assert!(found, "{}: {point:?}", vector.name);
        }
        assert!((cuts.average_precision() - vector.average_precision).abs() < 1e-12, "{}", vector.name);
        let bins = bins::reliability(&vector.scores, &positive, vector.bins);
        let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.mean_probability, bin.share)).collect();
        close(&points, &vector.calibration, &vector.name);
        assert!((bins::calibration_error(&bins) - vector.ece).abs() < 1e-12, "{}", vector.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn anything_can_be_drawn(
        rows in prop::collection::vec((0_u8..2, 0.0..=1.0_f64, -1e9..1e9_f64), 1..60),
        bins in 2_usize..50,
    ) {
        let scores: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let truth = Column::from_s64(rows.iter().map(|row| i64::from(row.0)));
        let page = drawn(json!({ "bins": bins }), &evaluation(truth, binary_table(&scores), None), &[]).unwrap();
        prop_assert!(!page.html.contains("NaN"));
        let predicted = Table::from_columns([("prediction", Column::from_f64(scores))]);
        let truth = Column::from_f64(rows.iter().map(|row| row.2));
        let page = drawn(json!({ "bins": bins }), &evaluation(truth, predicted, None), &[]).unwrap();
        prop_assert!(!page.html.contains("NaN"));
    }
}
