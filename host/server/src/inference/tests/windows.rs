//! Windows, and what is made of them.

use wasmlops_core::artifact::ModelDocument;
use wasmlops_package::Digest;

use super::recovery::{append_to, other_columns};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_times_and_counts_agree_wherever_the_rows_are() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let sources = [source(1), other_columns(2)];
    for number in 0..30 {
        append_to(&log, &sources[usize::from(number % 3 == 0)], number);
        if number == 9 || number == 19 {
            logs.seal(ENDPOINT).await.unwrap();
        }
    }
    for from in 0..30 {
        let data = lab.window(WindowSpec::Rows { from_seq: from, to_seq: from + 7 }).await;
        let end = (from + 7).min(30);
        let expected: Vec<Value> = ids(from as u64..end as u64).into_iter().map(Value::from).collect();
        assert_eq!(column(&data, "_id"), expected);
        assert_eq!((data.from_seq, data.to_seq, data.rows), (from, end, (end - from) as u64));
        let by_time = lab.window(WindowSpec::Time { start: NOON + from, end: NOON + from + 7 }).await;
        assert_eq!(by_time.table, data.table);
        let waiting = rows_since(&lab.host, ENDPOINT, from).await.unwrap();
        let expected = Waiting { rows: (30 - from) as u64, first_seq: from, first_time: Some(NOON + from) };
        assert_eq!(waiting, expected);
    }
    let none = rows_since(&lab.host, ENDPOINT, 30).await.unwrap();
    assert_eq!(none, Waiting { rows: 0, first_seq: 30, first_time: None });
    let data = lab.window(WindowSpec::Last(5)).await;
    assert_eq!(data.versions, [2, 1], "the version of the last row is the last");
    assert_eq!(lab.window(WindowSpec::Rows { from_seq: 90, to_seq: 95 }).await.rows, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_with_other_columns_are_united() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    append_to(&log, &other_columns(1), 0);
    append_to(&log, &source(2), 1);
    let data = lab.window(WindowSpec::Last(2)).await;
    // `width` has the newest type; the older row has none of that.
    assert_eq!(column(&data, "width"), [Value::Null, json!(1.0)]);
    assert_eq!(column(&data, "kind"), [Value::Null, json!("wild")]);
    assert_eq!(column(&data, "height"), [json!(0.25), Value::Null]);
    assert_eq!(column(&data, "_version"), [json!(1), json!(2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_training_table_has_the_models_columns_and_the_labelled_rows() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let source = source(1);
    append_all(&log, &source, 0..6);
    append_to(&log, &other_columns(2), 6);
    append(&log, &source, 7);
    let pairs: Vec<(String, Value)> = [1, 2, 5, 6].iter().map(|number| (id(*number), json!(number % 3))).collect();
    let pairs: Vec<(&str, Value)> = pairs.iter().map(|(id, value)| (id.as_str(), value.clone())).collect();
    lab.label(&pairs).await.unwrap();
    let document = ModelDocument {
        transforms: Vec::new(),
        plugin: "linear-model 0.1.0".to_owned(),
        predictor: Digest::sha256(b"predictor"),
        model: Digest::blake3(b"model"),
        input: Schema::new(vec![
            field("species", DataType::S64, false),
            field("kind", DataType::Utf8, true),
            field("width", DataType::F64, false),
        ])
        .unwrap(),
        output: source.output.clone(),
        target: Some("species".to_owned()),
        strict: false,
    };
    let data = lab.window(WindowSpec::Last(10)).await;
    let table = training_table(&data, &document).unwrap();
    assert_eq!(table.schema(), &document.input);
    // Row 6 has a label, and no width that this model could read.
    assert_eq!(columns::cells(&table, 0), [json!(1), json!(2), json!(2)]);
    assert_eq!(columns::cells(&table, 2), [json!(1.0), json!(2.0), json!(5.0)]);
    let missing = ModelDocument { input: Schema::new(vec![field("depth", DataType::F64, true)]).unwrap(), ..document };
    assert_eq!(code(&training_table(&data, &missing).unwrap_err()), "invalid-input");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feature_may_have_any_name() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let names = ["label", "_id", "prediction"];
    let input = Schema::new(names.iter().map(|name| field(name, DataType::F64, false)).collect()).unwrap();
    let source = Arc::new(Source { input, ..(*source(1)).clone() });
    let features = Batch { num_rows: 1, columns: vec![f64s([1.0]), f64s([2.0]), f64s([3.0])] };
    let predictions = predictions(1);
    let record = Record {
        source: &source,
        id: "p",
        time: NOON,
        latency_us: 1,
        outcome: Outcome::Ok,
        features: &features,
        predictions: Some(&predictions),
    };
    log.append(record).unwrap();
    let data = lab.window(WindowSpec::Last(1)).await;
    assert_eq!(column(&data, "features.label"), [json!(1.0)]);
    assert_eq!(column(&data, "features._id"), [json!(2.0)]);
    assert_eq!(column(&data, "features.prediction"), [json!(3.0)]);
    assert_eq!((column(&data, "_id"), column(&data, "prediction")), (vec![json!("p")], vec![json!(1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prediction_is_found_by_its_id() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    append_all(&log, &source(7), 0..3);
    lab.label(&[("p1", json!(1))]).await.unwrap();
    for sealed in [false, true] {
        if sealed {
            logs.seal(ENDPOINT).await.unwrap();
        }
        let view = crate::lineage::prediction(&lab.host, "p1").await.unwrap().unwrap();
        assert_eq!((view.endpoint.as_str(), view.release.as_str(), view.model.as_str()), (ENDPOINT, "r7", "iris"));
        assert_eq!((view.version, view.latency_ms, view.error), (7, 1.5, None));
        assert_eq!(Value::Object(view.features), json!({ "width": 1.0, "kind": "wild" }));
        assert_eq!(Value::Object(view.prediction), json!({ "prediction": 1, "probability.1": 0.5 }));
        assert_eq!(view.label.unwrap().value, json!(1));
        assert!(view.origin.is_none(), "the registry knows no such model");
    }
    assert!(crate::lineage::prediction(&lab.host, "p9").await.unwrap().is_none());
}
