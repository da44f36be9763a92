//! Ten thousand schedules that are due together.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Instant;

use wasmlops_store::QueueState;

use super::*;

const MANY: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_in_one_minute_are_each_submitted_once() {
    let mut schedules = String::new();
    for number in 0..MANY {
        let params = number % 10;
        writeln!(
            schedules,
            "  s{number}: {{ pipeline: one, cron: \"0 12 * * *\", params: {{ n: {params} }}, jitter: 30s }}"
        )
        .unwrap();
    }
    let bench = Bench::new("2026-06-01T11:59:50Z", &schedules);
    let begun = Instant::now();
    let (host, mut service) = bench.serve().await;
    eprintln!("made known: {:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(submitted(&mut service).await, 0);
    eprintln!("a round with nothing due: {:?}", begun.elapsed());
    bench.set("2026-06-01T12:00:15Z");
    let begun = Instant::now();
    let half = submitted(&mut service).await;
    assert!((4_000..6_000).contains(&half), "jitter spreads them: {half}");
    bench.set("2026-06-01T12:00:31Z");
    assert_eq!(half + submitted(&mut service).await, MANY);
    eprintln!("submitted: {:?}", begun.elapsed());
    assert_eq!(submitted(&mut service).await, 0);

    assert_eq!(host.store.queue_length(QueueState::Queued).await.unwrap(), MANY as i64);
    let mut origins = BTreeSet::new();
    let mut cursor = None;
    loop {
        let page = host.store.list_runs(&RunFilter { limit: 1000, cursor, ..RunFilter::default() }).await.unwrap();
        for run in page.runs {
            assert_eq!(run.nominal_time, at("2026-06-01T12:00:00Z"));
            assert!(origins.insert(run.origin));
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(origins.len(), MANY);
}
