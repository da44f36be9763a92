//! The plugin through its door: golden cases, and what must hold for every table.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmlops_sdk::testing::{self, golden_cases, table_to_csv};

use super::*;

const OUTPUTS: [&str; 3] = ["train", "validation", "test"];

fn split(with: Value, table: Table) -> Result<BTreeMap<String, Table>> {
    testing::process::<Split>(with, vec![("table", table)], &OUTPUTS)
}

/// A case is a `config.json`, `table.csv` and `expected.txt`.
#[test]
fn cases() {
    golden_cases("cases", |case| {
        let outputs = split(case.config(), case.table("table").expect("table.csv"))?;
        let output = |name| Some(format!("{name}\n{}\n", table_to_csv(outputs.get(name)?)));
        Ok(OUTPUTS.into_iter().filter_map(output).collect())
    });
}

/// `id` counts the rows; `class` and `time` are as given.
fn table(classes: &[u8], times: &[i64]) -> Table {
    let names: Vec<Option<String>> = classes.iter().map(|class| (*class > 0).then(|| class.to_string())).collect();
    Table::from_columns([
        ("id", Column::from_s64(0..classes.len() as i64)),
        ("class", Column::from_text(names.iter().map(Option::as_deref))),
        ("time", Column::from_timestamp(times.iter().copied())),
    ])
}

fn ids(table: &Table) -> Vec<i64> {
    table.column(0).unwrap().as_s64().unwrap().to_vec()
}

fn ids_of(outputs: &BTreeMap<String, Table>, name: &str) -> Vec<i64> {
    outputs.get(name).map_or_else(Vec::new, ids)
}

#[test]
fn sizes_are_those_of_scikit_learn() {
    for (rows, test, expected) in [(10, 0.25, 3), (150, 0.25, 38), (569, 0.2, 114), (100, 0.07, 8), (2, 0.01, 1)] {
        let outputs = split(json!({ "test": test }), table(&vec![1; rows], &vec![0; rows])).unwrap();
        assert_eq!(outputs["test"].num_rows(), expected, "{rows} rows, test {test}");
        assert_eq!(outputs["train"].num_rows(), rows - expected);
        assert!(!outputs.contains_key("validation"));
    }
}

#[test]
fn more_rows_than_a_batch_and_a_seed_that_decides() {
    let rows = 20_000;
    let with = |seed: u64| split(json!({ "test": 0.5, "seed": seed }), table(&vec![1; rows], &vec![0; rows])).unwrap();
    let (first, again, other) = (with(1), with(1), with(2));
    assert_eq!(ids(&first["test"]), ids(&again["test"]));
    assert_ne!(ids(&first["test"]), ids(&other["test"]));
    let late = ids(&first["test"]).into_iter().filter(|&id| id >= 10_000).count();
    assert!((4_700..5_300).contains(&late), "{late} of the test rows come from the second half");
}

#[test]
fn without_a_time_there_is_no_order() {
    let times = Table::from_columns([("t", Column::from_f64([Some(1.0), None, Some(2.0)]))]);
    let error = split(json!({ "test": 0.4, "by_time": "t" }), times).unwrap_err();
    assert_eq!((error.message.as_str(), error.field.as_deref()), ("row 1 has no time in column `t`", Some("table")));
    let nan = Table::from_columns([("t", Column::from_f64([1.0, 2.0, f64::NAN]))]);
    assert!(split(json!({ "test": 0.4, "by_time": "t" }), nan).unwrap_err().message.starts_with("row 2"));
}

#[test]
fn an_empty_table_is_refused() {
    let error = split(json!({ "test": 0.5 }), table(&[], &[])).unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidInput, Some("table")));
}

/// A configuration for a table of `table`, with fractions that leave something for everyone.
fn config() -> impl Strategy<Value = Value> {
    let by = prop_oneof![
        Just(json!({})),
        Just(json!({ "stratify": "class" })),
        Just(json!({ "by_time": "time" })),
        Just(json!({ "group": "class" })),
        Just(json!({ "shuffle": false }))
    ];
    (0.1..0.25, proptest::option::of(0.1..0.25), any::<u64>(), by).prop_map(|(test, validation, seed, mut with)| {
        with["test"] = json!(test);
        with["validation"] = json!(validation);
        with["seed"] = json!(seed);
        with
    })
}

proptest! {
    #[test]
    fn every_row_is_in_one_output(
        with in config(),
        rows in proptest::collection::vec((0..4_u8, -5..5_i64), 40..120),
    ) {
        let (mut classes, times): (Vec<u8>, Vec<i64>) = rows.into_iter().unzip();
        // Every class often enough to be stratified by.
        classes[..8].copy_from_slice(&[0, 1, 2, 3, 0, 1, 2, 3]);
        let outputs = split(with.clone(), table(&classes, &times)).unwrap();
        let parts: Vec<Vec<i64>> = OUTPUTS.iter().map(|name| ids_of(&outputs, name)).collect();

        prop_assert!(parts.iter().all(|part| part.is_sorted()), "the order of rows is kept");
        let mut all = parts.concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..classes.len() as i64).collect::<Vec<_>>());
        prop_assert_eq!(outputs.contains_key("validation"), !with["validation"].is_null());

        let units = |part: &[i64]| match with.get("group") {
            Some(_) => part.iter().map(|&id| classes[id as usize]).collect::<std::collections::BTreeSet<_>>().len(),
            None => part.len(),
        };
        let total = if with.get("group").is_some() { 4 } else { classes.len() };
        let size = |key: &str| (with[key].as_f64().unwrap_or(0.0) * total as f64).ceil() as usize;
        prop_assert_eq!(units(&parts[2]), size("test"));
        prop_assert_eq!(units(&parts[1]), size("validation"));
        prop_assert_eq!(units(&parts[0]), total - size("test") - size("validation"));

        if with.get("stratify").is_some() {
            for class in 0..4 {
                let count = |ids: &[i64]| ids.iter().filter(|&&id| classes[id as usize] == class).count() as f64;
                let exact = count(&(0..classes.len() as i64).collect::<Vec<_>>()) * parts[2].len() as f64 / classes.len() as f64;
                prop_assert!((count(&parts[2]) - exact).abs() < 1.0, "class {class}: {} for {exact}", count(&parts[2]));
            }
        }
        if with.get("by_time").is_some() {
            let time = |id: &i64| (times[*id as usize], *id);
            let ages: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(|part| {
                (part.iter().map(time).min(), part.iter().map(time).max())
            }).collect();
            prop_assert!(ages.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ages:?}");
        }
        if with["shuffle"] == false {
            prop_assert_eq!(parts.concat(), (0..classes.len() as i64).collect::<Vec<_>>());
        }
    }
}
