//! The plugin through its door, with a model that is a function: golden cases, and results of scikit-learn and scipy.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::testing;

use super::Explain;

/// What the model says of columns `a`, `b` and `c`.
fn said(rows: &Batch) -> Result<Batch> {
    let number = |column: usize, row: usize| rows.columns[column].number(row).unwrap_or(0.0);
    let p = |row: usize| {
        let is_x = rows.columns[2].text(row) == Some("x");
        let z = 1.5 * number(0, row) - number(1, row) + if is_x { 0.8 } else { 0.0 };
        1.0 / (1.0 + (-z).exp())
    };
    let p: Vec<f64> = (0..rows.num_rows).map(p).collect();
    Ok(Batch::new(vec![
        Column::from_categories(p.iter().map(|&p| if p >= 0.5 { "yes" } else { "no" })),
        Column::from_f64(p.iter().map(|p| 1.0 - p)),
        Column::from_f64_slice(&p),
    ]))
}

/// `features` begin with columns `a`, `b` and `c`; the last one is the truth.
fn evaluation(features: Table, target: &str) -> Evaluation {
    let all: Vec<usize> = (0..features.schema().fields.len()).collect();
    let columns = features.columns(&all).unwrap();
    let answers = said(&Batch::new(columns)).unwrap().columns;
    let truth = features.column(features.schema().index_of(target).unwrap()).unwrap();
    Evaluation {
        truth: Some(Table::from_columns([(target, truth)])),
        candidate: Table::from_columns(["prediction", "probability.no", "probability.yes"].into_iter().zip(answers)),
        champion: None,
        features,
    }
}

fn validate(config: Value, evaluation: Evaluation) -> Result<Report> {
    testing::forget();
    testing::lend_model(said);
    testing::validate::<Explain>(config, &Subject::Evaluation(evaluation))
}

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        let table = case.table("table").expect("the case has rows");
        let evaluation = match case.table("model") {
            None => evaluation(table, "ok"),
            Some(candidate) => Evaluation { truth: case.table("truth"), candidate, champion: None, features: table },
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
        let heard = testing::heard();
        heard.metrics.iter().for_each(|(name, value, _)| text.push_str(&format!("{name} = {value:.6}\n")));
        heard.logs.iter().for_each(|line| text.push_str(&format!("log: {line}\n")));
        Ok(text)
    });
}

/// `tests/data/vectors.json`.
#[derive(Deserialize)]
struct Vectors {
    importance: ImportanceVector,
    calibration: Vec<CalibrationVector>,
    slices: SlicesVector,
}

#[derive(Deserialize)]
struct ImportanceVector {
    columns: Columns,
    truth: Vec<String>,
    /// Mean and deviation, by metric and column.
    expected: BTreeMap<String, BTreeMap<String, (f64, f64)>>,
}

#[derive(Deserialize)]
struct Columns {
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<String>,
}

#[derive(Deserialize)]
struct CalibrationVector {
    name: String,
    bins: usize,
    binning: String,
    probabilities: Vec<f64>,
    hits: Vec<bool>,
    brier: f64,
    ece: f64,
    observed: Vec<f64>,
    counts: Vec<u64>,
}

#[derive(Deserialize)]
struct SlicesVector {
    columns: BTreeMap<String, Vec<String>>,
    loss: Vec<f64>,
    expected: Vec<SliceVector>,
}

#[derive(Deserialize)]
struct SliceVector {
    slice: String,
    rows: u64,
    gap: f64,
    effect: f64,
    q: f64,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../tests/data/vectors.json")).unwrap()
}

fn texts(values: &[String]) -> Column {
    Column::from_text(values.iter().map(String::as_str))
}

#[track_caller]
fn close(what: &str, value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what} is {value}, and not {expected}");
}

#[test]
fn importance_agrees_with_scikit_learn() {
    let ImportanceVector { columns: Columns { a, b, c }, truth, expected } = vectors().importance;
    assert_eq!(expected.len(), 4);
    for (metric, expected) in expected {
        let features = Table::from_columns([
            ("a", Column::from_f64_slice(&a)),
            ("b", Column::from_f64_slice(&b)),
            ("c", texts(&c)),
            ("ok", texts(&truth)),
        ]);
        let importance = json!({ "metric": metric, "repeats": 8, "seed": 11 });
        let config = json!({ "calibration": null, "slices": null, "importance": importance });
        let report = validate(config, evaluation(features, "ok")).unwrap();
        for (column, (mean, deviation)) in expected {
            let of = |check: &&Check| check.name == "importance" && check.column.as_deref() == Some(&*column);
            let check = report.checks.iter().find(of).unwrap();
            close(&format!("{metric} of {column}"), check.observed.unwrap(), mean);
            let shown = format!("± {})", wasmlops_statistics::text::number(deviation));
            assert!(check.message.contains(&shown), "{shown}: {}", check.message);
        }
    }
}

