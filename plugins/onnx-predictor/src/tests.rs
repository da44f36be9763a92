//! The plugin through its doors. A case in `cases/` is a header (`config.json`), a model file (`model`) and rows
//! (`table.csv`); it expects the predictions.

mod differential;
mod encode;
mod hostile;

use wasmlops_sdk::foreign::{Format, Header, Task, join};
use wasmlops_sdk::testing::{golden_cases, predict, table_to_csv};
use wasmlops_sdk::{Column, Error, ErrorCode, Table};

use crate::OnnxPredictor;
use differential::Data;
use encode::{Graph, Node, file};

#[test]
fn golden() {
    golden_cases("cases", |case| {
        let header: Header = serde_json::from_value(case.config()).unwrap();
        let file = std::fs::read(case.path("model")).unwrap();
        let table = case.table("table").expect("each case has a table.csv");
        predict::<OnnxPredictor>(&join(&header, &file), &table).map(|predictions| table_to_csv(&predictions))
    });
}

/// A header for columns `a`, `b`, … of a file.
fn header(columns: usize) -> Header {
    let columns = (0..columns).map(|column| char::from(b'a' + column as u8).to_string()).collect();
    Header { format: Format::Onnx, columns, classes: None, target: None, task: None }
}

fn table(columns: usize) -> Table {
    let names: Vec<String> = (0..columns).map(|column| char::from(b'a' + column as u8).to_string()).collect();
    Table::from_columns(names.iter().map(|name| (name.as_str(), Column::from_f64([0.5, 2.0, -3.0]))))
}

fn refused(header: &Header, file: &[u8], table: &Table) -> Error {
    let error = predict::<OnnxPredictor>(&join(header, file), table).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidInput, "{}", error.message);
    error
}

/// Nodes on the input `x` of two columns, with the output `y`.
fn small(nodes: Vec<Node>) -> Vec<u8> {
    file(&Graph { nodes, constants: Vec::new(), inputs: vec![("x", 1, vec![0, 2])], outputs: vec!["y"] })
}

#[test]
fn predictions_do_not_depend_on_batches() {
    let data = Data::read();
    for name in ["logistic_multi_zipmap", "torch_fixed_batch", "naive_bayes"] {
        let (header, file) = data.parts(data.case(name));
        let (blob, table) = (join(&header, &file), data.table());
        let whole = predict::<OnnxPredictor>(&blob, &table).unwrap().columns(&[0, 1, 2, 3]).unwrap();
        let names: Vec<&str> = table.schema().names().collect();
        let columns = table.columns(&[0, 1, 2, 3, 4]).unwrap();
        for rows in [[0, 511, 512, 999].as_slice(), &[24]] {
            let part = Table::from_columns(names.iter().copied().zip(columns.iter().map(|column| column.take(rows))));
            let part = predict::<OnnxPredictor>(&blob, &part).unwrap().columns(&[0, 1, 2, 3]).unwrap();
            for (part, whole) in part.iter().zip(&whole) {
                assert_eq!(*part, whole.take(rows), "{name}");
            }
        }
    }
}

#[test]
fn a_header_that_does_not_fit_the_file_is_refused() {
    let data = Data::read();
    let (header, file) = data.parts(data.case("logistic_multi_zipmap"));
    let table = data.table();
    let refused = |change: &dyn Fn(&mut Header), problem: &str| {
        let mut header = header.clone();
        change(&mut header);
        let error = refused(&header, &file, &table);
        assert_eq!(error.field.as_deref(), Some("model"));
        assert!(error.message.contains(problem), "{}", error.message);
    };
    refused(&|header| header.columns.truncate(3), "takes 5 columns, and there are 3");
    refused(&|header| header.task = Some(Task::Regression), "says regression, and the model gives classes");
    refused(&|header| header.task = Some(Task::Binary), "gives 3 numbers for a row");
    refused(&|header| header.classes = Some(vec!["x".into(), "y".into()]), "names 2 classes, and the model has 3");
    refused(&|header| header.format = Format::Xgboost, "`tree-ensemble` reads");
    let (mut header, file) = data.parts(data.case("columns_inputs"));
    header.columns[0] = "length".into();
    let error = super::tests::refused(&header, &file, &table);
    assert!(error.message.contains("the input `size` is no column of the import"), "{}", error.message);
}

