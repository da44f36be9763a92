//! What holds for any rows: each stands for itself, in any order of columns, and nothing makes the plugin panic.

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmlops_sdk::testing::{apply, fit};
use wasmlops_sdk::{Batch, Column, ErrorCode, Schema, Table, Transform};

use crate::TabularFeatures;

/// A row of a number, a text, an instant, a `bool` and a label.
type Row = (Option<f64>, Option<String>, Option<i64>, Option<bool>, Option<f64>);

fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        40 => (-100.0..100.0_f64).prop_map(Some),
        12 => (0..5_i32).prop_map(|whole| Some(f64::from(whole))),
        6 => Just(None),
        1 => prop::sample::select(vec![f64::NAN, -0.0, 1e300, -1e300, 1e-300]).prop_map(Some),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![4 => "[abc]", 1 => "\\PC{0,12}"];
    let instant = prop_oneof![4 => 0..2_000_000_000_000_000_i64, 1 => any::<i64>()];
    (
        number(),
        prop::option::of(text),
        prop::option::of(instant),
        any::<Option<bool>>(),
        prop::option::weighted(0.9, 0.0..3.0_f64),
    )
}

fn table(rows: &[Row]) -> Table {
    Table::from_columns([
        ("number", Column::from_f64(rows.iter().map(|row| row.0))),
        ("text", Column::from_text(rows.iter().map(|row| row.1.as_deref()))),
        ("at", Column::from_timestamp(rows.iter().map(|row| row.2))),
        ("flag", Column::from_bool(rows.iter().map(|row| row.3))),
        ("label", Column::from_f64(rows.iter().map(|row| row.4.map(f64::floor)))),
    ])
}

fn configs() -> Vec<Value> {
    let everything = json!({
        "number": ["number", { "bins": { "quantile": 3 } }, "power", "ordinal", { "one_hot_bins": { "edges": [0.0] } }],
        "text": [
            "one_hot", "ordinal", "target", "frequency", "length", "words", { "hash": { "features": 3 } }, "category",
        ],
        "at": [{ "parts": ["week", "day_of_year"] }, { "cycles": ["hour", "day"] }, { "since": "2000-01-01" }],
        "flag": ["number", "target"],
    });
    let interactions = json!([{ "ratio": ["number", "flag"] }]);
    vec![
        json!({ "target": "label" }),
        json!({ "target": "label", "profile": "trees", "indicate_missing": true }),
        json!({ "target": "label", "encode": everything, "indicate_missing": true }),
        json!({ "target": "label", "profile": "trees", "encode": everything, "interactions": interactions }),
        json!({ "drop": ["label", "at"], "scale": "robust", "one_hot": { "min_count": 2, "pool": true } }),
        json!({ "target": "label", "encode": { "text": ["target"] }, "target_encoding": { "task": "multiclass" } }),
    ]
}

/// Some features, or a typed error.
fn fitted(with: &Value, table: &Table) -> Option<Vec<u8>> {
    match fit::<TabularFeatures>(with.clone(), table) {
        Ok(state) => Some(state),
        Err(error) => {
            assert_eq!(error.code, ErrorCode::InvalidInput, "{error}");
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn rows_stand_for_themselves(
        rows in prop::collection::vec(row(), 1..40),
        more in prop::collection::vec(row(), 1..10),
    ) {
        let (learned, others) = (table(&rows), table(&more));
        for with in configs() {
            let Some(state) = fitted(&with, &learned) else { continue };
            let again = fitted(&with, &learned).unwrap_or_default();
            prop_assert_eq!(&state, &again);
            for table in [&learned, &others] {
                let transform = TabularFeatures::load(&state, table.schema()).unwrap();
                let all = [0, 1, 2, 3, 4];
                let Ok(whole) = transform.apply(&table.read(&all, 0, usize::MAX).unwrap()) else { continue };
                check(&transform, &whole)?;
                for row in 0..table.num_rows() {
                    let alone = transform.apply(&table.read(&all, row, 1).unwrap()).unwrap();
                    for (all, one) in whole.columns.iter().zip(&alone.columns) {
                        prop_assert_eq!(&all.take(&[row]), one);
                    }
                }
                let turned = [4, 2, 0, 3, 1];
                let schema = Schema::new(turned.iter().map(|&index| table.schema().fields[index].clone()).collect());
                let transform = TabularFeatures::load(&state, &schema).unwrap();
                prop_assert_eq!(&transform.apply(&table.read(&turned, 0, usize::MAX).unwrap()).unwrap(), &whole);
            }
        }
    }

    #[test]
    fn infinite_values_are_refused(rows in prop::collection::vec(row(), 2..20), place in 0..20_usize) {
        let mut rows = rows;
        let place = place % rows.len();
        for with in configs() {
            let Some(state) = fitted(&with, &table(&rows)) else { continue };
            let mut odd = rows.clone();
            odd[place].0 = Some(f64::INFINITY);
            if with.get("encode").is_none_or(|encode| encode.get("number").is_some()) {
                prop_assert!(apply::<TabularFeatures>(&state, &table(&odd)).is_err());
            }
        }
        rows[place].0 = Some(f64::NEG_INFINITY);
        let refused = fit::<TabularFeatures>(json!({}), &table(&rows));
        prop_assert!(refused.is_err());
    }
}

/// What the host checks: columns as promised, and numbers that are numbers.
fn check(transform: &TabularFeatures, batch: &Batch) -> Result<(), TestCaseError> {
    prop_assert_eq!(transform.output().fields.len(), batch.columns.len());
    for (field, column) in transform.output().fields.iter().zip(&batch.columns) {
        prop_assert_eq!(field.data_type, column.data_type());
        prop_assert_eq!(column.len(), batch.num_rows);
        if field.name == "label" {
            continue;
        }
        prop_assert!(field.nullable || column.null_count() == 0, "`{}` has nulls", field.name);
        let numbers = column.as_f64().unwrap_or_default();
        prop_assert!(numbers.iter().all(|value| value.is_finite()), "`{}` has other values than numbers", field.name);
    }
    Ok(())
}
