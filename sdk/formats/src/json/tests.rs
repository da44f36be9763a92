//! JSON through its door.

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmlops_sdk::testing::table_to_csv;

use super::*;

fn read_text(with: Value, text: &[u8]) -> Result<(Table, SourceReport)> {
    let (mut writer, written) = TableWriter::memory();
    let options: Options = serde_json::from_value(with).expect("options");
    let report = read(&Sources::memory("a.json", "path", text), &options, &mut writer)?;
    Ok((written.into_table().expect("it was started"), report))
}

fn csv(with: Value, text: &str) -> String {
    table_to_csv(&read_text(with, text.as_bytes()).unwrap().0)
}

fn problem(with: Value, text: &str) -> String {
    read_text(with, text.as_bytes()).unwrap_err().message
}

#[test]
fn lines_and_arrays_are_the_same() {
    let lines = "{\"a\": 1, \"b\": \"x\"}\n\n  {\"b\": null, \"c\": true}\r\n{}";
    let array = "\u{feff} [ {\"a\": 1, \"b\": \"x\"}\n,{\"b\": null, \"c\": true},\n{}]\n";
    let expected = "a:s64,b:utf8,c:bool\n1,x,\n,,true\n,,\n";
    assert_eq!(csv(json!({}), lines), expected);
    assert_eq!(csv(json!({}), array), expected);
}

#[test]
fn all_values_decide() {
    assert_eq!(csv(json!({}), "{\"a\":1}\n{\"a\":2.5e-7}"), "a:f64\n1\n0.00000025\n");
    assert_eq!(csv(json!({}), "{\"a\":1}\n{\"a\":12345678901234567890}"), "a:utf8\n1\n12345678901234567890\n");
    assert_eq!(csv(json!({}), "{\"a\":\"2026-01-01\"}\n{\"a\":null}"), "a:timestamp\n1767225600000000\n\n");
    assert_eq!(csv(json!({}), "{\"a\":\"2026-01-01\"}\n{\"a\":\"soon\"}"), "a:utf8\n2026-01-01\nsoon\n");
    assert_eq!(csv(json!({}), "{\"a\":1}\n{\"a\":true}\n{\"a\":\"\\u00e9\\ud83d\\ude00\"}"), "a:utf8\n1\ntrue\né😀\n");
    assert_eq!(csv(json!({}), "{\"a\":1e5}\n{\"a\":1e999}"), "a:utf8\n1e5\n1e999\n");
    assert_eq!(csv(json!({}), "{\"a\":null}"), "a:utf8\n\n");
}

#[test]
fn objects_are_taken_apart_and_arrays_are_text() {
    let text = "{\"a\":{\"b\":1,\"c\":{\"d\":[1, 2]}}}\n{\"a\":null}\n{\"a\":{}}";
    assert_eq!(csv(json!({}), text), "a.b:s64,a.c.d:utf8\n1,[1, 2]\n,\n,\n");
    assert_eq!(csv(json!({ "flatten": 1 }), "{\"a\":{\"c\":{\"d\":1}}}"), "a.c:utf8\n{\"d\":1}\n");
    assert_eq!(csv(json!({ "flatten": 0 }), "{\"a\":{}}"), "a:utf8\n{}\n");
    assert!(problem(json!({ "arrays": "refuse" }), "{\"a\":{\"b\":[]}}").contains("column `a.b`: an array"));
    // A key that is an object here and a value there.
    assert_eq!(csv(json!({}), "{\"a\":1}\n{\"a\":{\"b\":2}}"), "a:s64,a.b:s64\n1,\n,2\n");
}

