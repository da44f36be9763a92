//! Features against scikit-learn's, kept in `tests/data/vectors.json`.

use serde::Deserialize;
use serde_json::Value;
use wasmlops_sdk::testing::{apply, fit};
use wasmlops_sdk::{ColumnBuilder, DataType, Table};

use crate::TabularFeatures;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    config: Value,
    table: Vec<Values>,
    /// Absent: the features are those of `table`.
    rows: Option<Vec<Values>>,
    expected: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Values {
    name: String,
    #[serde(rename = "type")]
    data_type: DataType,
    values: Vec<Value>,
}

#[test]
fn features_are_those_of_scikit_learn() {
    let text = include_str!("../../tests/data/vectors.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    assert!(vectors.cases.len() > 50);
    let mut wrong = Vec::new();
    for case in &vectors.cases {
        let table = table(&case.table);
        let state = fit::<TabularFeatures>(case.config.clone(), &table)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let features = apply::<TabularFeatures>(&state, &case.rows.as_deref().map_or(table, self::table)).unwrap();
        for (name, expected) in &case.expected {
            let index = features.schema().index_of(name).unwrap_or_else(|| panic!("{}: no `{name}`", case.name));
            let values = features.column(index).unwrap().numbers().unwrap();
            let expected: Vec<f64> =
                expected.as_array().unwrap().iter().map(|it| it.as_f64().unwrap_or(f64::NAN)).collect();
            assert_eq!(values.len(), expected.len(), "{}: {name}", case.name);
            let farthest =
                values.iter().zip(&expected).map(|(value, expected)| far(*value, *expected)).fold(0.0, f64::max);
            // Both sides look for the likeliest lambda, each to its own precision.
            let tolerance = if name.ends_with(".power") { 1e-6 } else { 1e-12 };
            if farthest.is_nan() || farthest > tolerance {
                wrong.push(format!("{}: `{name}` is {farthest:e} off", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Relative to the size of what is expected, at least 1.
fn far(value: f64, expected: f64) -> f64 {
    if value.is_nan() != expected.is_nan() {
        return f64::INFINITY;
    }
    if value.is_nan() { 0.0 } else { (value - expected).abs() / expected.abs().max(1.0) }
}

fn table(columns: &[Values]) -> Table {
    Table::from_columns(columns.iter().map(|column| {
        let mut builder = ColumnBuilder::new(column.data_type);
        for value in &column.values {
            match (value, column.data_type) {
                (Value::Null, _) => builder.push_null(),
                (_, DataType::Utf8) => builder.push_text(value.as_str().unwrap()),
                (_, DataType::S64) => builder.push_s64(value.as_i64().unwrap()),
                _ => builder.push_f64(value.as_f64().unwrap()),
            }
        }
        (column.name.as_str(), builder.finish())
    }))
}
