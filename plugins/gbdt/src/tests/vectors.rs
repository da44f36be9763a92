//! Quality on held-out rows: `tests/data/vectors.json` holds what LightGBM, XGBoost and scikit-learn reach, written by
//! `tests/make_vectors.py`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use wasmlops_sdk::testing::{forget, heard, train};
use wasmlops_sdk::{Column, Table};

use crate::Gbdt;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    config: Value,
    x: Vec<Vec<Option<f64>>>,
    texts: Option<Vec<String>>,
    y: Vec<f64>,
    /// By library and metric.
    reached: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Vector {
    /// Every third row is held out.
    fn table(&self, is_test: bool) -> Table {
        let rows: Vec<usize> = (0..self.y.len()).filter(|row| (row % 3 == 2) == is_test).collect();
        let names: Vec<String> = (0..self.x.len()).map(|column| format!("x{column}")).collect();
        let numbers = self.x.iter().map(|values| Column::from_f64(values.iter().copied()).take(&rows));
        let mut columns: Vec<(&str, Column)> = names.iter().map(String::as_str).zip(numbers).collect();
        let texts = self.texts.iter().map(|texts| Column::from_text(texts.iter().map(String::as_str)).take(&rows));
        columns.extend(texts.map(|texts| ("text", texts)));
        columns.push(("y", Column::from_f64_slice(&self.y).take(&rows)));
        Table::from_columns(columns)
    }
}

/// Where 1 % of the best is missed, and by what part of it we may be worse: log losses of tables with about 400 training
/// rows, where the libraries differ by more among themselves.
const MISSED: [(&str, &str, f64); 2] = [("breast_cancer", "log_loss", 0.12), ("digits", "log_loss", 0.04)];

/// Within 1 % of the best of them, but for what is known to miss that.
#[test]
fn as_good_as_native_libraries() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../tests/data/vectors.json")).unwrap();
    let mut worse = Vec::new();
    for vector in vectors.cases {
        let metrics: Vec<&String> = vector.reached.values().next().unwrap().keys().collect();
        for metric in metrics {
            forget();
            let mut with = vector.config.clone();
            with["target"] = "y".into();
            with["metric"] = metric.as_str().into();
            train::<Gbdt>(with, vector.table(false), Some(vector.table(true))).unwrap();
            let ours = heard().metric(&format!("validation_{metric}")).unwrap();
            let missed = MISSED.iter().find(|(name, known, _)| *name == vector.name && known == metric);
            let part = missed.map_or(0.01, |(.., part)| *part);
            let all = vector.reached.values().map(|reached| reached[metric]);
            let (best, is_worse) = if metric == "auc" {
                let best = all.fold(f64::MIN, f64::max);
                (best, ours < best * (1.0 - part))
            } else {
                let best = all.fold(f64::MAX, f64::min);
                (best, ours > best * (1.0 + part))
            };
            if is_worse {
                worse.push(format!("{} {metric}: {ours:.5}, and the best reaches {best:.5}", vector.name));
            }
        }
    }
    assert!(worse.is_empty(), "{worse:#?}");
}
