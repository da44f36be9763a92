//! Differential tests: `tests/data/vectors.json` holds scikit-learn's answers, written by `tests/make_vectors.py`.

use serde::Deserialize;
use serde_json::Value;
use wasmlops_sdk::testing::{predict, train};
use wasmlops_sdk::{Column, Table, decode};

use crate::config::Task;
use crate::model::Model;
use crate::{LinearModel, LinearPredictor};

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    config: Value,
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    coefficients: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
    /// For the first rows.
    probabilities: Option<Vec<Vec<f64>>>,
    predictions: Option<Vec<f64>>,
}

impl Vector {
    fn table(&self) -> Table {
        let names: Vec<String> = (0..self.x.len()).map(|column| format!("x{column}")).collect();
        let mut columns: Vec<(&str, Column)> =
            names.iter().zip(&self.x).map(|(name, values)| (name.as_str(), Column::from_f64_slice(values))).collect();
        columns.push(("y", Column::from_f64_slice(&self.y)));
        columns.extend(self.weights.as_ref().map(|weights| ("w", Column::from_f64_slice(weights))));
        Table::from_columns(columns)
    }
}

/// The largest difference, as a part of the largest value.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
    found.iter().zip(expected).fold(0.0, |most, (found, expected)| (found - expected).abs().max(most)) / size
}

#[test]
fn agrees_with_scikit_learn() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../tests/data/vectors.json")).unwrap();
    for vector in vectors.cases {
        let mut with = vector.config.clone();
        with["target"] = "y".into();
        if vector.weights.is_some() {
            with["sample_weight"] = "w".into();
        }
        let bytes = train::<LinearModel>(with, vector.table(), None).unwrap();
        let model: Model = decode(&bytes).unwrap();
        let expected = &vector.expected;
        let coefficients = difference(&model.coefficients.concat(), &expected.coefficients.concat());
        // An intercept near 0 is no more exact than the coefficients that it makes up for.
        let with_coefficients = |intercepts: &[f64]| [intercepts, &expected.coefficients.concat()].concat();
        let intercepts = difference(&with_coefficients(&model.intercepts), &with_coefficients(&expected.intercepts));

        let predicted = predict::<LinearPredictor>(&bytes, &vector.table()).unwrap();
        let first = if model.task == Task::Regression { 0 } else { 1 };
        let all: Vec<usize> = (first..predicted.schema().fields.len()).collect();
        let columns = predicted.columns(&all).unwrap();
        let answers = expected.probabilities.clone();
        let answers =
            answers.unwrap_or_else(|| expected.predictions.iter().flatten().map(|&value| vec![value]).collect());
        let found: Vec<f64> =
            (0..answers.len()).flat_map(|row| columns.iter().map(move |column| column.number(row).unwrap())).collect();
        let predictions = difference(&found, &answers.concat());
        let differences = [coefficients, intercepts, predictions];
        assert!(differences.iter().all(|difference| *difference < 1e-5), "{}: {differences:?}", vector.name);
    }
}
