//! What XGBoost and LightGBM predict with the same files for the same rows: `tests/make_models.py` asks them.

use serde::Deserialize;
use wasmlops_sdk::foreign::{Format, Header, Task, join};
use wasmlops_sdk::testing::predict;
use wasmlops_sdk::{Column, DataType, Table};

use crate::TreeEnsemble;

/// `tests/data/cases.json`.
#[derive(Deserialize)]
pub struct Data {
    columns: Vec<String>,
    rows: usize,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    file: String,
    pub format: Format,
    task: Task,
}

impl Data {
    pub fn read() -> Self {
        serde_json::from_slice(&bytes("cases.json")).unwrap()
    }

    pub fn case(&self, name: &str) -> &Case {
        self.cases.iter().find(|case| case.name == name).unwrap()
    }

    pub fn parts(&self, case: &Case) -> (Header, Vec<u8>) {
        let columns = self.columns.clone();
        let header = Header { format: case.format, columns, classes: None, target: None, task: Some(case.task) };
        (header, bytes(&case.file))
    }

    pub fn blob(&self, case: &Case) -> Vec<u8> {
        let (header, file) = self.parts(case);
        join(&header, &file)
    }

    pub fn table(&self) -> Table {
        let values = numbers("rows.f64");
        let width = self.columns.len();
        assert_eq!(values.len(), self.rows * width);
        let column = |index| values.iter().skip(index).step_by(width).map(|value| (!value.is_nan()).then_some(*value));
        let columns = self.columns.iter().enumerate();
        Table::from_columns(columns.map(|(index, name)| (name.as_str(), Column::from_f64(column(index)))))
    }
}

fn bytes(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn numbers(file: &str) -> Vec<f64> {
    bytes(file).as_chunks::<8>().0.iter().map(|value| f64::from_le_bytes(*value)).collect()
}

/// XGBoost computes in `f32`. Beyond 1 the difference counts as a part of the answer.
fn tolerance(format: Format) -> f64 {
    if format == Format::Lightgbm { 1e-6 } else { 1e-4 }
}

#[test]
fn equals_the_libraries() {
    let data = Data::read();
    let table = data.table();
    let mut report = String::new();
    let mut failed = false;
    for case in &data.cases {
        let predictions = predict::<TreeEnsemble>(&data.blob(case), &table).unwrap();
        let expected = numbers(&format!("{}.expected.f64", case.name));
        let first = usize::from(case.task != Task::Regression);
        let answers: Vec<usize> = (first..predictions.schema().fields.len()).collect();
        let columns = predictions.columns(&answers).unwrap();
        assert_eq!(columns.len() * data.rows, expected.len(), "{}", case.name);
        let difference = |(place, expected): (usize, &f64)| {
            let found = columns[place % columns.len()].number(place / columns.len()).unwrap();
            (found - expected).abs() / expected.abs().max(1.0)
        };
        let most = expected.iter().enumerate().map(difference).fold(0.0, f64::max);
        failed |= most.is_nan() || most > tolerance(case.format);
        report += &format!("{}: {most:e}\n", case.name);
        if first == 1 {
            let prediction = predictions.column(0).unwrap();
            assert_eq!(prediction.data_type(), DataType::Categorical);
            check_predictions(&case.name, &prediction, &expected, columns.len());
        }
    }
    println!("{report}");
    assert!(!failed, "{report}");
}

/// The prediction is the class with the highest probability, unless two are equal but for rounding.
fn check_predictions(name: &str, prediction: &Column, expected: &[f64], classes: usize) {
    for (row, expected) in expected.chunks_exact(classes).enumerate() {
        let class: usize = prediction.text(row).unwrap().parse().unwrap();
        let most = expected.iter().copied().fold(0.0, f64::max);
        assert!(expected[class] > most - 1e-4, "{name}, row {row}: {class} of {expected:?}");
    }
}
