//! Labels meet their predictions.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_join_exactly_before_and_after_sealing() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let source = source(1);
    append_all(&log, &source, 0..4);
    let answer = lab.label(&[("p1", json!("1")), ("p3", json!(0)), ("p", json!(1)), ("p10", json!(1))]).await.unwrap();
    let expected = LabelAnswer { accepted: 2, unknown: vec!["p".into(), "p10".into()], ..LabelAnswer::default() };
    assert_eq!(answer, expected);
    let joined = [Value::Null, json!(1), Value::Null, json!(0)];
    assert_eq!(column(&lab.window(WindowSpec::Last(4)).await, "label"), joined);
    logs.seal(ENDPOINT).await.unwrap();
    let data = lab.window(WindowSpec::Last(4)).await;
    assert_eq!((column(&data, "label"), data.labelled), (joined.to_vec(), 2));
    // Of a sealed prediction.
    assert_eq!(lab.label(&[("p0", json!(1.0))]).await.unwrap().accepted, 1);
    append(&log, &source, 4);
    assert_eq!(lab.label(&[("p4", json!(true)), ("p2", json!(0))]).await.unwrap().accepted, 2);
    let data = lab.window(WindowSpec::Last(5)).await;
    assert_eq!(column(&data, "label"), [json!(1), json!(1), json!(0), json!(0), json!(1)]);
    let schema = data.table.schema();
    assert_eq!(schema.fields[schema.index_of("label").unwrap()].data_type, DataType::S64);
    let unjoined = window(&lab.host, ENDPOINT, WindowSpec::Last(5), false).await.unwrap();
    assert_eq!((column(&unjoined, "label"), unjoined.labelled), (vec![Value::Null; 5], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_never_changes() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    append_all(&log, &source(1), 0..3);
    assert_eq!(lab.label(&[("p0", json!(1))]).await.unwrap().accepted, 1);
    let again = lab.label(&[("p0", json!("1")), ("p1", json!(0)), ("p1", json!(0))]).await.unwrap();
    assert_eq!((again.accepted, again.duplicate), (1, 2));
    // All or nothing.
    let error = lab.label(&[("p2", json!(1)), ("p0", json!(0))]).await.unwrap_err();
    assert_eq!(code(&error), "label-conflict");
    let error = lab.label(&[("p2", json!(1)), ("p2", json!(0))]).await.unwrap_err();
    assert_eq!(code(&error), "label-conflict");
    let error = lab.label(&[("p2", json!("setosa"))]).await.unwrap_err();
    assert_eq!(code(&error), "invalid-label");
    assert_eq!(column(&lab.window(WindowSpec::Last(3)).await, "label"), [json!(1), json!(0), Value::Null]);
    let records = lab.host.store.audit_records(0, 100).await.unwrap();
    let actions = records.iter().filter(|record| record.entry.action == "labels.recorded").count();
    assert_eq!(actions, 2, "a call that changes nothing leaves no record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_label_is_kept_and_not_used() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    append_all(&log, &source(1), 0..2);
    lab.later(Lab::lateness());
    assert_eq!(lab.label(&[("p0", json!(1))]).await.unwrap().late, Vec::<String>::new());
    lab.later(Duration::from_micros(2));
    let answer = lab.label(&[("p1", json!(1))]).await.unwrap();
    assert_eq!((answer.accepted, answer.late), (1, vec!["p1".to_owned()]));
    assert_eq!(lab.label(&[("p1", json!(1))]).await.unwrap().duplicate, 1);
    let data = lab.window(WindowSpec::Last(2)).await;
    assert_eq!((column(&data, "label"), data.labelled), (vec![json!(1), Value::Null], 1));
    let listed = labels::list(&lab.host, ENDPOINT, 10).await.unwrap();
    assert_eq!(
        listed.iter().map(|label| (label.id.as_str(), label.late)).collect::<Vec<_>>(),
        [("p1", true), ("p0", false)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_labels_from_a_table_and_an_unknown_endpoint() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let source = source(1);
    append_all(&log, &source, 0..1000);
    let names = ids(0..1000);
    let columns =
        vec![texts(names.iter().map(|id| Some(id.as_str()))), f64s((0..1000).map(|number| f64::from(number % 2)))];
    let schema = Schema::new(vec![field("id", DataType::Utf8, false), field("label", DataType::F64, false)]).unwrap();
    let mut builder = wasmlops_core::table::TableBuilder::new(schema);
    builder.push(Batch { num_rows: 1000, columns }).unwrap();
    let answer = labels::record_table(&lab.host, ENDPOINT, &builder.finish().unwrap(), "test").await.unwrap();
    assert_eq!((answer.accepted, answer.unknown.len()), (1000, 0));
    let data = lab.window(WindowSpec::Last(1000)).await;
    assert_eq!(data.labelled, 1000);
    assert_eq!(column(&data, "label"), column(&data, "prediction"));
    let one = vec![Label { id: "p0".to_owned(), value: json!(1) }];
    let error = labels::record(&lab.host, "nowhere", one, "test").await.unwrap_err();
    assert_eq!(code(&error), "not-found");
}
