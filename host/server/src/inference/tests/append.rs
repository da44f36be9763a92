//! Appending.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_there_at_once_in_their_order() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let source = source(3);
    for number in 0..5 {
        append(&log, &source, number);
    }
    let data = lab.window(WindowSpec::Last(3)).await;
    assert_eq!(column(&data, "_id"), [json!("p2"), json!("p3"), json!("p4")]);
    assert_eq!(column(&data, "width"), [json!(2.0), json!(3.0), json!(4.0)]);
    assert_eq!(column(&data, "prediction"), [json!(0), json!(1), json!(0)]);
    assert_eq!(column(&data, "_latency_ms"), vec![json!(1.5); 3]);
    assert_eq!(column(&data, "_error"), vec![Value::Null; 3]);
    assert_eq!((data.from_seq, data.to_seq, data.versions.as_slice()), (2, 5, &[3][..]));
    let names: Vec<_> = data.table.schema().fields.iter().map(|field| field.name.as_str()).collect();
    let expected = "width kind prediction probability.1 label _id _time _version _latency_ms _error";
    assert_eq!(names.join(" "), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_rows_and_one_that_failed() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let source = source(1);
    let two = Batch { num_rows: 2, columns: vec![f64s([1.0, 2.0]), texts([None, Some("tame")])] };
    let record = Record {
        source: &source,
        id: "q",
        time: NOON,
        latency_us: 20,
        outcome: Outcome::Error("deadline-exceeded"),
        features: &two,
        predictions: None,
    };
    log.append(record).unwrap();
    for seal in [false, true] {
        if seal {
            logs.seal(ENDPOINT).await.unwrap();
        }
        let data = lab.window(WindowSpec::Last(10)).await;
        assert_eq!(column(&data, "_id"), [json!("q.0"), json!("q.1")]);
        assert_eq!(column(&data, "kind"), [Value::Null, json!("tame")]);
        assert_eq!(column(&data, "prediction"), [Value::Null, Value::Null]);
        assert_eq!(column(&data, "_error"), vec![json!("deadline-exceeded"); 2]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_threads_append_while_journals_are_sealed() {
    const EACH: u64 = 2500;
    let lab = Lab::new().await;
    let logs = lab.open().await;
    // Five journals of 2,000 rows, and no row that is too much.
    let log = logs.log(ENDPOINT, LogPolicy { rows: 16_000, ..LogPolicy::default() }).await.unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let log = log.clone();
            let source = source(writer);
            std::thread::spawn(move || append_all(&log, &source, writer * EACH..(writer + 1) * EACH))
        })
        .collect();
    while !writers.iter().all(std::thread::JoinHandle::is_finished) {
        logs.tend().await;
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    logs.tend().await;
    let mut there = lab.ids().await;
    assert_eq!(there.len() as u64, 4 * EACH);
    assert_eq!(log.head(), 4 * EACH);
    assert!(lab.host.store.inference_state(ENDPOINT).await.unwrap().sealed >= 4);
    // Each writer's rows are in its order.
    let of = |writer: u64| there.iter().filter(move |id| id[1..].parse::<u64>().unwrap() / EACH == writer).cloned();
    for writer in 0..4 {
        assert_eq!(of(writer).collect::<Vec<_>>(), ids(writer * EACH..(writer + 1) * EACH));
    }
    there.sort();
    there.dedup();
    assert_eq!(there.len() as u64, 4 * EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_writes_at_a_time() {
    let lab = Lab::new().await;
    let _logs = lab.open().await;
    let second = InferenceLogs::open(lab.host.store.clone(), &lab.host.home, lab.clock.clone()).await;
    assert_eq!(code(&second.err().unwrap()), "in-use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_its_columns_is_refused() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let twice = Arc::new(Source {
        input: Schema::new(vec![field("a", DataType::F64, false), field("features.a", DataType::F64, false)]).unwrap(),
        output: Schema::new(vec![field("a", DataType::F64, false)]).unwrap(),
        ..(*source(1)).clone()
    });
    let (two, one) = (
        Batch { num_rows: 1, columns: vec![f64s([1.0]), f64s([1.0])] },
        Batch { num_rows: 1, columns: vec![f64s([1.0])] },
    );
    let record = |source, features| Record {
        source,
        id: "p",
        time: NOON,
        latency_us: 1,
        outcome: Outcome::Ok,
        features,
        predictions: None,
    };
    assert!(matches!(log.append(record(&twice, &two)), Err(AppendError::Columns(_))));
    assert!(matches!(log.append(record(&twice, &one)), Err(AppendError::ColumnCount { expected: 2, found: 1 })));
    assert_eq!(log.head(), 0);
    append(&log, &source(1), 0);
    assert_eq!(lab.ids().await, ids(0..1));
}

/// A batch that lies costs its own row its columns, and no other row anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_batch_harms_no_other_row() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = lab.log(&logs).await;
    let source = source(1);
    append_all(&log, &source, 0..3);
    for (number, text) in [(3, texts([Some("a")])), (4, texts([Some("bc")]))] {
        let mut text = text;
        match number {
            3 => text.values = vec![0xff],
            _ => text.values.truncate(1),
        }
        let features = Batch { num_rows: 1, columns: vec![f64s([number as f64]), text] };
        let id = id(number);
        let record = Record {
            source: &source,
            id: &id,
            time: NOON,
            latency_us: 1,
            outcome: Outcome::Ok,
            features: &features,
            predictions: None,
        };
        log.append(record).unwrap();
    }
    append(&log, &source, 5);
    logs.seal(ENDPOINT).await.unwrap();
    let data = lab.window(WindowSpec::Last(10)).await;
    let widths = [json!(0.0), json!(1.0), json!(2.0), Value::Null, Value::Null, json!(5.0)];
    assert_eq!(column(&data, "width"), widths);
    let errors: Vec<Value> = column(&data, "_error");
    assert_eq!(errors[3..], [json!("unreadable-record"), json!("unreadable-record"), Value::Null]);
}
