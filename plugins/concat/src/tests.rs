//! Which rows and columns come out.

use serde_json::json;
use wasmlops_sdk::testing::process;

use super::*;

fn concat(with: serde_json::Value, tables: Vec<(&str, Table)>) -> Result<Table> {
    let mut outputs = process::<Concat>(with, tables, &["table"])?;
    Ok(outputs.remove("table").expect("the output was started"))
}

fn shown(table: &Table) -> Vec<String> {
    let all: Vec<usize> = (0..table.schema().fields.len()).collect();
    let columns = table.columns(&all).unwrap();
    (0..table.num_rows())
        .map(|row| columns.iter().map(|column| column.display(row)).collect::<Vec<_>>().join(","))
        .collect()
}

#[test]
fn rows_come_in_the_order_of_the_inputs_and_columns_by_name() {
    let first = Table::from_columns([("a", Column::from_s64([1, 2])), ("b", Column::from_text(["x", "y"]))]);
    let second = Table::from_columns([("b", Column::from_categories(["z"])), ("a", Column::from_f64([0.5]))]);
    let all = concat(json!({}), vec![("base", first), ("recent", second)]).unwrap();
    assert_eq!(all.schema().names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(all.schema().fields[0].data_type, DataType::F64);
    assert_eq!(all.schema().fields[1].data_type, DataType::Utf8);
    assert_eq!(shown(&all), ["1,x", "2,y", "0.5,z"]);
}

#[test]
fn one_table_passes_as_it_is() {
    let table = || Table::from_columns([("a", Column::from_s64([Some(1), None]))]);
    let all = concat(json!({}), vec![("base", table())]).unwrap();
    assert_eq!((all.schema(), shown(&all)), (table().schema(), shown(&table())));
}

#[test]
fn other_columns_are_an_error_unless_allowed() {
    let tables = || {
        let first = Table::from_columns([("a", Column::from_s64([1])), ("b", Column::from_s64([2]))]);
        let second = Table::from_columns([("a", Column::from_s64([3])), ("c", Column::from_bool([true]))]);
        vec![("base", first), ("recent", second)]
    };
    let error = concat(json!({}), tables()).unwrap_err().to_string();
    assert!(error.contains("`recent` has no column `b`") && error.contains("`base` has no column `c`"), "{error}");
    let dropped = concat(json!({ "missing": "drop" }), tables()).unwrap();
    assert_eq!(shown(&dropped), ["1", "3"]);
    let kept = concat(json!({ "missing": "null" }), tables()).unwrap();
    assert_eq!(kept.schema().names().collect::<Vec<_>>(), ["a", "b", "c"]);
    let columns = kept.columns(&[1, 2]).unwrap();
    assert!(columns[0].is_null(1) && columns[1].is_null(0) && columns[1].bool(1) == Some(true));
}

#[test]
fn types_that_do_not_go_together_are_an_error() {
    let first = Table::from_columns([("a", Column::from_s64([1]))]);
    let second = Table::from_columns([("a", Column::from_text(["1"]))]);
    let error = concat(json!({}), vec![("base", first), ("recent", second)]).unwrap_err().to_string();
    assert!(error.contains("column `a` is s64 in `base` and utf8 in `recent`"), "{error}");
    assert!(concat(json!({}), vec![]).is_err());
}
