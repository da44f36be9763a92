//! Golden cases for each verb and each mistake, properties against naive loops, and vectors computed with pandas.

mod expressions;
mod properties;
mod vectors;

use serde_json::Value;
use wasmlops_sdk::testing::{golden_cases, process, table_from_csv, table_to_csv};

use super::*;

/// Inputs other than `table` that cases use.
const OTHERS: [&str; 2] = ["other", "accounts"];

fn query(with: Value, inputs: Vec<(&str, Table)>) -> Result<Table> {
    let mut outputs = process::<TableQuery>(with, inputs, &["table"])?;
    Ok(outputs.remove("table").expect("the output was started"))
}

/// The result of verbs on one table, as text; an error as its message.
fn shown(verbs: Value, table: &str) -> String {
    match query(serde_json::json!({ "do": verbs }), vec![("table", table_from_csv(table))]) {
        Ok(table) => table_to_csv(&table),
        Err(error) => error.to_string(),
    }
}

#[test]
fn cases() {
    golden_cases("cases", |case| {
        let mut inputs = vec![("table", case.table("table").expect("every case has a table.csv"))];
        inputs.extend(OTHERS.iter().filter_map(|name| Some((*name, case.table(name)?))));
        query(case.config(), inputs).map(|table| table_to_csv(&table))
    });
}
