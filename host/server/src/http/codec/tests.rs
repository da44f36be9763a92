//! Rows as JSON: what is taken, and what is refused.

use proptest::prelude::*;
use wasmlops_core::table::{Batch, DataType, Field, Schema, TableBuilder};

use super::rows::{RowsRequest, decode};
use super::{Refusal, predictions};

fn field(name: &str, data_type: DataType, nullable: bool) -> Field {
    Field { name: name.to_owned(), data_type, nullable }
}

fn schema() -> Schema {
    Schema::new(vec![
        field("size", DataType::F64, false),
        field("ratio", DataType::F32, true),
        field("count", DataType::S64, false),
        field("ok", DataType::Bool, true),
        field("name", DataType::Utf8, true),
        field("kind", DataType::Categorical, false),
        field("at", DataType::Timestamp, true),
    ])
    .unwrap()
}

/// Decodes, and lets core check every buffer.
fn read(body: &str) -> Result<RowsRequest, Refusal> {
    let request = decode(body.as_bytes(), &schema())?;
    TableBuilder::new(schema()).push(request.batch.clone()).expect("a decoded batch fits its schema");
    Ok(request)
}

/// The cells as JSON again, by the writer of answers.
fn shown(batch: &Batch) -> serde_json::Value {
    let mut out = Vec::new();
    predictions(&mut out, "r", &schema(), batch);
    serde_json::from_slice(&out).unwrap()
}

