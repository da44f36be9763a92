//! What must hold for whatever is learned.

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmlops_sdk::testing::{forget, heard, predict, train};
use wasmlops_sdk::{Column, Table};

use super::{binary, columns, multiclass, regression};
use crate::model::Model;
use crate::{Gbdt, GbdtPredictor};

fn curve(name: &str) -> Vec<f64> {
    heard().metrics.iter().filter(|(known, ..)| known == name).map(|&(_, value, _)| value).collect()
}

#[test]
fn the_training_loss_falls() {
    let wanted = [
        (json!({ "task": "regression" }), regression(400, 1), "train_rmse"),
        (json!({ "task": "regression", "loss": "absolute" }), regression(400, 1), "train_mae"),
        (json!({ "task": "regression", "loss": "quantile", "quantile": 0.9 }), regression(400, 1), "train_pinball"),
        (json!({ "task": "binary" }), binary(400, 1), "train_log_loss"),
        (json!({ "task": "multiclass" }), multiclass(400, 1), "train_log_loss"),
        (json!({ "task": "binary", "growth": "depth", "max_depth": 3 }), binary(400, 1), "train_log_loss"),
    ];
    for (mut with, table, metric) in wanted {
        forget();
        with["target"] = "y".into();
        with["n_estimators"] = 30.into();
        train::<Gbdt>(with.clone(), table, Some(regression(1, 1)).filter(|_| with["task"] == "regression")).unwrap();
        let curve = curve(metric);
        assert!(curve.len() >= 3 && curve.windows(2).all(|pair| pair[1] < pair[0]), "{with} {curve:?}");
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let with = json!({
        "task": "multiclass", "target": "y", "subsample": 0.7, "colsample_bytree": 0.5, "seed": 4, "n_estimators": 10,
    });
    let first = train::<Gbdt>(with.clone(), multiclass(300, 1), None).unwrap();
    assert_eq!(first, train::<Gbdt>(with.clone(), multiclass(300, 1), None).unwrap());
    let mut other = with;
    other["seed"] = 5.into();
    assert_ne!(first, train::<Gbdt>(other, multiclass(300, 1), None).unwrap());
}

#[test]
fn early_stopping_keeps_the_best_round() {
    forget();
    let with = json!({
        "task": "binary", "target": "y", "n_estimators": 500, "learning_rate": 0.5, "early_stopping_rounds": 5,
        "metric": "auc",
    });
    let bytes = train::<Gbdt>(with, binary(300, 1), Some(binary(300, 2))).unwrap();
    let curve = curve("validation_auc");
    let best = curve.iter().fold(f64::MIN, |best, &value| best.max(value));
    let round = curve.iter().position(|&value| value == best).unwrap() + 1;
    assert_eq!(curve.len(), round + 5);
    assert_eq!(Model::from_bytes(&bytes).unwrap().trees.len(), round);
    assert_eq!((heard().metric("iterations"), heard().metric("best_auc")), (Some(round as f64), Some(best)));
}

/// Only the ratio of weights counts.
#[test]
fn equal_weights_are_none() {
    for task in ["regression", "binary"] {
        let table = if task == "binary" { binary(300, 1) } else { regression(300, 1) };
        let with = json!({
            "task": task, "target": "y", "n_estimators": 10, "min_child_weight": 0, "cat_l2": 0, "cat_smooth": 0,
        });
        let plain =
            train::<Gbdt>(with.clone(), if task == "binary" { binary(300, 1) } else { regression(300, 1) }, None)
                .unwrap();
        let names = ["a", "b", "c", "text", "y"];
        let weighted = names.into_iter().zip(columns(&table)).chain([("w", Column::from_f64([2.0; 300]))]);
        let mut with = with;
        with["sample_weight"] = "w".into();
        let weighted = train::<Gbdt>(with, Table::from_columns(weighted), None).unwrap();
        let predicted = |bytes: &[u8]| {
            columns(&predict::<GbdtPredictor>(bytes, &table).unwrap()).last().unwrap().numbers().unwrap()
        };
        for (one, two) in predicted(&plain).iter().zip(predicted(&weighted)) {
            assert!((one - two).abs() < 1e-9, "{task} {one} {two}");
        }
    }
}

#[test]
fn quantiles_are_where_they_should_be() {
    for level in [0.1, 0.9] {
        forget();
        let with = json!({ "task": "regression", "target": "y", "loss": "quantile", "quantile": level });
        let table = regression(1000, 1);
        let bytes = train::<Gbdt>(with, regression(1000, 1), None).unwrap();
        let predicted = columns(&predict::<GbdtPredictor>(&bytes, &table).unwrap())[0].numbers().unwrap();
        let truth = columns(&table)[4].numbers().unwrap();
        let below =
            predicted.iter().zip(&truth).filter(|(predicted, truth)| truth <= predicted).count() as f64 / 1000.0;
        assert!((below - level).abs() < 0.08, "{level} {below}");
    }
}

#[test]
fn limits_are_kept() {
    let with = json!({ "task": "regression", "target": "y", "num_leaves": 6, "max_depth": 3, "min_child_samples": 30 });
    let model = Model::from_bytes(&train::<Gbdt>(with, regression(500, 1), None).unwrap()).unwrap();
    for tree in &model.trees {
        assert!(tree.leaves.len() <= 6 && tree.rows.iter().all(|&rows| rows >= 30));
        assert_eq!(tree.rows.iter().sum::<u64>(), 500);
    }
}

#[test]
fn importance_names_all_features() {
    let bytes = train::<Gbdt>(json!({ "task": "regression", "target": "y" }), regression(300, 1), None).unwrap();
    let document = crate::importance::document(&Model::from_bytes(&bytes).unwrap()).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let features = document["features"].as_array().unwrap();
    assert_eq!(features.len(), 4);
    assert!(features.windows(2).all(|pair| pair[0]["gain"].as_f64() >= pair[1]["gain"].as_f64()));
    assert!(features.iter().all(|feature| feature["split"].as_u64().unwrap() > 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn predictions_are_numbers(
        values in prop::collection::vec((any::<Option<f64>>(), -1e50..1e50_f64, 0.0..1e50_f64), 3..60),
        loss in prop::sample::select(vec!["squared", "absolute", "quantile"]),
        depth in 1..4_i64,
        alpha in 0.0..2.0_f64,
    ) {
        let rows = || Table::from_columns([
            ("a", Column::from_f64(values.iter().map(|row| row.0))),
            ("w", Column::from_f64(values.iter().map(|row| row.2))),
            ("y", Column::from_f64(values.iter().map(|row| row.1))),
        ]);
        let with = json!({
            "task": "regression", "target": "y", "loss": loss, "max_depth": depth, "min_child_samples": 1,
            "min_child_weight": 0, "reg_alpha": alpha, "n_estimators": 5, "sample_weight": "w",
        });
        prop_assume!(values.iter().any(|row| row.2 > 0.0));
        let bytes = train::<Gbdt>(with, rows(), None).unwrap();
        let predictions = columns(&predict::<GbdtPredictor>(&bytes, &rows()).unwrap());
        prop_assert!(predictions[0].as_f64().unwrap().iter().all(|value| value.abs() <= 1e52));
    }
}
