//! A column that says nothing must not look as if it did: what cross-fitting is for.

use serde_json::{Value, json};
use wasmlops_sdk::testing::{apply, fit};
use wasmlops_sdk::{Column, Table};

use crate::TabularFeatures;
use crate::hashing::mix;

/// Rows with a code of many values, and a label, both random.
fn noise(rows: u64, codes: u64, seed: u64) -> Table {
    let random = |row: u64, what: u64| mix(mix(seed + what).wrapping_add(row));
    let texts: Vec<String> = (0..rows).map(|row| format!("code {}", random(row, 1) % codes)).collect();
    Table::from_columns([
        ("code", Column::from_text(texts.iter().map(String::as_str).collect::<Vec<_>>())),
        ("amount", Column::from_f64((0..rows).map(|row| (random(row, 2) >> 11) as f64))),
        ("label", Column::from_bool((0..rows).map(|row| random(row, 3) % 2 == 0))),
    ])
}

fn auc_of_training_rows(table: &Table, target_encoding: Value) -> f64 {
    let with = json!({ "target": "label", "encode": { "code": ["target"] }, "target_encoding": target_encoding });
    let state = fit::<TabularFeatures>(with, table).unwrap();
    auc(&apply::<TabularFeatures>(&state, table).unwrap())
}

/// The area under the ROC curve of the feature `code.target`, by ranks, ties halved.
fn auc(features: &Table) -> f64 {
    let column = |name: &str| features.column(features.schema().index_of(name).unwrap()).unwrap();
    let (scores, labels) = (column("code.target").numbers().unwrap(), column("label").numbers().unwrap());
    let mut rows: Vec<(f64, f64)> = scores.into_iter().zip(labels).collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut above, mut negatives, mut start) = (0.0, 0.0, 0);
    while start < rows.len() {
        let tied = rows[start..].iter().take_while(|row| row.0 == rows[start].0).count();
        let positive: f64 = rows[start..start + tied].iter().map(|row| row.1).sum();
        let negative = tied as f64 - positive;
        above += positive * (negatives + 0.5 * negative);
        negatives += negative;
        start += tied;
    }
    above / (negatives * (rows.len() as f64 - negatives))
}

#[test]
fn a_random_column_says_nothing_with_cross_fitting_and_much_without() {
    for seed in [1, 2, 3] {
        let table = noise(6000, 1500, seed);
        let fitted = auc_of_training_rows(&table, json!({}));
        // A standard error is 0.0075; the means of the other folds lean a little the other way, as in scikit-learn.
        assert!((0.46..0.53).contains(&fitted), "seed {seed}: {fitted}");
        let leaking = auc_of_training_rows(&table, json!({ "cross_fit": { "folds": 0 } }));
        assert!(leaking > 0.75, "seed {seed}: {leaking}");
    }
}

#[test]
fn rows_that_are_alike_say_nothing_of_each_other() {
    // No column but the code: rows with one code share a fold, so that no label of theirs is seen.
    let table = noise(6000, 300, 4);
    let columns = table.columns(&[0, 2]).unwrap();
    let [code, label] = <[Column; 2]>::try_from(columns).unwrap();
    let fitted = auc_of_training_rows(&Table::from_columns([("code", code), ("label", label)]), json!({}));
    assert!((0.45..0.55).contains(&fitted), "{fitted}");
}

#[test]
fn other_rows_and_rows_without_a_label_get_the_whole() {
    let (table, others) = (noise(2000, 50, 5), noise(500, 50, 6));
    let with = json!({ "target": "label", "encode": { "code": ["target"] } });
    let state = fit::<TabularFeatures>(with.clone(), &table).unwrap();
    let whole = fit::<TabularFeatures>(
        json!({
            "target": "label", "scale": "none", "encode": { "code": ["target"] },
            "target_encoding": { "cross_fit": { "folds": 0 } },
        }),
        &table,
    )
    .unwrap();
    let plain = json!({ "target": "label", "scale": "none", "encode": { "code": ["target"] } });
    let unscaled = fit::<TabularFeatures>(plain, &table).unwrap();
    let values = |state: &[u8], table: &Table| apply::<TabularFeatures>(state, table).unwrap().column(0).unwrap();
    assert_eq!(values(&unscaled, &others), values(&whole, &others), "rows of another table");
    let serving = Table::from_columns([("amount", table.column(1).unwrap()), ("code", table.column(0).unwrap())]);
    assert_eq!(values(&unscaled, &serving), values(&whole, &serving), "no label, no rows learned from");
    assert_ne!(values(&unscaled, &table), values(&whole, &table));
    assert!(apply::<TabularFeatures>(&state, &others).is_ok());
}

#[test]
fn what_tells_rows_apart_costs_five_and_a_third_bytes_a_row() {
    let table = noise(20_000, 100, 7);
    let size = |folds: usize| {
        let target_encoding = json!({ "cross_fit": { "folds": folds } });
        let with = json!({ "target": "label", "encode": { "code": ["target"] }, "target_encoding": target_encoding });
        fit::<TabularFeatures>(with, &table).unwrap().len()
    };
    let more = size(5) - size(0);
    // Besides the rows, five lists of a hundred means.
    assert!((20_000 * 16 / 3..20_000 * 16 / 3 + 5 * 100 * 25 + 500).contains(&more), "{more}");
}
