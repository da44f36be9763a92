//! Samples and caps.

use super::*;
use crate::inference::sample;

#[test]
fn the_id_decides_what_is_in_a_sample() {
    let in_sample =
        |share: f64| -> Vec<u64> { (0..10_000).filter(|number| sample::is_in(&id(*number), share)).collect() };
    assert_eq!(in_sample(1.0).len(), 10_000);
    assert_eq!(in_sample(0.0).len(), 0);
    let (tenth, half) = (in_sample(0.1), in_sample(0.5));
    // Four standard deviations of a binomial.
    assert!((880..1120).contains(&tenth.len()), "{}", tenth.len());
    assert!((4800..5200).contains(&half.len()), "{}", half.len());
    assert!(tenth.iter().all(|number| half.contains(number)), "a larger share holds a smaller one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_in_the_sample_is_not_logged() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let log = logs.log(ENDPOINT, LogPolicy { sample: 0.5, ..LogPolicy::default() }).await.unwrap();
    let source = source(1);
    let logged: Vec<u64> = (0..100).filter(|number| append(&log, &source, *number)).collect();
    assert_eq!(lab.ids().await, ids(logged.clone()));
    assert_eq!(log.head(), logged.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_rows_go_first() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    // Journals of five rows.
    let log = logs.log(ENDPOINT, LogPolicy { rows: 40, ..LogPolicy::default() }).await.unwrap();
    let source = source(1);
    for number in 0..100 {
        append(&log, &source, number);
    }
    logs.tend().await;
    let there = lab.ids().await;
    assert_eq!(there, ids(65..100));
    assert_eq!(log.head(), 100, "numbers are not given twice");
    let records = lab.host.store.audit_records(0, 100).await.unwrap();
    let removed: Vec<_> = records.iter().filter(|record| record.entry.action == "inference.removed").collect();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].entry.details, r#"{"segments":13,"rows":65,"last_seq":64}"#);
    // Their tables are gone as well, and their ids are not known any more.
    let blobs = walk(&lab.host.home.join("blobs/blake3"));
    assert_eq!(blobs, 7);
    assert_eq!(lab.label(&[("p0", json!(1)), ("p99", json!(1))]).await.unwrap().unknown, ["p0"]);
    let waiting = rows_since(&lab.host, ENDPOINT, 0).await.unwrap();
    assert_eq!(waiting, Waiting { rows: 35, first_seq: 65, first_time: Some(NOON + 65) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_are_capped_too() {
    let lab = Lab::new().await;
    let logs = lab.open().await;
    let policy = LogPolicy { rows: 800, ..LogPolicy::default() };
    let log = logs.log(ENDPOINT, policy).await.unwrap();
    let source = source(1);
    append_all(&log, &source, 0..300);
    logs.seal(ENDPOINT).await.unwrap();
    let state = lab.host.store.inference_state(ENDPOINT).await.unwrap();
    let (segments, bytes) = (state.segments.len(), state.segments[0].bytes as u64);
    assert_eq!(segments, 3);
    logs.log(ENDPOINT, LogPolicy { bytes: 2 * bytes, ..policy }).await.unwrap();
    logs.seal(ENDPOINT).await.unwrap();
    assert_eq!(lab.ids().await, ids(200..300));
}

/// Files below a folder.
fn walk(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}