#[test]
fn declared_columns() {
    let with = json!({ "columns": { "n": "f64", "when": "timestamp", "k": "categorical", "x.y": "s64" } });
    let text = "{\"n\":\"2.5\",\"k\":7,\"z\":1,\"x\":{\"y\":\"3\"}}\n{\"n\":1,\"k\":true,\"x.y\":4}";
    let (table, report) = read_text(with, text.as_bytes()).unwrap();
    assert_eq!(table_to_csv(&table), "n:f64,k:categorical,z:s64,x.y:s64,when:timestamp\n2.5,7,1,3,\n1,true,,4,\n");
    assert_eq!(report.notes[0].message, "column `when` is declared, and no row has it");
    let with = json!({ "columns": { "b": "s64", "a": "s64" }, "undeclared": "ignore" });
    assert_eq!(csv(with, "{\"z\":[{}],\"b\":2}\n{\"a\":1}"), "a:s64,b:s64\n,2\n1,\n");
    let with = json!({ "columns": { "b": "s64" }, "undeclared": "refuse" });
    assert!(problem(with, "{\"b\":2,\"z\":1}").contains("line 1: the key `z` is not declared (byte 8 of the row)"));
    assert_eq!(read_text(json!({ "undeclared": "ignore" }), b"{}").unwrap_err().field.as_deref(), Some("columns"));
}

#[test]
fn bad_rows_are_named_or_skipped() {
    let with = json!({ "columns": { "a": "s64" }, "bad_rows": "skip" });
    let text =
        "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":2,}\nnull\n{\"a\":1,\"a\":2}\n{\"a\":3}\n{\"b\":{\"c\":1},\"b.c\":2}\n{\"a\"";
    let (table, report) = read_text(with, text.as_bytes()).unwrap();
    assert_eq!(table.column(0).unwrap(), Column::from_s64([1, 3]));
    let notes: Vec<String> =
        report.notes.iter().map(|note| format!("{}: {}", note.line.unwrap(), note.message)).collect();
    assert_eq!(
        notes,
        [
            "2: column `a`: `x` is not a whole number (s64)",
            "3: a key in quotes is missing (byte 8 of the row)",
            "4: this is no JSON object (byte 1 of the row)",
            "5: the key `a` comes twice (byte 8 of the row)",
            "7: column `b.c` comes twice",
            "8: `:` is missing after a key (byte 5 of the row)",
        ]
    );
    assert_eq!((report.rows, report.bad_rows), (2, 6));
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(70), "]".repeat(70));
    for (text, expected) in [
        ("", "holds no rows"),
        ("[]", "holds no rows"),
        ("[{\"a\":1}", "is cut off: its array does not end; the last element begins on line 1"),
        ("[{\"a\":1},\n{\"a\":", "the last element begins on line 2"),
        ("[{\"a\":1} {\"a\":2}]", "something other than `,` or `]` after an element of its array, on line 1"),
        ("[{\"a\":1},,{}]", "an array with an element missing, on line 1"),
        ("[{\"a\":1}]\n{}", "goes on after the end of its array, on line 2"),
        ("[1]", "line 1: this is no JSON object (byte 1 of the row)"),
        ("{\n\"a\": 1\n}", "line 1: the object does not end (byte 2 of the row)"),
        ("{\"a\":1}}", "something follows the object (byte 8 of the row)"),
        ("{\"a\":01}", "this is no JSON number (byte 6 of the row)"),
        ("{\"a\":1.}", "this is no JSON number"),
        ("{\"a\":NaN}", "JSON has no `NaN`"),
        ("{\"a\":tru}", "this is no JSON value"),
        ("{\"a\":}", "this is no JSON value (byte 6 of the row)"),
        ("{\"a\" 1}", "`:` is missing after a key"),
        ("{a:1}", "a key in quotes is missing (byte 2 of the row)"),
        ("{\"a\":\"\\x\"}", "an escape that JSON does not have (byte 7 of the row)"),
        ("{\"a\":\"\\ud800\"}", "an escape that JSON does not have"),
        ("{\"a\":\"b\u{1}\"}", "a control character in a text (byte 8 of the row)"),
        ("{\"a\":\"b}", "a text does not end (byte 6 of the row)"),
        ("{\"a\":1 \"b\":2}", "`,` or `}` is missing"),
        ("{\"a\":[1 2]}", "`,` or `]` is missing"),
        (deep.as_str(), "nested deeper than 64"),
    ] {
        let error = read_text(json!({}), text.as_bytes()).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidInput, Some("path")), "{text}");
        assert!(error.message.contains(expected), "{text}: {error}");
    }
    for (bytes, expected) in [(&b"{\"a\":\"\xff\"}"[..], "bytes that are not UTF-8"), (b"\xff\xfe{\0", "is UTF-16")] {
        assert!(read_text(json!({}), bytes).unwrap_err().message.contains(expected));
    }
}

