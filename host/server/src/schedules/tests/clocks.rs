//! Downtime, deaths, and clocks that are moved.

use wasmlops_store::schedules::{advance, claim};
use wasmlops_store::{Stamp, StoreError};

use super::*;
use crate::runs::{prepare, submit_in};
use crate::schedules::submission;

const MINUTES: &str = "
  none: { pipeline: one, cron: \"* * * * *\", zone: Europe/Berlin, catch_up: skip }
  last: { pipeline: one, cron: \"* * * * *\", zone: Europe/Berlin, catch_up: latest }
  some: { pipeline: one, cron: \"* * * * *\", zone: Europe/Berlin, catch_up: { all: 5 } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_day_without_a_server_the_policy_says_how_many_runs_there_are() {
    let bench = Bench::new("2026-05-31T12:00:30Z", MINUTES);
    let (host, mut service) = bench.serve().await;
    assert_eq!(submitted(&mut service).await, 0);
    drop(service);
    host.store.close().await;

    bench.set("2026-06-01T12:00:30Z");
    let (host, mut service) = bench.serve().await;
    assert_eq!(submitted(&mut service).await, 2);
    assert!(times(&host, "none").await.is_empty());
    assert_eq!(times(&host, "last").await, pairs([("12:00", "scheduled")]));
    let fifth = [
        ("11:56", "scheduled"),
        ("11:57", "waiting"),
        ("11:58", "waiting"),
        ("11:59", "waiting"),
        ("12:00", "waiting"),
    ];
    assert_eq!(times(&host, "some").await, pairs(fifth));
    // One after the other, each when the one before has ended.
    for left in [4, 3, 2, 1] {
        assert_eq!(submitted(&mut service).await, 0, "{left} wait");
        end_runs(&host).await;
        assert_eq!(submitted(&mut service).await, 1);
    }
    end_runs(&host).await;
    assert_eq!(submitted(&mut service).await, 0);
    let made_up = all_runs(&host).await.iter().filter(|run| run.origin == "schedule:some").count();
    assert_eq!(made_up, 5);
    let missed = host.store.audit_records(0, 1000).await.unwrap();
    assert_eq!(missed.iter().filter(|record| record.entry.action == "schedule.missed").count(), 3);
}

/// Guests' clocks say the nominal time, and the run names its schedule.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_of_its_nominal_time() {
    let bench = Bench::new("2026-06-01T10:00:00Z", "  s: { pipeline: one, every: 1h, params: { n: 7 }, priority: 3 }");
    let (host, mut service) = bench.serve().await;
    bench.set("2026-06-01T11:00:03Z");
    assert_eq!(submitted(&mut service).await, 1);
    let [run] = &all_runs(&host).await[..] else { panic!("one run") };
    assert_eq!(
        (run.nominal_time, run.origin.as_str(), run.actor.as_str()),
        (at("2026-06-01T11:00:00Z"), "schedule:s", "schedule:s")
    );
    assert_eq!(run.params, "{\"n\":7}");
    assert_eq!(host.store.queue_row(&run.id).await.unwrap().unwrap().priority, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gap_and_fold_fire_once() {
    let nightly = "  s: { pipeline: one, cron: \"30 2 * * *\", zone: Europe/Berlin, catch_up: skip }";
    for (begin, expected) in
        [("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"), ("2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z")]
    {
        let bench = Bench::new(begin, nightly);
        let (host, mut service) = bench.serve().await;
        // Twenty seconds at a time, so that nothing counts as missed.
        for _ in 0..3 * 180 {
            bench.clock.advance(std::time::Duration::from_secs(20));
            service.round().await.unwrap();
            if !all_runs(&host).await.is_empty() {
                end_runs(&host).await;
            }
        }
        let nominal: Vec<Micros> = all_runs(&host).await.iter().map(|run| run.nominal_time).collect();
        assert_eq!(nominal, [at(expected)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_moved_fires_no_time_twice() {
    for (ahead, noon_again) in
        [("2026-06-01T13:00:10Z", "2026-06-01T12:00:20Z"), ("2026-06-02T12:00:10Z", "2026-06-01T12:00:20Z")]
    {
        let bench = Bench::new("2026-06-01T11:59:50Z", MINUTES);
        let (host, mut service) = bench.serve().await;
        bench.set("2026-06-01T12:00:10Z");
        // It was watched: even `skip` fires.
        assert_eq!(submitted(&mut service).await, 3);
        end_runs(&host).await;
        bench.set(ahead);
        assert_eq!(submitted(&mut service).await, 2);
        let before = all_runs(&host).await.len();
        assert_eq!(before, 5);
        // Back: what has been decided stays decided, for a service that is new as well.
        for service in [service, Service::new(&host)] {
            let mut service = service;
            bench.set(noon_again);
            end_runs(&host).await;
            let waited = submitted(&mut service).await;
            assert!(waited <= 1, "only what was waiting goes on: {waited}");
            bench.clock.advance(std::time::Duration::from_secs(60));
            service.round().await.unwrap();
        }
        let mut nominal: Vec<_> = all_runs(&host).await.into_iter().map(|run| (run.origin, run.nominal_time)).collect();
        let count = nominal.len();
        nominal.dedup();
        assert_eq!(nominal.len(), count);
        assert!(nominal.iter().filter(|(origin, _)| origin != "schedule:some").count() == 3);
    }
}

/// A transaction that is not committed leaves nothing, and one that is leaves nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_before_or_after_the_commit_changes_nothing() {
    let bench = Bench::new("2026-06-01T11:59:50Z", "  s: { pipeline: one, cron: \"@hourly\" }");
    let (host, _) = bench.serve().await;
    bench.set("2026-06-01T12:00:01Z");
    let nominal = at("2026-06-01T12:00:00Z");
    let row = host.store.schedule("s").await.unwrap().unwrap();
    let schedule = configured(&host, "s").unwrap();
    let prepared = prepare(&host, &submission(schedule, nominal, "schedule:s".to_owned())).await.unwrap();
    let next = known::look(schedule, nominal, false).unwrap();
    let died: crate::error::Result<()> = host
        .store
        .with_tx(move |tx| {
            Box::pin(async move {
                let stamp = Stamp { time: nominal, actor: "schedule:s".to_owned() };
                assert!(advance(tx, &row, nominal, next).await?);
                assert!(claim(tx, "s", nominal, prepared.id(), None, &stamp).await?);
                submit_in(tx, prepared, stamp).await?;
                Err(StoreError::Closed.into())
            })
        })
        .await;
    assert!(died.is_err());
    assert!(all_runs(&host).await.is_empty());
    host.store.close().await;

    let (host, mut service) = bench.serve().await;
    assert_eq!(submitted(&mut service).await, 1);
    drop(service);
    host.store.close().await;
    let (host, mut service) = bench.serve().await;
    assert_eq!(submitted(&mut service).await, 0);
    assert_eq!(all_runs(&host).await.len(), 1);
    assert!(matches!(host.store.audit_verify().await.unwrap(), wasmlops_store::AuditVerdict::Intact { .. }));
}

/// Two services on one store, as two servers of one project would be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_services_fire_once() {
    let bench = Bench::new("2026-06-01T11:59:50Z", "  s: { pipeline: one, cron: \"* * * * *\" }");
    let (host, mut one) = bench.serve().await;
    let (_other, mut two) = bench.serve().await;
    bench.set("2026-06-01T12:00:01Z");
    let (first, second) = tokio::join!(one.round(), two.round());
    assert_eq!(first.unwrap().submitted + second.unwrap().submitted, 1);
    assert_eq!(all_runs(&host).await.len(), 1);
}
