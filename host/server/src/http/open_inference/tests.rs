//! The Open Inference Protocol at its door.

use proptest::prelude::*;
use wasmlops_core::table::{Batch, DataType, Field, Schema, TableBuilder};

use super::{Answered, Request, metadata};

fn field(name: &str, data_type: DataType, nullable: bool) -> Field {
    Field { name: name.to_owned(), data_type, nullable }
}

fn mixed() -> Schema {
    Schema::new(vec![
        field("size", DataType::F64, true),
        field("count", DataType::S64, false),
        field("ok", DataType::Bool, false),
        field("name", DataType::Categorical, false),
    ])
    .unwrap()
}

fn numbers() -> Schema {
    Schema::new(vec![field("a", DataType::F64, false), field("b", DataType::F32, false)]).unwrap()
}

/// Every kind of column goes out as it came in.
fn echo(schema: &Schema, body: &[u8], json_length: Option<u64>) -> Result<Vec<u8>, String> {
    let request = Request::parse(body, json_length)?;
    let batch = request.batch(schema, schema).map_err(|refusal| refusal.to_string())?;
    TableBuilder::new(schema.clone()).push(batch.clone()).expect("a batch of a request fits its schema");
    let answered = Answered { model: "m", version: 7, id: request.id.as_deref().unwrap_or("r"), schema, rows: &batch };
    let answer = request.answer(&answered);
    assert_eq!(answer.json_length.is_some(), answer.body.last() != Some(&b'}') || answer.json_length.is_some());
    Ok(answer.body)
}

fn json(schema: &Schema, body: &str) -> Result<serde_json::Value, String> {
    echo(schema, body.as_bytes(), None).map(|answer| serde_json::from_slice(&answer).unwrap())
}

fn input(name: &str, datatype: &str, shape: &str, data: &str) -> String {
    format!(r#"{{"name": "{name}", "datatype": "{datatype}", "shape": {shape}, "data": {data}}}"#)
}

fn request(inputs: &[String]) -> String {
    format!(r#"{{"inputs": [{}]}}"#, inputs.join(","))
}

#[test]
fn tensors_of_columns_in_any_order_become_rows_and_come_back() {
    let body = r#"{"id": "q1", "parameters": {"anything": [1]}, "inputs": [
        {"name": "name", "shape": [2, 1], "datatype": "BYTES", "data": [["\u00e9"], ["b"]], "parameters": {"other": 1}},
        {"data": [9223372036854775807, -9223372036854775808], "name": "count", "shape": [2], "datatype": "INT64"},
        {"name": "ok", "shape": [2], "datatype": "BOOL", "data": [true, false]},
        {"name": "size", "shape": [2], "datatype": "FP64", "data": [0.1, null]}]}"#;
    let answer = json(&mixed(), body).unwrap();
    let expected = serde_json::json!({"model_name": "m", "model_version": "7", "id": "q1", "outputs": [
        {"name": "size", "datatype": "FP64", "shape": [2], "data": [0.1, null]},
        {"name": "count", "datatype": "INT64", "shape": [2], "data": [i64::MAX, i64::MIN]},
        {"name": "ok", "datatype": "BOOL", "shape": [2], "data": [true, false]},
        {"name": "name", "datatype": "BYTES", "shape": [2], "data": ["é", "b"]},
    ]});
    assert_eq!(answer, expected);
}

#[test]
fn one_matrix_stands_for_all_columns_flat_or_nested() {
    let nested = request(&[input("input-0", "FP32", "[3, 2]", "[[1, 2], [3, 4], [5, 6.5]]")]);
    let flat = request(&[input("x", "FP64", "[3, 2]", "[1, 2, 3, 4, 5, 6.5]")]);
    let answer = json(&numbers(), &nested).unwrap();
    assert_eq!(answer, json(&numbers(), &flat).unwrap());
    assert_eq!(answer["outputs"][1]["data"], serde_json::json!([2.0, 4.0, 6.5]));
    assert!(json(&mixed(), &request(&[input("x", "FP64", "[1, 4]", "[1, 2, 3, 4]")])).is_err());
}

