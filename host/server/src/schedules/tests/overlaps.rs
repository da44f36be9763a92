//! What happens while an earlier run is under way.

use super::*;

async fn three_minutes(overlap: &str) -> (Bench, Host, Service) {
    let bench = Bench::new("2026-06-01T11:59:50Z", &format!("  s: {{ pipeline: one, every: 1m, overlap: {overlap} }}"));
    let (host, mut service) = bench.serve().await;
    for minute in 0..3 {
        bench.set(&format!("2026-06-01T12:0{minute}:01Z"));
        service.round().await.unwrap();
    }
    (bench, host, service)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skip_lets_the_time_pass() {
    let (bench, host, mut service) = three_minutes("skip").await;
    assert_eq!(times(&host, "s").await, pairs([("12:00", "scheduled"), ("12:01", "skipped"), ("12:02", "skipped")]));
    end_runs(&host).await;
    assert_eq!(submitted(&mut service).await, 0);
    bench.set("2026-06-01T12:03:01Z");
    assert_eq!(submitted(&mut service).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queue_lets_the_run_wait_even_over_a_restart() {
    let (bench, host, service) = three_minutes("queue").await;
    assert_eq!(times(&host, "s").await, pairs([("12:00", "scheduled"), ("12:01", "waiting"), ("12:02", "waiting")]));
    drop(service);
    host.store.close().await;
    let (host, mut service) = bench.serve().await;
    assert_eq!(submitted(&mut service).await, 0);
    end_runs(&host).await;
    assert_eq!(submitted(&mut service).await, 1);
    assert_eq!(times(&host, "s").await, pairs([("12:00", "cancelled"), ("12:01", "scheduled"), ("12:02", "waiting")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replace_ends_the_earlier_run() {
    let (_bench, host, _) = three_minutes("replace").await;
    assert_eq!(
        times(&host, "s").await,
        pairs([("12:00", "cancelled"), ("12:01", "cancelled"), ("12:02", "scheduled")])
    );
}
