//! The plugin through its doors. A case in `cases/` is a header (`config.json`), a model file (`model`) and rows
//! (`table.csv`); it expects the predictions.

mod differential;
mod hostile;

use wasmlops_sdk::foreign::{Format, Header, join};
use wasmlops_sdk::testing::{golden_cases, predict, table_to_csv};
use wasmlops_sdk::{Column, ErrorCode, Predictor, Table};

use crate::TreeEnsemble;

#[test]
fn golden() {
    golden_cases("cases", |case| {
        let header: Header = serde_json::from_value(case.config()).unwrap();
        let file = std::fs::read(case.path("model")).unwrap();
        let table = case.table("table").expect("each case has a table.csv");
        predict::<TreeEnsemble>(&join(&header, &file), &table).map(|predictions| table_to_csv(&predictions))
    });
}

/// A header for columns `a`, `b`, … of a file.
fn header(format: Format, columns: usize) -> Header {
    let columns = (0..columns).map(|column| char::from(b'a' + column as u8).to_string()).collect();
    Header { format, columns, classes: None, target: None, task: None }
}

fn table(columns: usize) -> Table {
    let names: Vec<String> = (0..columns).map(|column| char::from(b'a' + column as u8).to_string()).collect();
    Table::from_columns(names.iter().map(|name| (name.as_str(), Column::from_f64([Some(0.5), None, Some(-3.0)]))))
}

#[test]
fn predictions_do_not_depend_on_batches_or_on_the_order_of_columns() {
    let data = differential::Data::read();
    let blob = data.blob(data.case("xgb_softprob"));
    let table = data.table();
    let whole = predict::<TreeEnsemble>(&blob, &table).unwrap().columns(&[0, 1, 2, 3]).unwrap();
    let reversed: Vec<usize> = (0..table.schema().fields.len()).rev().collect();
    let columns = table.columns(&reversed).unwrap();
    let names = reversed.iter().map(|&index| table.schema().fields[index].name.as_str());
    for rows in [[0, 500, 999].as_slice(), &[24]] {
        let part = Table::from_columns(names.clone().zip(columns.iter().map(|column| column.take(rows))));
        let part = predict::<TreeEnsemble>(&blob, &part).unwrap().columns(&[0, 1, 2, 3]).unwrap();
        for (part, whole) in part.iter().zip(&whole) {
            assert_eq!(*part, whole.take(rows));
        }
    }
}

#[test]
fn a_header_that_does_not_fit_the_file_is_refused() {
    let data = differential::Data::read();
    let (mut header, file) = data.parts(data.case("lgb_multiclass"));
    let table = data.table();
    let mut refused = |change: &dyn Fn(&mut Header), problem: &str| {
        let before = header.clone();
        change(&mut header);
        let error = predict::<TreeEnsemble>(&join(&header, &file), &table).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidInput, Some("model")));
        assert!(error.message.contains(problem), "{}", error.message);
        header = before;
    };
    refused(&|header| header.columns.truncate(3), "names 3 columns, and the model has 7 features");
    refused(&|header| header.columns.swap(0, 1), "says `price` where the model has the feature `size`");
    refused(
        &|header| header.task = Some(wasmlops_sdk::foreign::Task::Regression),
        "the import says regression, and the model's objective is classification",
    );
    refused(&|header| header.classes = Some(vec!["x".into(), "y".into()]), "names 2 classes, and the model has 3");
    refused(&|header| header.format = Format::Onnx, "use `onnx-predictor`");
    refused(&|header| header.format = Format::Xgboost, "no XGBoost model");
}

#[test]
fn all_columns_that_do_not_fit_are_named() {
    let data = differential::Data::read();
    let rows = Table::from_columns([("size", Column::from_text(["large"])), ("price", Column::from_f64([1.0]))]);
    let error = TreeEnsemble::load(&data.blob(data.case("lgb_binary")), rows.schema()).err().unwrap();
    for part in ["`size` is `utf8`", "`count` is missing", "`kind` is missing"] {
        assert!(error.message.contains(part), "{}", error.message);
    }
}
