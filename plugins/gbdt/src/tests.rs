//! The plugin through its doors. A case in `cases/` trains on `train.csv`, predicts `rows.csv` (or `train.csv`), and
//! expects the features' importance, the predictions and what was told, with numbers to 6 digits.

mod contributions;
mod documents;
mod learning;
mod resuming;
mod vectors;

use serde_json::{Value, json};
use wasmlops_sdk::testing::{forget, golden_cases, heard, predict, train};
use wasmlops_sdk::{Column, ErrorCode, Field, Predictor, Schema, Table};

use crate::model::Model;
use crate::{Gbdt, GbdtPredictor};

#[test]
fn golden() {
    golden_cases("cases", |case| {
        forget();
        let table = case.table("train").expect("each case has a train.csv");
        let rows = case.table("rows").or_else(|| case.table("train")).expect("each case has rows");
        let bytes = train::<Gbdt>(case.config(), table, case.table("validation"))?;
        let model = Model::from_bytes(&bytes)?;
        let predictions = predict::<GbdtPredictor>(&bytes, &rows)?;
        let mut text = format!("{} trees\n", model.trees.len());
        for feature in &model.header.features {
            text += &format!("{}: gain {}, {} splits\n", feature.name, short(feature.gain), feature.splits);
        }
        text += &format!("\n{}\n", table_text(&predictions));
        for (name, value, step) in heard().metrics {
            text += &format!("{name} {step} = {}\n", short(value));
        }
        Ok(text + &heard().logs.join("\n"))
    });
}

fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn table_text(table: &Table) -> String {
    let columns = columns(table);
    let cell = |column: &Column, row| column.number(row).map_or_else(|| column.display(row), short);
    let row = |row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(",") + "\n";
    let header = table.schema().names().collect::<Vec<_>>().join(",") + "\n";
    header + &(0..table.num_rows()).map(row).collect::<String>()
}

fn columns(table: &Table) -> Vec<Column> {
    let all: Vec<usize> = (0..table.schema().fields.len()).collect();
    table.columns(&all).unwrap()
}

/// Numbers by column, texts, and the target.
type Rows = (Vec<Vec<Option<f64>>>, Vec<&'static str>, Vec<f64>);

/// Rows of three numbers, one with gaps, and a text, whose target follows from all of them; the same each time.
fn rows(count: usize, seed: u64) -> Rows {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let (mut numbers, mut texts, mut target) = (vec![Vec::new(); 3], Vec::new(), Vec::new());
    for _ in 0..count {
        let (a, b, c) = (next() * 4.0 - 2.0, next(), (next() * 5.0).floor());
        let text = ["red", "green", "blue", "white", "black", "grey"][(next() * 6.0) as usize];
        let is_gone = next() < 0.2;
        let of_text = if ["red", "blue", "grey"].contains(&text) { 1.0 } else { -0.5 };
        target.push(a * a + if is_gone { 1.5 } else { b } + of_text * c + next() * 0.2);
        [Some(a), (!is_gone).then_some(b), Some(c)]
            .into_iter()
            .zip(&mut numbers)
            .for_each(|(value, to)| to.push(value));
        texts.push(text);
    }
    (numbers, texts, target)
}

fn table(count: usize, seed: u64, target: impl Fn(f64) -> f64) -> Table {
    let (numbers, texts, values) = rows(count, seed);
    let mut columns: Vec<(&str, Column)> = ["a", "b", "c"]
        .into_iter()
        .zip(&numbers)
        .map(|(name, values)| (name, Column::from_f64(values.clone())))
        .collect();
    columns.push(("text", Column::from_categories(texts)));
    let values: Vec<f64> = values.into_iter().map(target).collect();
    columns.push(("y", Column::from_f64(values)));
    Table::from_columns(columns)
}

fn regression(count: usize, seed: u64) -> Table {
    table(count, seed, |value| value)
}

fn binary(count: usize, seed: u64) -> Table {
    table(count, seed, |value| f64::from(u8::from(value > 2.0)))
}

fn multiclass(count: usize, seed: u64) -> Table {
    table(count, seed, |value| (value / 2.0).floor().clamp(0.0, 2.0))
}

fn error(with: Value, table: Table) -> wasmlops_sdk::Error {
    train::<Gbdt>(with, table, None).expect_err("this must be refused")
}

#[test]
fn other_order_and_more_columns_are_fine() {
    let bytes = train::<Gbdt>(json!({ "task": "regression", "target": "y" }), regression(300, 1), None).unwrap();
    let rows = Table::from_columns([
        ("extra", Column::from_text(["x"])),
        ("text", Column::from_text(["red"])),
        ("c", Column::from_s64([3])),
        ("b", Column::from_f64([None::<f64>])),
        ("a", Column::from_f64([0.5])),
    ]);
    let other = Table::from_columns([
        ("a", Column::from_f64([0.5])),
        ("b", Column::from_f64([f64::NAN])),
        ("c", Column::from_f64([3.0])),
        ("text", Column::from_categories(["red"])),
    ]);
    let [one, two] = [rows, other].map(|rows| columns(&predict::<GbdtPredictor>(&bytes, &rows).unwrap()));
    assert_eq!(one, two, "NaN is missing, and text is text however it is kept");
}

#[test]
fn unseen_categories_are_missing() {
    let bytes = train::<Gbdt>(json!({ "task": "binary", "target": "y" }), binary(500, 1), None).unwrap();
    let row = |text: Option<&'static str>| {
        let number = || Column::from_f64([0.5]);
        let text = Column::from_text([text]);
        let rows = Table::from_columns([("a", number()), ("b", number()), ("c", number()), ("text", text)]);
        columns(&predict::<GbdtPredictor>(&bytes, &rows).unwrap())
    };
    assert_eq!(row(Some("mauve")), row(None));
}

