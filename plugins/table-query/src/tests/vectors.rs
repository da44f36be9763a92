//! What pandas gives for the same rows: see `tests/make_vectors.py`.

use serde_json::json;

use super::*;

fn vectors() -> Value {
    let text = std::fs::read_to_string("tests/data/vectors.json").unwrap();
    serde_json::from_str(&text).unwrap()
}

fn table(columns: &Value) -> Table {
    let numbers = |name: &str| columns[name].as_array().unwrap().iter().map(Value::as_f64).collect::<Vec<_>>();
    let whole = |name: &str| columns[name].as_array().unwrap().iter().map(Value::as_i64).collect::<Vec<_>>();
    let customers = columns["customer"].as_array().unwrap();
    Table::from_columns([
        ("customer", Column::from_categories(customers.iter().map(Value::as_str))),
        ("shop", Column::from_s64(whole("shop"))),
        ("time", Column::from_timestamp(whole("time"))),
        ("amount", Column::from_f64(numbers("amount"))),
        ("row", Column::from_s64(whole("row"))),
    ])
}

fn run(verb: Value) -> Table {
    let vectors = vectors();
    let inputs = vec![("table", table(&vectors["left"])), ("other", table(&vectors["right"]))];
    query(json!({ "do": [verb] }), inputs).unwrap()
}

fn check(found: &Table, name: &str, expected: &Value) {
    let column = found.column(found.schema().index_of(name).unwrap()).unwrap();
    let expected: Vec<Option<f64>> = expected.as_array().unwrap().iter().map(Value::as_f64).collect();
    assert_eq!(column.len(), expected.len(), "{name}");
    for (row, expected) in expected.iter().enumerate() {
        let given = column.number(row);
        let fits = match (given, expected) {
            (Some(given), Some(expected)) => (given - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
            (given, expected) => given.is_none() && expected.is_none(),
        };
        assert!(fits, "{name}, row {row}: {given:?}, and pandas gives {expected:?}");
    }
}

#[test]
fn joins_are_merges() {
    for how in ["inner", "left"] {
        let found = run(json!({ "join": { "with": "other", "on": ["customer", "shop"], "how": how } }));
        let expected = &vectors()["merge"][how];
        check(&found, "row", &expected["row"]);
        check(&found, "row_right", &expected["row_right"]);
    }
}

#[test]
fn point_in_time_joins_are_merges_asof() {
    let with = |more: Value| {
        let mut join = json!({ "with": "other", "by": ["customer", "shop"], "time": "time" });
        join.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run(json!({ "point_in_time_join": join }))
    };
    for (name, more) in [
        ("any", json!({})),
        ("tolerance", json!({ "tolerance": "800ms" })),
        ("strictly_before", json!({ "strictly_before": true })),
    ] {
        check(&with(more), "row_right", &vectors()["merge_asof"][name]["row_right"]);
    }
}

fn measures(functions: &[&str]) -> Value {
    let one = |function: &&str| {
        let name = if *function == "n_unique" { "nunique" } else { function };
        let mut measure = json!({ "function": function, "column": "amount", "as": name });
        if *function == "quantile" {
            measure["at"] = json!(0.9);
        }
        measure
    };
    Value::Array(functions.iter().map(one).collect())
}

const FUNCTIONS: [&str; 8] = ["count", "sum", "mean", "min", "max", "median", "std", "quantile"];

#[test]
fn aggregates_are_groupbys() {
    let functions = [&FUNCTIONS[..], &["first", "last", "n_unique"]].concat();
    let found = run(json!({ "aggregate": { "by": ["customer", "shop"], "columns": measures(&functions) } }));
    for (name, expected) in vectors()["groupby"].as_object().unwrap() {
        check(&found, name, expected);
    }
}

#[test]
fn windows_are_rollings() {
    for (name, more) in [("rows", json!({ "rows": 3 })), ("within", json!({ "within": "2s" }))] {
        let mut window = json!({ "by": ["customer"], "order": "time", "columns": measures(&FUNCTIONS) });
        window.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = run(json!({ "window": window }));
        for (function, expected) in vectors()["rolling"][name].as_object().unwrap() {
            check(&found, function, expected);
        }
    }
}
