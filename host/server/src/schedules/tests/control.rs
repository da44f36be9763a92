//! Pauses, runs out of turn, and files that change.

use super::*;
use crate::schedules::{control, view};

const HOURLY: &str = "  s: { pipeline: one, every: 1h, catch_up: { all: 10 } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_during_a_pause_is_not_made_up_for() {
    let bench = Bench::new("2026-06-01T09:30:00Z", HOURLY);
    let (host, mut service) = bench.serve().await;
    let paused = control::pause(&host, "s", "ann").await.unwrap();
    assert!(paused.paused && paused.next.is_empty());
    bench.set("2026-06-01T12:30:00Z");
    assert_eq!(submitted(&mut service).await, 0);
    let resumed = control::resume(&host, "s", "ann").await.unwrap();
    assert_eq!(resumed.next[0], "2026-06-01T13:00:00.000Z");
    assert_eq!(submitted(&mut service).await, 0);
    bench.set("2026-06-01T13:00:01Z");
    assert_eq!(submitted(&mut service).await, 1);
    assert_eq!(code(&control::pause(&host, "x", "ann").await.unwrap_err()), ["unknown-schedule"]);
    let actions: Vec<_> =
        host.store.audit_records(0, 100).await.unwrap().into_iter().map(|row| row.entry.action).collect();
    assert_eq!(actions[..3], ["schedule.added", "schedule.paused", "schedule.resumed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changes_begins_the_schedule_anew() {
    let bench = Bench::new("2026-06-01T09:30:00Z", HOURLY);
    let (host, _) = bench.serve().await;
    host.store.close().await;
    bench.set("2026-06-01T12:30:00Z");
    bench.schedules("  s: { pipeline: one, every: 10m, catch_up: { all: 10 } }");
    let (host, mut service) = bench.serve().await;
    assert_eq!(submitted(&mut service).await, 0);
    host.store.close().await;
    // Gone, held by the file, and there again: nothing of the time in between is made up for.
    for (now, schedules) in [
        ("2026-06-01T13:30:00Z", "  other: { pipeline: one, every: 1d }"),
        ("2026-06-01T14:30:00Z", "  s: { pipeline: one, every: 10m, paused: true }"),
        ("2026-06-01T15:35:00Z", "  s: { pipeline: one, every: 10m }"),
    ] {
        bench.set(now);
        bench.schedules(schedules);
        let (host, mut service) = bench.serve().await;
        assert_eq!(submitted(&mut service).await, 0, "{schedules}");
        if schedules.contains("paused") {
            assert_eq!(code(&control::resume(&host, "s", "ann").await.unwrap_err()), ["paused-by-file"]);
        }
        host.store.close().await;
    }
    let (_host, mut service) = bench.serve().await;
    bench.set("2026-06-01T15:40:01Z");
    assert_eq!(submitted(&mut service).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_out_of_turn_and_a_pipeline_that_is_none() {
    let bench = Bench::new("2026-06-01T09:30:00Z", HOURLY);
    let (host, mut service) = bench.serve().await;
    let run = control::trigger(&host, "s", "ann").await.unwrap();
    assert_eq!((run.origin.as_str(), run.actor.as_str()), ("schedule:s", "ann"));
    assert_eq!(view::show(&host, "s").await.unwrap().times[0].run.as_deref(), Some(run.run.as_str()));
    end_runs(&host).await;

    std::fs::remove_file(bench.folder.path().join("pipelines/one.yaml")).unwrap();
    bench.set("2026-06-01T10:00:01Z");
    assert_eq!(submitted(&mut service).await, 0);
    let shown = view::show(&host, "s").await.unwrap();
    assert_eq!(shown.problem.as_deref(), Some("there is no pipeline `one`"));
    assert_eq!(
        (shown.times[0].state.as_str(), shown.times[0].reason.as_deref()),
        ("skipped", Some("there is no pipeline `one`"))
    );
    // Once it is there, a backfill gives the time its run.
    bench.write("pipelines/one.yaml", &format!("pipeline: one{PIPELINE}"));
    let request = control::BackfillRequest {
        schedule: "s".to_owned(),
        from: "2026-06-01T10:00:00Z".to_owned(),
        to: "2026-06-01T10:00:01Z".to_owned(),
        parallelism: 1,
    };
    control::backfill(&host, &request, "ann").await.unwrap();
    assert_eq!(submitted(&mut service).await, 1);
    assert_eq!(view::show(&host, "s").await.unwrap().times[0].state, "scheduled");
}