#[test]
fn load_names_every_feature_that_does_not_fit() {
    let bytes = train::<Gbdt>(json!({ "task": "regression", "target": "y" }), regression(100, 1), None).unwrap();
    let field = |name, data_type| Field::new(name, data_type, false);
    use wasmlops_sdk::DataType::{F64, Utf8};
    let input = Schema::new(vec![field("a", Utf8), field("b", F64), field("text", F64)]);
    let error = GbdtPredictor::load(&bytes, &input).err().unwrap();
    assert_eq!(error.code, ErrorCode::InvalidInput);
    for what in ["`a` is `utf8` and was a number", "`c` is missing", "`text` is `f64` and was text"] {
        assert!(error.message.contains(what), "{}", error.message);
    }
}

#[test]
fn wrong_options_are_refused() {
    let wrong = [
        (json!({ "task": "regression", "class_weight": "balanced" }), "class_weight"),
        (json!({ "task": "regression", "positive": "1" }), "positive"),
        (json!({ "task": "multiclass", "positive": "1" }), "positive"),
        (json!({ "task": "binary", "positive": 2 }), "positive"),
        (json!({ "task": "binary", "loss": "absolute" }), "loss"),
        (json!({ "task": "regression", "quantile": 0.5 }), "quantile"),
        (json!({ "task": "regression", "loss": "quantile", "quantile": 1.0 }), "quantile"),
        (json!({ "task": "binary", "early_stopping_rounds": 5 }), "early_stopping_rounds"),
        (json!({ "task": "multiclass", "metric": "auc" }), "metric"),
        (json!({ "task": "regression", "metric": "pinball" }), "metric"),
        (json!({ "task": "binary", "learning_rate": 0 }), "learning_rate"),
        (json!({ "task": "binary", "subsample": 1.5 }), "subsample"),
        (json!({ "task": "binary", "colsample_bytree": 0 }), "colsample_bytree"),
        (json!({ "task": "binary", "max_bin": 256 }), "max_bin"),
        (json!({ "task": "binary", "num_leaves": 1 }), "num_leaves"),
        (json!({ "task": "binary", "reg_lambda": -1 }), "reg_lambda"),
        (json!({ "task": "binary", "sample_weight": "w" }), "sample_weight"),
        (json!({ "task": "binary", "features": ["a", "a"] }), "features"),
        (json!({ "task": "binary", "features": ["y"] }), "features"),
    ];
    for (mut with, field) in wrong {
        with["target"] = "y".into();
        let error = error(with, binary(50, 1));
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidConfig, Some(field)), "{}", error.message);
    }
    let both = error(json!({ "task": "binary", "target": "y", "loss": "squared", "max_bin": 1 }), binary(50, 1));
    assert!(both.message.contains("`loss`") && both.message.contains("`max_bin`"), "{}", both.message);
}

#[test]
fn odd_tables() {
    let with = || json!({ "task": "regression", "target": "y", "min_child_samples": 1 });
    let y = || Column::from_f64([1.0, 2.0, 4.0]);
    let empty = Table::from_columns([("a", Column::from_f64([0.0; 0])), ("y", Column::from_f64([0.0; 0]))]);
    assert!(error(with(), empty).message.contains("no rows"));
    assert!(error(with(), Table::from_columns([("y", y())])).message.contains("no column to predict from"));
    for values in
        [[Some(0.0); 3], [None; 3], [Some(f64::INFINITY), Some(f64::NEG_INFINITY), None], [None, Some(1.0), None]]
    {
        let rows = || {
            Table::from_columns([
                ("a", Column::from_f64(values)),
                ("none", Column::from_text([None::<&str>; 3])),
                ("y", y()),
            ])
        };
        let bytes = train::<Gbdt>(with(), rows(), None).unwrap();
        let predictions = columns(&predict::<GbdtPredictor>(&bytes, &rows()).unwrap());
        assert!(predictions[0].as_f64().unwrap().iter().all(|value| (1.0..=4.0).contains(value)), "{values:?}");
    }
}