#[test]
fn own_names_for_classes_keep_the_order() {
    let data = Data::read();
    let (mut header, file) = data.parts(data.case("logistic_binary_zipmap"));
    let table = data.table();
    let plain = predict::<OnnxPredictor>(&join(&header, &file), &table).unwrap().column(0).unwrap();
    header.classes = Some(vec!["no".into(), "yes".into()]);
    let named = predict::<OnnxPredictor>(&join(&header, &file), &table).unwrap();
    assert_eq!(named.schema().names().collect::<Vec<_>>(), ["prediction", "probability.no", "probability.yes"]);
    let named = named.column(0).unwrap();
    for row in 0..1000 {
        assert_eq!(named.text(row).unwrap() == "yes", plain.text(row).unwrap() == "1");
    }
}

#[test]
fn missing_values_are_refused_where_the_model_cannot_take_them() {
    let data = Data::read();
    let (header, file) = data.parts(data.case("linear_regression"));
    let rows = data.columns.iter().map(|name| (name.as_str(), Column::from_f64([Some(1.0), None])));
    let error = refused(&header, &file, &Table::from_columns(rows));
    assert!(error.message.contains("no number for row 1 of the batch: `size`, `price`"), "{}", error.message);
    assert_eq!(error.field.as_deref(), Some("table"));
    // An imputer in the model fills them.
    let (header, file) = data.parts(data.case("columns_pipeline"));
    let rows = data.columns.iter().map(|name| {
        (name.as_str(), if name == "kind" { Column::from_f64([1.0]) } else { Column::from_f64([None::<f64>]) })
    });
    predict::<OnnxPredictor>(&join(&header, &file), &Table::from_columns(rows)).unwrap();
}

#[test]
fn scores_are_not_taken_for_probabilities() {
    let identity = small(vec![Node::new("Identity", &["x"], &["y"])]);
    let classes = Header { task: Some(Task::Binary), ..header(2) };
    let error = refused(&classes, &identity, &table(2));
    assert!(error.message.contains("gives `2`, which is no probability"), "{}", error.message);
    assert!(refused(&header(2), &identity, &table(2)).message.contains("and the task is unknown"));
}

#[test]
fn elementwise_operators() {
    let apply = |operator: &str, value: f64| {
        let file = file(&Graph {
            nodes: vec![Node::new(operator, &["x"], &["y"])],
            constants: Vec::new(),
            inputs: vec![("x", 11, vec![0, 1])],
            outputs: vec!["y"],
        });
        let rows = Table::from_columns([("a", Column::from_f64([value]))]);
        predict::<OnnxPredictor>(&join(&header(1), &file), &rows).unwrap().column(0).unwrap().number(0).unwrap()
    };
    for (operator, value, expected) in [
        ("Abs", -2.0, 2.0),
        ("Neg", 2.0, -2.0),
        ("Exp", 1.0, std::f64::consts::E),
        ("Sqrt", 4.0, 2.0),
        ("Reciprocal", 4.0, 0.25),
        ("Sigmoid", 0.0, 0.5),
        ("Tanh", 0.5, 0.5_f64.tanh()),
        ("Relu", -1.0, 0.0),
        ("LeakyRelu", -1.0, -0.009_999_999_776_482_582),
        ("Elu", -1.0, (-1.0_f64).exp_m1()),
        ("Selu", 1.0, 1.050_701),
        ("Softplus", 0.0, std::f64::consts::LN_2),
        ("Softsign", 1.0, 0.5),
        ("HardSigmoid", 5.0, 1.0),
        ("Erf", 0.5, 0.520_499_877_8),
        ("Gelu", 1.0, 0.841_344_746),
        ("Floor", -1.5, -2.0),
        ("Ceil", -1.5, -1.0),
        ("Round", 2.5, 2.0),
        ("Sign", -3.0, -1.0),
    ] {
        let found = apply(operator, value);
        assert!((found - expected).abs() < 2e-7, "{operator}({value}) = {found}, not {expected}");
    }
}
