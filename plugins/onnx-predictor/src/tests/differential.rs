//! What the original models predict for the same rows: `tests/make_models.py` asks them.

use serde::Deserialize;
use wasmlops_sdk::foreign::{Format, Header, Task, join};
use wasmlops_sdk::testing::predict;
use wasmlops_sdk::{Column, ColumnBuilder, DataType, Table};

use crate::OnnxPredictor;

/// `tests/data/cases.json`.
#[derive(Deserialize)]
pub struct Data {
    pub columns: Vec<String>,
    rows: usize,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    task: Task,
    /// What the import says.
    classes: Option<Vec<String>>,
    /// What the predictions should be called.
    labels: Vec<String>,
    tolerance: f64,
}

impl Data {
    pub fn read() -> Self {
        serde_json::from_slice(&bytes("cases.json")).unwrap()
    }

    pub fn case(&self, name: &str) -> &Case {
        self.cases.iter().find(|case| case.name == name).unwrap()
    }

    pub fn parts(&self, case: &Case) -> (Header, Vec<u8>) {
        let (columns, classes) = (self.columns.clone(), case.classes.clone());
        let header = Header { format: Format::Onnx, columns, classes, target: None, task: None };
        (header, bytes(&format!("{}.onnx", case.name)))
    }

    pub fn table(&self) -> Table {
        let file = bytes("rows.f32");
        let values: Vec<f32> = file.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let width = self.columns.len();
        assert_eq!(values.len(), self.rows * width);
        let column = |index| {
            let mut builder = ColumnBuilder::new(DataType::F32);
            values.iter().skip(index).step_by(width).for_each(|&value| builder.push_f32(value));
            builder.finish()
        };
        Table::from_columns(self.columns.iter().enumerate().map(|(index, name)| (name.as_str(), column(index))))
    }
}

fn bytes(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The import says columns and, for models without names of their own, classes; the task is found.
#[test]
fn equals_the_original_models() {
    let data = Data::read();
    let table = data.table();
    let mut report = String::new();
    let mut failed = false;
    for case in &data.cases {
        let (header, file) = data.parts(case);
        let predictions = predict::<OnnxPredictor>(&join(&header, &file), &table)
            .unwrap_or_else(|error| panic!("{}: {}", case.name, error.message));
        let expected = bytes(&format!("{}.expected.f64", case.name));
        let expected: Vec<f64> = expected.as_chunks::<8>().0.iter().map(|value| f64::from_le_bytes(*value)).collect();
        let first = usize::from(case.task != Task::Regression);
        let names: Vec<String> = case.labels.iter().map(|label| format!("probability.{label}")).collect();
        assert!(predictions.schema().names().skip(1).eq(&names), "{}: {:?}", case.name, predictions.schema());
        let answers: Vec<usize> = (first..predictions.schema().fields.len()).collect();
        let columns = predictions.columns(&answers).unwrap();
        assert_eq!(columns.len() * data.rows, expected.len(), "{}", case.name);
        // Beyond 1 the difference counts as a part of the answer.
        let difference = |(place, expected): (usize, &f64)| {
            let found = columns[place % columns.len()].number(place / columns.len()).unwrap();
            (found - expected).abs() / expected.abs().max(1.0)
        };
        let most = expected.iter().enumerate().map(difference).fold(0.0, f64::max);
        failed |= most.is_nan() || most > case.tolerance;
        report += &format!("{}: {most:e} (at most {:e})\n", case.name, case.tolerance);
        if first == 1 {
            check_predictions(case, &predictions.column(0).unwrap(), &expected);
        }
    }
    println!("{report}");
    assert!(!failed, "{report}");
}

/// The prediction is the class with the highest probability, unless two are equal but for rounding.
fn check_predictions(case: &Case, prediction: &Column, expected: &[f64]) {
    for (row, expected) in expected.chunks_exact(case.labels.len()).enumerate() {
        let text = prediction.text(row).unwrap();
        let class = case.labels.iter().position(|label| label == text).unwrap();
        let most = expected.iter().copied().fold(0.0, f64::max);
        assert!(expected[class] > most - 1e-3, "{}, row {row}: {text} of {expected:?}", case.name);
    }
}
