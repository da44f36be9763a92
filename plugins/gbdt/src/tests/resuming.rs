//! A training that goes on from a checkpoint gives what one without a stop gives.

use serde_json::{Value, json};
use wasmlops_sdk::testing::{forget, heard, train};
use wasmlops_sdk::{Table, checkpoint};

use super::{binary, multiclass, regression};
use crate::Gbdt;

fn check(mut with: Value, rows: fn(usize, u64) -> Table, is_watched: bool) {
    with["target"] = "y".into();
    let run = |rounds: u64| {
        let mut with = with.clone();
        with["n_estimators"] = rounds.into();
        train::<Gbdt>(with, rows(300, 1), is_watched.then(|| rows(200, 2)))
    };
    forget();
    let whole = run(24).unwrap();
    let metrics = heard().metrics;
    for stop in [1, 7, 16] {
        forget();
        run(stop).unwrap();
        let kept = heard().checkpoint.expect("each round keeps one");
        forget();
        checkpoint::save(&kept).unwrap();
        assert_eq!(run(24).unwrap(), whole, "{with}, stopped after {stop}");
        if is_watched {
            assert_eq!(heard().metrics, metrics);
        }
    }
}

#[test]
fn the_same_bytes() {
    check(json!({ "task": "regression", "checkpoint_every": 1 }), regression, false);
    check(json!({ "task": "regression", "loss": "absolute", "checkpoint_every": 1 }), regression, true);
    let sampled = json!({
        "task": "binary", "checkpoint_every": 1, "subsample": 0.6, "subsample_freq": 3, "colsample_bytree": 0.5,
        "early_stopping_rounds": 30, "metric": "auc",
    });
    check(sampled, binary, true);
    check(json!({ "task": "multiclass", "checkpoint_every": 1, "subsample": 0.8 }), multiclass, true);
}

#[test]
fn another_checkpoint_is_passed_over() {
    forget();
    let with = json!({ "task": "regression", "target": "y", "n_estimators": 3 });
    let whole = train::<Gbdt>(with.clone(), regression(100, 1), None).unwrap();
    for other in [b"something".to_vec(), whole.clone()] {
        forget();
        checkpoint::save(&other).unwrap();
        assert_eq!(train::<Gbdt>(with.clone(), regression(100, 1), None).unwrap(), whole);
        assert!(heard().logs[0].contains("starting anew"), "{:?}", heard().logs);
    }
}
