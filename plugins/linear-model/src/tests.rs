//! The plugin through its doors. A case in `cases/` trains on `train.csv`, predicts `rows.csv` (or `train.csv`), and
//! expects the model, the predictions and what was logged, with numbers to 6 digits.

mod vectors;

use serde_json::{Value, json};
use wasmlops_sdk::testing::{forget, golden_cases, heard, predict, train};
use wasmlops_sdk::{Column, DataType, ErrorCode, Field, Predictor, Schema, Table, decode};

use crate::model::Model;
use crate::{LinearModel, LinearPredictor};

#[test]
fn golden() {
    golden_cases("cases", |case| {
        forget();
        let table = case.table("train").expect("each case has a train.csv");
        let rows = case.table("rows").or_else(|| case.table("train")).expect("each case has rows");
        let model = train::<LinearModel>(case.config(), table, case.table("validation"))?;
        let predictions = predict::<LinearPredictor>(&model, &rows)?;
        let metrics: Vec<String> = heard()
            .metrics
            .iter()
            .filter(|(name, _, step)| *step == 0 && (name != "train_loss" || heard().metric("iterations").is_none()))
            .map(|(name, value, _)| format!("{name} = {}", short(*value)))
            .collect();
        let mut text = format!("{}\n\n{}", shown(&decode(&model)?), table_text(&predictions));
        text += &format!("\n{}\n{}", metrics.join("\n"), heard().logs.join("\n"));
        Ok(text)
    });
}

fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').replace("-0", if value.abs() < 5e-7 { "0" } else { "-0" })
}