#[test]
fn outputs_are_those_asked_for() {
    let inputs = [input("a", "FP64", "[1]", "[1]"), input("b", "FP32", "[1]", "[0.1]")].join(",");
    let answer = json(&numbers(), &format!(r#"{{"inputs": [{inputs}], "outputs": [{{"name": "b"}}]}}"#)).unwrap();
    assert_eq!(answer["outputs"], serde_json::json!([{"name": "b", "datatype": "FP32", "shape": [1], "data": [0.1]}]));
    let error = json(&numbers(), &format!(r#"{{"inputs": [{inputs}], "outputs": [{{"name": "c"}}]}}"#)).unwrap_err();
    assert!(error.contains("column `c`: expected an output of the model"), "{error}");
}

/// A request with binary tensors, as its header and its body.
fn binary(inputs: &[(&str, &str, &[u8], usize)], more: &str) -> (u64, Vec<u8>) {
    let entry = |(name, datatype, bytes, rows): &(&str, &str, &[u8], usize)| {
        let size = bytes.len();
        format!(
            r#"{{"name": "{name}", "datatype": "{datatype}", "shape": [{rows}], "parameters": {{"binary_data_size": {size}}}}}"#
        )
    };
    let json = format!(r#"{{"inputs": [{}]{more}}}"#, inputs.iter().map(entry).collect::<Vec<_>>().join(","));
    let mut body = json.clone().into_bytes();
    inputs.iter().for_each(|(_, _, bytes, _)| body.extend_from_slice(bytes));
    (json.len() as u64, body)
}

#[test]
fn binary_tensors_go_both_ways() {
    let sizes: Vec<u8> = [1.5_f64, f64::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
    let counts: Vec<u8> = [1_u16, 65535].iter().flat_map(|value| value.to_le_bytes()).collect();
    let inputs: [(&str, &str, &[u8], usize); 4] = [
        ("size", "FP64", &sizes, 2),
        ("count", "UINT16", &counts, 2),
        ("ok", "BOOL", &[1, 0], 2),
        ("name", "BYTES", b"\x02\0\0\0hi\0\0\0\0", 2),
    ];
    let (length, body) = binary(&inputs, r#", "parameters": {"binary_data_output": true}"#);
    let answer = echo(&mixed(), &body, Some(length)).unwrap();
    let tensors = answer.iter().position(|byte| *byte == b'}').map(|_| &answer[answer.len() - 44..]).unwrap();
    let (size, rest) = tensors.split_at(16);
    assert_eq!(size[..8], 1.5_f64.to_le_bytes());
    assert!(f64::from_le_bytes(size[8..].try_into().unwrap()).is_nan());
    assert_eq!(rest[..16], [1_i64.to_le_bytes(), 65535_i64.to_le_bytes()].concat());
    assert_eq!(&rest[16..], b"\x01\0\x02\0\0\0hi\0\0\0\0");
    let head: serde_json::Value = serde_json::from_slice(&answer[..answer.len() - 44]).unwrap();
    assert_eq!(head["outputs"][3]["parameters"]["binary_data_size"], 10);

    let (length, body) =
        binary(&inputs, r#", "outputs": [{"name": "ok", "parameters": {"binary_data": true}}, {"name": "count"}]"#);
    let answer = echo(&mixed(), &body, Some(length)).unwrap();
    let head: serde_json::Value = serde_json::from_slice(&answer[..answer.len() - 2]).unwrap();
    assert_eq!(head["outputs"][1]["data"], serde_json::json!([1, 65535]));
    assert_eq!(answer[answer.len() - 2..], [1, 0]);
}

#[test]
fn half_precision_is_read_exactly() {
    let halves: Vec<u8> = [0x3c00_u16, 0xc000, 0x0001, 0x7bff].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let (length, body) = binary(&[("a", "FP16", &halves, 4), ("b", "BF16", &[0x80, 0x3f].repeat(4), 4)], "");
    let answer: serde_json::Value = serde_json::from_slice(&echo(&numbers(), &body, Some(length)).unwrap()).unwrap();
    assert_eq!(answer["outputs"][0]["data"], serde_json::json!([1.0, -2.0, 2f64.powi(-24), 65504.0]));
    assert_eq!(answer["outputs"][1]["data"], serde_json::json!([1.0, 1.0, 1.0, 1.0]));
}

#[test]
fn any_number_type_is_taken_where_its_value_fits() {
    let ask = |datatype: &str, data: &str| {
        json(&numbers(), &request(&[input("a", "FP64", "[1]", "[1]"), input("b", datatype, "[1]", data)]))
    };
    assert!(ask("INT8", "[-128]").is_ok() && ask("INT8", "[-129]").is_err());
    assert!(ask("UINT64", "[16777216]").is_ok() && ask("UINT64", "[16777217]").is_err());
    assert!(ask("FP64", "[0.5]").is_ok() && ask("FP64", "[0.1]").is_err(), "0.1 is no 32-bit number");
    assert!(ask("FP32", "[0.1]").is_ok() && ask("FP32", "[1e39]").is_err());
    assert!(ask("INT32", "[1.5]").is_err() && ask("FP32", "[true]").is_err() && ask("FP32", "[\"1\"]").is_err());
    assert!(ask("FP32", "[null]").is_err() && ask("BYTES", "[\"1\"]").is_err() && ask("BOOL", "[true]").is_err());
    let nan = f64::NAN.to_le_bytes();
    let (length, body) = binary(&[("a", "FP64", &nan, 1), ("b", "FP32", &[0; 4], 1)], "");
    let error = echo(&numbers(), &body, Some(length)).unwrap_err();
    assert!(error.contains("column `a` in row 0: expected a number (f64), not null and not NaN, found NaN"), "{error}");
}

#[test]
fn every_wrong_input_is_named_at_once() {
    let body = request(&[
        input("size", "BYTES", "[1]", "[\"1\"]"),
        input("count", "INT64", "[1, 1, 1]", "[1]"),
        input("colour", "FP64", "[1]", "[1]"),
        input("ok", "BOOL", "[1]", "[1]"),
    ]);
    let error = json(&mixed(), &body).unwrap_err();
    for part in [
        "column `colour`: expected an input of the model, found no such input",
        "column `size`: expected datatype FP64, found BYTES",
        "column `count`: expected shape [-1] or [-1, 1], found shape [1, 1, 1]",
        "column `ok` in row 0: expected true or false (bool), not null and not NaN, found `1`, which is no BOOL",
        "column `name`: expected an input of datatype BYTES and shape [-1], found none",
    ] {
        assert!(error.contains(part), "no `{part}` in {error}");
    }
}

#[test]
fn inconsistent_tensors_are_refused() {
    let a = |shape: &str, data: &str| {
        json(&numbers(), &request(&[input("a", "FP64", shape, data), input("b", "FP32", "[2]", "[1, 2]")]))
    };
    assert!(a("[2]", "[1, 2]").is_ok());
    for (shape, data) in [
        ("[2]", "[1]"),
        ("[3]", "[1, 2]"),
        ("[1, 2]", "[1, 2]"),
        ("[]", "[1]"),
        ("[-2]", "[1, 2]"),
        ("[0]", "[]"),
        ("[2.0]", "[1, 2]"),
        ("\"2\"", "[1, 2]"),
        ("[2]", "1"),
        ("[2]", "null"),
        ("[2]", "{}"),
        ("[2]", "[1, [2]]"),
        ("[2, 1]", "[[1], [[2]]]"),
        ("[2]", "[[1, 2]]"),
        ("[2, 1]", "[[1, 2]]"),
        ("[2]", "[1, {}]"),
        ("[4294967296, 4294967296, 4294967296]", "[1, 2]"),
        ("[1,1,1,1,1,1,1,1,2]", "[1, 2]"),
        ("[9223372036854775808]", "[1, 2]"),
        ("[2]", "[[[[[[[[[1, 2]]]]]]]]]"),
        ("[1]", "[1]"),
    ] {
        assert!(a(shape, data).is_err(), "{shape} {data}");
    }
    for body in [
        "",
        "[]",
        "{}",
        "null",
        r#"{"inputs": []}"#,
        r#"{"inputs": {}}"#,
        r#"{"inputs": [{}]}"#,
        r#"{"inputs": [], "inputs": []}"#,
        r#"{"inputs": [{"name": "a", "datatype": "FP65", "shape": [1], "data": [1]}]}"#,
        r#"{"inputs": [{"name": "a", "datatype": "FP64", "shape": [1]}]}"#,
        r#"{"inputs": [{"name": "a", "datatype": "FP64", "shape": [1], "data": [1], "data": [1]}]}"#,
        r#"{"inputs": [{"name": "a", "datatype": "FP64", "shape": [1], "data": [1], "parameters": {"binary_data_size": 8}}]}"#,
    ] {
        assert!(json(&numbers(), body).is_err(), "{body}");
    }
    let same = request(&[
        input("a", "FP64", "[1]", "[1]"),
        input("a", "FP64", "[1]", "[1]"),
        input("b", "FP32", "[1]", "[1]"),
    ]);
    assert!(json(&numbers(), &same).unwrap_err().contains("expected one tensor, found two"));
}

#[test]
fn lying_lengths_are_refused_before_anything_is_read() {
    let bytes = 1.0_f64.to_le_bytes();
    let (length, body) = binary(&[("a", "FP64", &bytes, 1), ("b", "FP32", &[0; 4], 1)], "");
    assert!(echo(&numbers(), &body, Some(length)).is_ok());
    assert!(echo(&numbers(), &body, None).is_err());
    assert!(echo(&numbers(), &body, Some(length - 1)).is_err());
    assert!(echo(&numbers(), &body, Some(u64::MAX)).is_err());
    assert!(echo(&numbers(), &body[..body.len() - 1], Some(length)).is_err());
    assert!(echo(&numbers(), &[&body[..], &[0]].concat(), Some(length)).is_err());
    for size in ["-1", "18446744073709551616", "18446744073709551615", "\"8\"", "7"] {
        let json = format!(
            r#"{{"inputs": [{{"name": "a", "datatype": "FP64", "shape": [1], "parameters": {{"binary_data_size": {size}}}}}]}}"#
        );
        let body = [json.as_bytes(), &bytes].concat();
        assert!(echo(&numbers(), &body, Some(json.len() as u64)).is_err(), "{size}");
    }
    for texts in [&b"\xff\xff\xff\xffx"[..], b"\x02\0\0\0x", b"\0\0\0", b"\x01\0\0\0\xff"] {
        let inputs: [(&str, &str, &[u8], usize); 4] = [
            ("size", "FP64", &bytes, 1),
            ("count", "INT8", &[1], 1),
            ("ok", "BOOL", &[1], 1),
            ("name", "BYTES", texts, 1),
        ];
        let (length, body) = binary(&inputs, "");
        assert!(echo(&mixed(), &body, Some(length)).is_err(), "{texts:?}");
    }
    let (length, body) = binary(&[("ok", "BOOL", &[2], 1)], "");
    assert!(echo(&mixed(), &body, Some(length)).unwrap_err().contains("neither 0 nor 1"));
}

#[test]
fn metadata_lists_columns() {
    let view = metadata("m", &[1, 3], &mixed(), &numbers());
    assert_eq!(view["versions"], serde_json::json!(["1", "3"]));
    assert_eq!(view["inputs"][3], serde_json::json!({"name": "name", "datatype": "BYTES", "shape": [-1]}));
    assert_eq!(view["outputs"][1], serde_json::json!({"name": "b", "datatype": "FP32", "shape": [-1]}));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_request_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300), length in 0_u64..400) {
        let _ = echo(&mixed(), &body, Some(length));
        let _ = echo(&mixed(), &body, None);
    }

    #[test]
    fn any_mutation_of_a_request_is_answered_or_refused(at in any::<usize>(), byte in any::<u8>(), shift in -3_i64..4) {
        let (length, mut body) = binary(
            &[("size", "FP64", &[0; 8], 1), ("count", "INT8", &[1], 1), ("ok", "BOOL", &[1], 1), ("name", "BYTES", b"\x01\0\0\0x", 1)],
            r#", "outputs": [{"name": "name", "parameters": {"binary_data": true}}]"#,
        );
        let at = at % body.len();
        body[at] = byte;
        let _ = echo(&mixed(), &body, Some(length.saturating_add_signed(shift)));
    }

    #[test]
    fn any_binary_numbers_fit_exactly_or_are_refused(values in proptest::collection::vec(any::<f64>(), 1..20)) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let rows = values.len();
        let (length, body) = binary(&[("a", "FP64", &bytes, rows), ("b", "FP64", &bytes, rows)], "");
        let exact = values.iter().all(|value| !value.is_nan() && f64::from(*value as f32) == *value);
        prop_assert_eq!(echo(&numbers(), &body, Some(length)).is_ok(), exact);
    }
}

#[test]
fn batches_keep_rows() {
    let batch = Request::parse(request(&[input("x", "FP32", "[2, 2]", "[1, 2, 3, 4]")]).as_bytes(), None)
        .unwrap()
        .batch(&numbers(), &numbers())
        .unwrap();
    let column = |values: Vec<u8>| wasmlops_core::table::Column { values, ..Default::default() };
    let a = [1.0_f64, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let b = [2.0_f32, 4.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(batch, Batch { num_rows: 2, columns: vec![column(a), column(b)] });
}
