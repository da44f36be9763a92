//! Runs for times that have passed.

use super::*;
use crate::schedules::control::{self, BackfillRequest};
use crate::schedules::view;

fn request(from: &str, to: &str, parallelism: u32) -> BackfillRequest {
    BackfillRequest { schedule: "s".to_owned(), from: from.to_owned(), to: to.to_owned(), parallelism }
}

async fn under_way(host: &Host) -> usize {
    all_runs(host).await.iter().filter(|run| !run.status.is_final()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_at_once_and_on_after_a_death() {
    let bench = Bench::new("2026-06-01T11:30:00Z", "  s: { pipeline: one, every: 1h }");
    let (host, mut service) = bench.serve().await;
    bench.set("2026-06-01T12:00:01Z");
    assert_eq!(submitted(&mut service).await, 1);
    end_runs(&host).await;
    bench.set("2026-06-01T12:30:00Z");
    // 08:00 to 12:00, of which the last has its run.
    let made =
        control::backfill(&host, &request("2026-06-01T07:30:00Z", "2026-06-01T12:30:00Z", 2), "ann").await.unwrap();
    assert_eq!((made.state.as_str(), made.submitted, made.reached.as_deref()), ("running", 0, None));
    assert_eq!(submitted(&mut service).await, 2);
    assert_eq!(submitted(&mut service).await, 0);
    assert_eq!(under_way(&host).await, 2);
    drop(service);
    host.store.close().await;

    let (host, mut service) = bench.serve().await;
    assert_eq!(submitted(&mut service).await, 0);
    let first = all_runs(&host).await.into_iter().find(|run| !run.status.is_final()).unwrap();
    runs::cancel(&host, &first.id, "test").await.unwrap();
    assert_eq!(submitted(&mut service).await, 1);
    end_runs(&host).await;
    assert_eq!(submitted(&mut service).await, 1);
    end_runs(&host).await;
    assert_eq!(submitted(&mut service).await, 0);
    let ended = view::backfill(&host, &made.backfill).await.unwrap();
    assert_eq!((ended.state.as_str(), ended.submitted), ("done", 4));
    let runs = all_runs(&host).await;
    let nominal: Vec<String> = runs.iter().map(|run| rfc3339(run.nominal_time)[11..16].to_owned()).collect();
    assert_eq!(nominal, ["08:00", "09:00", "10:00", "11:00", "12:00"]);
    let of_it = format!("backfill:{}", made.backfill);
    assert_eq!(runs.iter().filter(|run| run.origin == of_it).count(), 4);

    // The same again has nothing to do.
    control::backfill(&host, &request("2026-06-01T07:30:00Z", "2026-06-01T12:30:00Z", 5), "ann").await.unwrap();
    assert_eq!(submitted(&mut service).await, 0);
    assert_eq!(all_runs(&host).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_can_be_stopped_and_every_mistake_is_said() {
    let bench = Bench::new("2026-06-01T11:30:00Z", "  s: { pipeline: one, cron: \"0 0 * * *\", zone: Europe/Berlin }");
    let (host, mut service) = bench.serve().await;
    let made = control::backfill(&host, &request("2026-05-01", "2026-05-04", 1), "ann").await.unwrap();
    assert_eq!(made.from, "2026-04-30T22:00:00.000Z");
    assert_eq!(submitted(&mut service).await, 1);
    control::cancel_backfill(&host, &made.backfill, "ann").await.unwrap();
    end_runs(&host).await;
    assert_eq!(submitted(&mut service).await, 0);
    let again = control::cancel_backfill(&host, &made.backfill, "ann").await.unwrap_err();
    assert_eq!(code(&again), ["backfill-ended"]);
    let unknown = control::cancel_backfill(&host, "x", "ann").await.unwrap_err();
    assert_eq!(code(&unknown), ["unknown-backfill"]);
    let wrong = control::backfill(&host, &request("yesterday", "2027-01-01", 0), "ann").await.unwrap_err();
    assert_eq!(code(&wrong), ["wrong-value"; 3]);
    let empty = control::backfill(&host, &request("2026-05-01T01:00:00Z", "2026-05-01T02:00:00Z", 1), "ann").await;
    assert_eq!(code(&empty.unwrap_err()), ["wrong-range"]);
}