fn shown(model: &Value) -> String {
    match model {
        Value::Number(number) => number.as_f64().map_or_else(String::new, short),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(parts) => {
            parts.iter().map(|(key, part)| format!("{key}: {}", shown(part))).collect::<Vec<_>>().join("\n")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table_text(table: &Table) -> String {
    let all: Vec<usize> = (0..table.schema().fields.len()).collect();
    let columns = table.columns(&all).unwrap();
    let cell = |column: &Column, row| column.number(row).map_or_else(|| column.display(row), short);
    let row = |row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(",") + "\n";
    let header = table.schema().names().collect::<Vec<_>>().join(",") + "\n";
    header + &(0..table.num_rows()).map(row).collect::<String>()
}

fn small() -> Table {
    Table::from_columns([
        ("a", Column::from_f64([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])),
        ("b", Column::from_bool([true, false, true, false, false, true])),
        ("y", Column::from_s64([0, 0, 1, 0, 1, 1])),
    ])
}

fn error(with: Value, table: Table) -> wasmlops_sdk::Error {
    train::<LinearModel>(with, table, None).expect_err("this must be refused")
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let with = json!({ "task": "binary", "target": "y" });
    let first = train::<LinearModel>(with.clone(), small(), None).unwrap();
    assert_eq!(first, train::<LinearModel>(with, small(), None).unwrap());
}

#[test]
fn metrics_tell_the_curve() {
    forget();
    train::<LinearModel>(json!({ "task": "binary", "target": "y" }), small(), Some(small())).unwrap();
    let heard = heard();
    let curve: Vec<f64> =
        heard.metrics.iter().filter(|(name, ..)| name == "train_loss").map(|&(_, value, _)| value).collect();
    assert!((curve[0] - 2.0_f64.ln()).abs() < 1e-12, "balanced classes start at ln 2: {curve:?}");
    assert_eq!(heard.metric("iterations"), Some((curve.len() - 1) as f64));
    assert_eq!(heard.metric("converged"), Some(1.0));
    let difference = heard.metric("validation_loss").unwrap() - curve[curve.len() - 1];
    assert!(difference.abs() < 1e-12, "the same rows have the same loss");
}

#[test]
fn no_convergence_is_a_warning() {
    forget();
    let with = json!({ "task": "binary", "target": "y", "max_iter": 1, "tolerance": 1e-9 });
    train::<LinearModel>(with, small(), None).unwrap();
    assert_eq!(heard().metric("converged"), Some(0.0));
    assert!(heard().logs[0].starts_with("no convergence after 1 iterations"), "{:?}", heard().logs);
}

#[test]
fn other_order_and_more_columns_are_fine() {
    let model = train::<LinearModel>(json!({ "task": "binary", "target": "y" }), small(), None).unwrap();
    let rows = Table::from_columns([
        ("extra", Column::from_text(["x"])),
        ("b", Column::from_bool([true])),
        ("a", Column::from_f64([0.0])),
    ]);
    let alone = predict::<LinearPredictor>(&model, &rows).unwrap().columns(&[0, 1, 2]).unwrap();
    let among = predict::<LinearPredictor>(&model, &small()).unwrap().columns(&[0, 1, 2]).unwrap();
    for (alone, among) in alone.iter().zip(&among) {
        assert_eq!(*alone, among.take(&[0]));
    }
}

#[test]
fn load_names_every_feature_that_does_not_fit() {
    let model = train::<LinearModel>(json!({ "task": "regression", "target": "y" }), small(), None).unwrap();
    let input = Schema::new(vec![Field::new("a", DataType::Utf8, false)]);
    let error = LinearPredictor::load(&model, &input).err().unwrap();
    assert_eq!(error.code, ErrorCode::InvalidInput);
    assert!(error.message.contains("`a` is `utf8`") && error.message.contains("`b` is missing"), "{}", error.message);
}

#[test]
fn foreign_models_are_refused() {
    let schema = Schema::new(vec![Field::new("a", DataType::F64, false)]);
    let wrong = json!({
        "task": "binary", "target": "y", "features": ["a"], "classes": ["0", "1"],
        "coefficients": [[1, 2]], "intercepts": [0],
    });
    for bytes in ["", "{}", &wrong.to_string()] {
        assert_eq!(LinearPredictor::load(bytes.as_bytes(), &schema).err().unwrap().code, ErrorCode::InvalidInput);
    }
}

#[test]
fn missing_features_are_refused_in_predictions() {
    let model = train::<LinearModel>(json!({ "task": "regression", "target": "y" }), small(), None).unwrap();
    for value in [None, Some(f64::NAN), Some(f64::INFINITY)] {
        let rows =
            Table::from_columns([("a", Column::from_f64([Some(1.0), value])), ("b", Column::from_bool([true, true]))]);
        let error = predict::<LinearPredictor>(&model, &rows).err().unwrap();
        assert!(error.message.contains("`a` is missing or infinite in row 1"), "{}", error.message);
    }
}

#[test]
fn no_rows_and_no_features() {
    let empty = Table::from_columns([("a", Column::from_f64([0.0; 0])), ("y", Column::from_s64([0; 0]))]);
    assert!(error(json!({ "task": "binary", "target": "y" }), empty).message.contains("no rows"));
    let bare = Table::from_columns([("y", Column::from_s64([0, 1]))]);
    assert!(error(json!({ "task": "binary", "target": "y" }), bare).message.contains("no numeric column"));
}

/// Values so large that their squares are no numbers, and constant and empty-handed features.
#[test]
fn odd_numbers_give_no_nan() {
    let y = || Column::from_s64([0, 1, 1, 0]);
    let table = |values: [f64; 4]| {
        Table::from_columns([("a", Column::from_f64(values)), ("one", Column::from_f64([0.1; 4])), ("y", y())])
    };
    for task in ["binary", "regression"] {
        let with = || json!({ "task": task, "target": "y" });
        for values in
            [[0.0; 4], [1e-200, 2e-200, 3e-200, 0.0], [1e9, 1e9 + 1.0, 1e9 + 2.0, 1e9], [1e100, 0.0, -1e100, 1.0]]
        {
            let model: Model = decode(&train::<LinearModel>(with(), table(values), None).unwrap()).unwrap();
            assert!(model.is_finite() && model.coefficients[0][1].abs() < 1e-9, "{task} {values:?} {model:?}");
        }
        let error = error(with(), table([1e200, 0.0, -1e200, 1.0]));
        assert!(error.message.contains("beyond 1e150: `a` (2 of 4 rows, first row 0)"), "{}", error.message);
    }
}

#[test]
fn options_of_another_task_are_refused() {
    let wrong = [
        (json!({ "task": "regression", "c": 1.0 }), "c"),
        (json!({ "task": "binary", "alpha": 1.0 }), "alpha"),
        (json!({ "task": "regression", "class_weight": "balanced" }), "class_weight"),
        (json!({ "task": "multiclass", "positive": "1" }), "positive"),
        (json!({ "task": "binary", "c": 0 }), "c"),
        (json!({ "task": "binary", "positive": 2 }), "positive"),
        (json!({ "task": "binary", "sample_weight": "w" }), "sample_weight"),
        (json!({ "task": "binary", "features": ["a", "a"] }), "features"),
        (json!({ "task": "binary", "features": ["y"] }), "features"),
    ];
    for (mut with, field) in wrong {
        with["target"] = "y".into();
        let error = error(with, small());
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidConfig, Some(field)), "{}", error.message);
    }
}