#[test]
fn calibration_agrees_with_scikit_learn() {
    for vector in vectors().calibration {
        let CalibrationVector { name, bins, binning, probabilities, hits, brier, ece, observed, counts } = vector;
        let hits = Column::from_bool(hits);
        let evaluation = Evaluation {
            truth: Some(Table::from_columns([("hit", hits.clone())])),
            candidate: Table::from_columns([
                (
                    "prediction",
                    Column::from_categories(probabilities.iter().map(|p| if *p >= 0.5 { "true" } else { "false" })),
                ),
                ("probability.false", Column::from_f64(probabilities.iter().map(|p| 1.0 - p))),
                ("probability.true", Column::from_f64_slice(&probabilities)),
            ]),
            champion: None,
            features: Table::from_columns([("hit", hits)]),
        };
        let calibration = json!({ "bins": bins, "binning": binning });
        let config = json!({ "calibration": calibration, "slices": null, "importance": null });
        let report = validate(config, evaluation).unwrap();
        close(&name, testing::heard().metric("brier").unwrap(), brier);
        close(&name, testing::heard().metric("ece").unwrap(), ece);
        let table: Vec<&Check> = report.checks.iter().filter(|check| check.name == "reliability").collect();
        assert_eq!(table.iter().map(|check| check.count).collect::<Vec<_>>(), counts, "{name}");
        table.iter().zip(observed).for_each(|(check, observed)| close(&name, check.observed.unwrap(), observed));
    }
}

#[test]
fn slices_agree_with_scipy() {
    let SlicesVector { columns, loss, expected } = vectors().slices;
    assert!(!expected.is_empty());
    let evaluation = Evaluation {
        truth: Some(Table::from_columns([("y", Column::from_f64(loss.iter().map(|_| 0.0)))])),
        candidate: Table::from_columns([("prediction", Column::from_f64_slice(&loss))]),
        champion: None,
        features: Table::from_columns(columns.iter().map(|(name, values)| (name.as_str(), texts(values)))),
    };
    let config = json!({ "importance": null, "slices": { "min_rows": 20 }, "max_slice_gap": 1.0 });
    let report = validate(config, evaluation).unwrap();
    let found: Vec<&Check> = report.checks.iter().filter(|check| check.name == "slice").collect();
    assert_eq!(found.len(), expected.len(), "{:?}", found);
    for (check, expected) in found.iter().zip(expected) {
        assert_eq!((check.slice.as_deref(), check.count), (Some(&*expected.slice), expected.rows));
        close(&expected.slice, check.observed.unwrap(), expected.gap);
        let number = wasmlops_statistics::text::number;
        let shown = format!("(effect {}, q {})", number(expected.effect), number(expected.q));
        assert!(check.message.contains(&shown), "{shown}: {}", check.message);
        assert_eq!(check.passed, expected.gap <= 1.0);
    }
}

/// `rows` rows in which `c` decides and a copy of the target leaks.
fn table(rows: usize) -> Table {
    let number = |row: usize| ((row * 7919) % 101) as f64 / 50.0 - 1.0;
    Table::from_columns([
        ("a", Column::from_f64((0..rows).map(number))),
        ("b", Column::from_f64((0..rows).map(|row| number(row + 3)))),
        ("c", Column::from_categories((0..rows).map(|row| ["x", "y"][row % 2]))),
        ("ok", Column::from_categories((0..rows).map(|row| ["no", "yes"][usize::from(number(row) > 0.2)]))),
    ])
}

#[test]
fn rows_are_drawn_over_all_batches() {
    let config = json!({ "calibration": null, "slices": null, "importance": { "max_rows": 9000, "repeats": 1 } });
    let report = validate(config.clone(), evaluation(table(30_000), "ok")).unwrap();
    assert!(report.passed, "{}", report.summary);
    assert_eq!(report.checks[0].name, "same_predictions");
    assert_eq!(report, validate(config, evaluation(table(30_000), "ok")).unwrap(), "the same seed, the same report");
}

#[test]
fn a_model_that_reads_its_target_is_found_out() {
    testing::forget();
    testing::lend_model(|rows| {
        let p: Vec<f64> = rows.columns[3].texts().map(|text| if text == Some("yes") { 0.9 } else { 0.1 }).collect();
        let class = p.iter().map(|&p| if p > 0.5 { "yes" } else { "no" });
        Ok(Batch::new(vec![
            Column::from_categories(class),
            Column::from_f64(p.iter().map(|p| 1.0 - p)),
            Column::from_f64_slice(&p),
        ]))
    });
    let evaluation = Subject::Evaluation(evaluation(table(100), "ok"));
    let config = json!({ "calibration": null, "slices": null });
    let report = testing::validate::<Explain>(config, &evaluation).unwrap();
    let failed: Vec<&str> = report.checks.iter().filter(|check| !check.passed).map(|check| &*check.name).collect();
    // The evaluation's predictions were another model's.
    assert_eq!(failed, ["same_predictions", "target_unread"]);
}

#[test]
fn one_column_with_most_of_the_importance_is_a_suspected_leak() {
    let config = json!({ "calibration": null, "slices": null, "max_importance_share": 0.6 });
    let report = validate(config, evaluation(table(500), "ok")).unwrap();
    let failed: Vec<_> = report.checks.iter().filter(|check| !check.passed).collect();
    assert_eq!((failed.len(), failed[0].column.as_deref()), (1, Some("a")));
    assert!(failed[0].message.ends_with("a suspected leak"));
}

#[test]
fn mistakes() {
    let field = |config: Value| validate(config, evaluation(table(50), "ok")).unwrap_err().field.unwrap();
    assert_eq!(field(json!({ "max_ece": 0.1, "calibration": null })), "max_ece");
    assert_eq!(field(json!({ "positive": "maybe" })), "positive");
    assert_eq!(field(json!({ "slices": { "loss": "absolute" } })), "slices.loss");
    assert_eq!(field(json!({ "slices": { "columns": ["a", "z"] } })), "slices.columns.1");
    assert_eq!(field(json!({ "importance": { "metric": "r2" } })), "importance.metric");
    assert_eq!(field(json!({ "importance": { "exclude": ["z"] } })), "importance.exclude.0");
    let refused = testing::validate::<Explain>(json!({}), &Subject::Table(table(3))).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("model"));
}
