//! The plugin through its door. A case in `cases/` fits on `table.csv`, applies to `rows.csv` (or to `table.csv`), and
//! expects the state and the features; one in `documents/` expects the output `features`.

mod leakage;
mod properties;
mod vectors;

use serde_json::json;
use wasmlops_sdk::testing::{apply, fit, forget, golden_cases, heard, table_to_csv};
use wasmlops_sdk::{Column, DataType, ErrorCode, Schema, Table, Transform, decode, encode};

use crate::TabularFeatures;
use crate::state::{Encoding, State, features_document};

#[test]
fn golden() {
    golden_cases("cases", |case| {
        let table = case.table("table").expect("each case has a table.csv");
        let state = fit::<TabularFeatures>(case.config(), &table)?;
        let rows = case.table("rows").unwrap_or(table);
        let features = apply::<TabularFeatures>(&state, &rows)?;
        Ok(format!("{}\n\n{}", String::from_utf8_lossy(&state), table_to_csv(&features)))
    });
}

#[test]
fn documents() {
    golden_cases("documents", |case| {
        let table = case.table("table").expect("each case has a table.csv");
        let state: State = decode(&fit::<TabularFeatures>(case.config(), &table)?)?;
        let document = features_document(&state);
        let features = apply::<TabularFeatures>(&encode(&state)?, &table)?;
        let named: Vec<&str> =
            document["features"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
        let kept = state.pass_through.iter().chain(&state.target).map(String::as_str);
        assert_eq!(named.into_iter().chain(kept).collect::<Vec<_>>(), features.schema().names().collect::<Vec<_>>());
        Ok(serde_json::to_string_pretty(&document).expect("JSON can be written"))
    });
}

fn people() -> Table {
    Table::from_columns([
        ("age", Column::from_s64([Some(20), Some(30), None, Some(50)])),
        ("city", Column::from_text([Some("b"), Some("a"), Some("b"), None])),
        ("paid", Column::from_bool([true, false, true, true])),
    ])
}

/// `StandardScaler` after `SimpleImputer(strategy="median")`, `OneHotEncoder` after
/// `SimpleImputer(strategy="most_frequent")`, in scikit-learn.
#[test]
fn agrees_with_scikit_learn() {
    let state = fit::<TabularFeatures>(json!({ "target": "paid" }), &people()).unwrap();
    let features = apply::<TabularFeatures>(&state, &people()).unwrap();
    let names: Vec<&str> = features.schema().names().collect();
    assert_eq!(names, ["age", "city=a", "city=b", "paid"]);
    let columns = features.columns(&[0, 1, 2, 3]).unwrap();
    let scale = 118.75_f64.sqrt();
    assert_eq!(columns[0], Column::from_f64([-12.5, -2.5, -2.5, 17.5].map(|distance| distance / scale)));
    assert_eq!(columns[1], Column::from_f64([0.0, 1.0, 0.0, 0.0]));
    assert_eq!(columns[2], Column::from_f64([1.0, 0.0, 1.0, 1.0]));
    assert_eq!(columns[3], Column::from_bool([true, false, true, true]));
}

#[test]
fn serving_rows_lack_the_target_and_come_in_any_order() {
    let with = json!({ "target": "paid", "pass_through": ["age"] });
    let state = fit::<TabularFeatures>(with, &people()).unwrap();
    let rows = Table::from_columns([
        ("extra", Column::from_timestamp([1_i64])),
        ("city", Column::from_categories(["elsewhere"])),
    ]);
    let features = apply::<TabularFeatures>(&state, &rows).unwrap();
    assert_eq!(table_to_csv(&features), "city=a:f64,city=b:f64\n0,0\n");
}

#[test]
fn text_and_categories_give_the_same_features() {
    let text = Table::from_columns([("city", Column::from_text([Some("b"), None, Some("a"), Some("b")]))]);
    let categories = Table::from_columns([("city", Column::from_categories([Some("b"), None, Some("a"), Some("b")]))]);
    let with = json!({ "indicate_missing": true });
    let state = fit::<TabularFeatures>(with.clone(), &text).unwrap();
    assert_eq!(state, fit::<TabularFeatures>(with, &categories).unwrap());
    let (of_text, of_categories) =
        (apply::<TabularFeatures>(&state, &text), apply::<TabularFeatures>(&state, &categories));
    assert_eq!(table_to_csv(&of_text.unwrap()), table_to_csv(&of_categories.unwrap()));
}

#[test]
fn a_row_depends_on_itself_alone() {
    let with = json!({ "indicate_missing": true });
    let state = fit::<TabularFeatures>(with, &people()).unwrap();
    let transform = TabularFeatures::load(&state, people().schema()).unwrap();
    let whole = transform.apply(&people().read(&[0, 1, 2], 0, 4).unwrap()).unwrap();
    for row in 0..4 {
        let alone = transform.apply(&people().read(&[0, 1, 2], row, 1).unwrap()).unwrap();
        for (all, one) in whole.columns.iter().zip(&alone.columns) {
            assert_eq!(all.take(&[row]), *one);
        }
    }
    let nothing = transform.apply(&people().read(&[0, 1, 2], 4, 1).unwrap()).unwrap();
    assert_eq!(nothing.num_rows, 0);
}

#[test]
fn load_names_every_column_that_does_not_fit() {
    let state = fit::<TabularFeatures>(json!({}), &people()).unwrap();
    let field = |name, data_type| wasmlops_sdk::Field::new(name, data_type, false);
    let input = Schema::new(vec![field("age", DataType::Utf8), field("paid", DataType::F64)]);
    let error = TabularFeatures::load(&state, &input).err().unwrap();
    assert_eq!(error.code, ErrorCode::InvalidInput);
    for part in ["`age` is `utf8`", "`city` is missing", "`paid` is `f64` and was `bool`", "hint: "] {
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[test]
fn an_empty_table_and_foreign_bytes_are_refused() {
    let empty = Table::from_columns([("age", Column::from_f64(Vec::<f64>::new()))]);
    let error = fit::<TabularFeatures>(json!({}), &empty).unwrap_err();
    assert!(error.message.contains("no rows"), "{}", error.message);
    let error = TabularFeatures::load(b"{}", &Schema::default()).err().unwrap();
    assert_eq!(error.code, ErrorCode::InvalidInput);
}

#[test]
fn unseen_values_may_be_refused_and_seldom_ones_are_not_unseen() {
    let rows = ["a", "a", "b", "b", "c"];
    let table = Table::from_columns([("city", Column::from_text(rows))]);
    let with = json!({ "one_hot": { "unseen": "error", "min_count": 2 } });
    let state = fit::<TabularFeatures>(with, &table).unwrap();
    let fitted: State = decode(&state).unwrap();
    assert!(matches!(&fitted.columns[0].encoding, Encoding::OneHot { seldom, .. } if seldom == &["c"]));
    assert!(apply::<TabularFeatures>(&state, &table).is_ok());
    let unseen = Table::from_columns([("city", Column::from_text(["a", "d"]))]);
    let error = apply::<TabularFeatures>(&state, &unseen).err().unwrap();
    assert!(error.message.contains("`d` in row 1"), "{}", error.message);
}

#[test]
fn logs_counts_and_no_values() {
    forget();
    fit::<TabularFeatures>(json!({}), &people()).unwrap();
    assert_eq!(heard().logs, ["4 features of 3 columns, learned from 4 rows"]);
}

/// A text column with many values needs no configuration: what becomes of it depends on what the values are.
#[test]
fn many_values_are_encoded_by_what_they_are() {
    let rows = 400_usize;
    let texts = |of: &dyn Fn(usize) -> String| (0..rows).map(of).collect::<Vec<_>>();
    let shop = texts(&|row| format!("shop {}", row % 100));
    let id = texts(&|row| format!("id-{row}"));
    let note = texts(&|row| format!("a note about row {row}"));
    let column = |texts: &[String]| Column::from_text(texts.iter().map(String::as_str).collect::<Vec<_>>());
    let columns = || {
        let paid = Column::from_bool((0..rows).map(|row| row % 3 == 0));
        [("shop", column(&shop)), ("id", column(&id)), ("note", column(&note)), ("paid", paid)]
    };
    let names = |with: serde_json::Value| {
        let table = Table::from_columns(columns());
        let state = fit::<TabularFeatures>(with, &table).unwrap();
        let features = apply::<TabularFeatures>(&state, &table).unwrap();
        features.schema().names().filter(|name| !name.contains("hash")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({ "target": "paid" })), ["shop.target", "note.words", "paid"]);
    assert_eq!(names(json!({ "drop": ["paid"] })), ["shop.frequency", "note.words"]);
    assert_eq!(names(json!({ "target": "paid", "profile": "trees" })), ["shop", "note.words", "paid"]);
    let limited = json!({ "drop": ["paid", "id", "note"], "one_hot": { "max_categories": 64 } });
    let error = fit::<TabularFeatures>(limited, &Table::from_columns(columns())).unwrap_err();
    assert!(error.message.contains("more than 64 values"), "{}", error.message);
}

#[test]
fn a_state_that_does_not_hold_together_is_refused() {
    let table = Table::from_columns([
        ("city", Column::from_text(["a", "b", "a"])),
        ("size", Column::from_f64([1.0, 2.0, 3.0])),
        ("paid", Column::from_bool([true, false, true])),
    ]);
    let with = json!({ "target": "paid", "encode": { "city": ["target", "frequency"] } });
    let state = String::from_utf8(fit::<TabularFeatures>(with, &table).unwrap()).unwrap();
    assert!(TabularFeatures::load(state.as_bytes(), table.schema()).is_ok());
    for (found, instead) in
        [(r#""categories":["a","b"]"#, r#""categories":["a","b","c"]"#), (r#""missing":false"#, r#""missing":true"#)]
    {
        assert!(state.contains(found), "{state}");
        let error = TabularFeatures::load(state.replace(found, instead).as_bytes(), table.schema()).err().unwrap();
        assert!(error.message.contains("not written by this plugin"), "{}", error.message);
    }
}