fn columns(body: &str) -> Vec<(String, Option<u64>, String)> {
    match read(body) {
        Err(Refusal::Columns(problems, _)) => {
            problems.into_iter().map(|problem| (problem.column, problem.row, problem.found)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_of_objects_become_columns() {
    let request = read(
        r#"{"id": "r7", "rows": [
            {"size": 1.5, "ratio": 0.1, "count": 9007199254740993, "ok": true, "name": "a\u00e9", "kind": "x", "at": 1},
            {"kind": "y", "count": -3.0, "size": 2, "at": null, "name": null, "ok": null, "ratio": null},
            {"size": 3, "ratio": null, "count": 0, "kind": "x", "at": "2026-11-21T00:00:00Z", "ok": false, "name": ""}
        ]}"#,
    )
    .unwrap();
    assert_eq!(request.id.as_deref(), Some("r7"));
    let expected = serde_json::json!([
        {"id": "r.0", "size": 1.5, "ratio": 0.1, "count": 9007199254740993_i64, "ok": true, "name": "aé", "kind": "x",
            "at": "1970-01-01T00:00:00.000001Z"},
        {"id": "r.1", "size": 2.0, "ratio": null, "count": -3, "ok": null, "name": null, "kind": "y", "at": null},
        {"id": "r.2", "size": 3.0, "ratio": null, "count": 0, "ok": false, "name": "", "kind": "x",
            "at": "2026-11-21T00:00:00Z"},
    ]);
    assert_eq!(shown(&request.batch), expected);
}

#[test]
fn rows_of_lists_take_their_columns_from_before_or_after() {
    let names = r#""columns": ["kind", "size", "count", "ok", "name", "at", "ratio"]"#;
    let rows = r#""rows": [["x", 1, 2, null, "", 5, 0.5], ["y", 3, 4, true, null, 5, null]]"#;
    let before = read(&format!("{{{names}, {rows}}}")).unwrap();
    assert_eq!(read(&format!("{{{rows}, {names}}}")).unwrap(), before);
    assert_eq!(shown(&before.batch)[1]["size"], 3.0);
}

#[test]
fn every_wrong_column_is_named_at_once() {
    let problems = columns(
        r#"{"rows": [
            {"size": "big", "count": 1.5, "ok": 1, "name": 7, "kind": null, "colour": "red", "at": "noon", "ratio": 1e39},
            {"size": true, "colour": {"deep": [1]}}
        ]}"#,
    );
    let found: Vec<(&str, Option<u64>, &str)> =
        problems.iter().map(|(column, row, found)| (&**column, *row, &**found)).collect();
    assert_eq!(
        found,
        [
            ("size", Some(0), "the text `big`"),
            ("count", Some(0), "`1.5`"),
            ("ok", Some(0), "`1`"),
            ("name", Some(0), "`7`"),
            ("kind", Some(0), "null"),
            ("colour", Some(0), "a value"),
            ("at", Some(0), "the text `noon`"),
            ("ratio", Some(0), "`1000000000000000000000000000000000000000`"),
        ]
    );
    let rest = r#""count": 1, "kind": "x", "ok": null, "name": null, "at": null"#;
    let absent = |column: &str| (column.to_owned(), Some(0), "nothing".to_owned());
    assert_eq!(columns(&format!(r#"{{"rows": [{{{rest}}}]}}"#)), [absent("size"), absent("ratio")]);
    let twice = columns(&format!(r#"{{"rows": [{{"size": 1, {rest}, "size": 2, "ratio": 1}}]}}"#));
    assert_eq!(twice, [("size".to_owned(), Some(0), "two values".to_owned())]);
    assert_eq!(columns(&format!(r#"{{"rows": [{{"size": [[1]], "ratio": {{}}, {rest}}}]}}"#)).len(), 2);
}

#[test]
fn numbers_fit_exactly_or_are_refused() {
    let rest = r#""kind": "x", "ok": null, "name": null, "at": null, "ratio": null"#;
    let size = |value: &str| read(&format!(r#"{{"rows": [{{"size": {value}, "count": 1, {rest}}}]}}"#));
    let count = |value: &str| read(&format!(r#"{{"rows": [{{"size": 1, "count": {value}, {rest}}}]}}"#));
    assert!(size("9007199254740992").is_ok() && size("9007199254740993").is_err());
    assert!(size("18446744073709551615").is_err() && size("18446744073709549568").is_ok());
    assert!(count("9223372036854775807").is_ok() && count("9223372036854775808").is_err());
    assert!(count("1e3").is_ok() && count("1e300").is_err());
    assert!(matches!(size("1e400"), Err(Refusal::Malformed(_))));
    assert!(matches!(size("NaN"), Err(Refusal::Malformed(_))));
}

#[test]
fn other_bodies_are_malformed() {
    let deep = format!(r#"{{"rows": [{{"size": {}1{}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let huge = format!(r#"{{"rows": [{}{{}}]}}"#, "{},".repeat(600_000));
    for body in [
        "",
        "[]",
        "null",
        "{}",
        r#"{"rows": []}"#,
        r#"{"rows": {}}"#,
        r#"{"rows": [1]}"#,
        r#"{"rows": [[1]]}"#,
        r#"{"rows": [{}]} x"#,
        r#"{"rows": [{}], "rows": [{}]}"#,
        r#"{"id": 1, "rows": [{}]}"#,
        r#"{"rows": [], "extra": 1}"#,
        r#"{"columns": ["size"], "rows": [[1, 2]]}"#,
        r#"{"columns": ["size", "size"], "rows": [[1, 2]]}"#,
        r#"{"rows": [{"name": "\ud800"}]}"#,
    ] {
        let refusal = read(body).expect_err(body);
        assert!(matches!(refusal, Refusal::Malformed(_)), "{} gave {refusal}", &body[..body.len().min(80)]);
    }
    assert!(read(&deep).is_err());
    assert_eq!(read(&huge), Err(Refusal::TooManyCells));
    assert!(decode(b"{\"rows\": [{\"name\": \"\xff\"}]}", &schema()).is_err());
}

#[test]
fn answers_group_probabilities_by_class() {
    let schema = Schema::new(vec![
        field("prediction", DataType::S64, false),
        field("probability.0", DataType::F64, false),
        field("probability.a \"b\"", DataType::F64, true),
        field("id", DataType::F32, false),
    ])
    .unwrap();
    let f64s = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let column = |values| wasmlops_core::table::Column { values, ..Default::default() };
    let rows = Batch {
        num_rows: 1,
        columns: vec![
            column(i64::MAX.to_le_bytes().to_vec()),
            column(f64s(&[0.1])),
            column(f64s(&[f64::NAN])),
            column(0.1_f32.to_le_bytes().to_vec()),
        ],
    };
    let mut out = Vec::new();
    predictions(&mut out, "r7", &schema, &rows);
    let expected =
        r#"[{"id":"r7","prediction":9223372036854775807,"output.id":0.1,"probabilities":{"0":0.1,"a \"b\"":null}}]"#;
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_rows_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&body, &schema());
    }

    #[test]
    fn any_mutation_of_a_request_is_rows_or_refused(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200) {
        let mut body = br#"{"columns":["size","kind","count","ok","name","at","ratio"],"rows":[[1.5,"x",3,null,"n",7,1]],"id":"q"}"#.to_vec();
        let length = body.len();
        body[at % length] = byte;
        body.truncate(length - cut % 2 * (at % length));
        if let Ok(request) = decode(&body, &schema()) {
            prop_assert!(TableBuilder::new(schema()).push(request.batch).is_ok());
        }
    }
}