#[test]
fn long_files_cross_the_borders_of_chunks() {
    let row = |number: usize| format!("{{\"n\": {number}, \"text\": \"{}\"}}", "é\\n".repeat(number % 97));
    let rows: Vec<String> = (0..20_000).map(row).collect();
    for text in [rows.join("\n"), format!("[{}]", rows.join(" ,\n"))] {
        let (table, report) = read_text(json!({}), text.as_bytes()).unwrap();
        assert_eq!(report.rows, 20_000);
        let numbers: Vec<i64> = (0..20_000).collect();
        assert_eq!(table.column(0).unwrap(), Column::from_s64(numbers));
        assert_eq!(table.column(1).unwrap().text(96), Some("é\n".repeat(96).as_str()));
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[a-c\"\\\\\n\u{1}é😀]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-d]{1,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    proptest::collection::hash_map("[a-d]{1,2}", value(), 0..5).prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    /// With nothing taken apart, every value is the JSON text or the text that it is.
    #[test]
    fn values_come_back(rows in proptest::collection::vec(object(), 1..8), pretty in any::<bool>()) {
        let text = match pretty {
            true => serde_json::to_string_pretty(&rows).unwrap(),
            false => rows.iter().map(|row| format!("{row}\n")).collect(),
        };
        prop_assume!(rows.iter().any(|row| row.as_object().is_some_and(|row| !row.is_empty())));
        let (table, _) = read_text(json!({ "flatten": 0 }), text.as_bytes()).unwrap();
        for (index, field) in table.schema().fields.iter().enumerate() {
            let column = table.column(index).unwrap();
            for (row, object) in rows.iter().enumerate() {
                let expected = &object[&field.name];
                let read = match column.data_type() {
                    _ if column.is_null(row) => Value::Null,
                    DataType::Utf8 => match expected {
                        Value::String(_) => Value::from(column.text(row).unwrap()),
                        _ => serde_json::from_str(column.text(row).unwrap()).unwrap(),
                    },
                    DataType::F64 => Value::from(column.number(row).unwrap()),
                    DataType::S64 => Value::from(column.as_s64().unwrap()[row]),
                    DataType::Bool => Value::from(column.bool(row)),
                    other => panic!("{}", other.name()),
                };
                let same = read == *expected || read.as_f64().is_some() && read.as_f64() == expected.as_f64();
                prop_assert!(same, "{}: {} is not {}", field.name, read, expected);
            }
        }
    }

    /// What is taken is JSON; what is JSON and refused is refused for a rule of this reader.
    #[test]
    fn it_takes_what_serde_takes(row in object(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut text = row.to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        prop_assume!(!text.contains(&b'\n') && !text.is_empty() && text[0] == b'{');
        let serde = serde_json::from_slice::<Value>(&text);
        match read_text(json!({}), &text) {
            // A number that no `f64` holds is a text here.
            Ok(_) if serde.as_ref().is_err_and(|error| error.to_string().contains("out of range")) => {}
            Ok(_) => prop_assert!(serde.is_ok(), "{}", String::from_utf8_lossy(&text)),
            Err(error) if error.message.contains("twice") || error.message.contains("without keys") => {}
            Err(error) => prop_assert!(serde.is_err(), "{} {}", String::from_utf8_lossy(&text), error),
        }
    }

    /// No bytes make it panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = read_text(json!({ "bad_rows": "skip" }), &bytes);
    }

    #[test]
    fn any_marks_are_read_or_refused(text in "\\[?[\\[\\]{}\"a:,1\\\\u\n -.e]{0,40}") {
        let _ = read_text(json!({ "bad_rows": "skip" }), text.as_bytes());
    }
}
