//! What events start, and that each starts it once.

use serde_json::json;
use wasmlops_core::event::{Event, STRUCTURED, parse};

use super::*;
use crate::events::incoming::receive;

fn event(id: &str, subject: &str) -> Event {
    let body = json!({
        "specversion": "1.0", "id": id, "source": "/bucket/a", "type": "com.example.file.created", "subject": subject,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    parse(&[("content-type", STRUCTURED.as_bytes())], body.to_string().as_bytes()).unwrap().remove(0)
}

#[tokio::test]
async fn an_event_starts_what_it_fits_once() {
    let site = Site::new(
        r#"
triggers:
  csv: { pipeline: one, event: { type: "com.example.file.*", source: "/bucket*", subject: "*.csv" }, params: { word: "${{ event.subject }}" } }
  all: { pipeline: two, event: { type: "*" }, params: { word: "${{ event.data.name }}" } }
"#,
    )
    .await;
    let taken = receive(&site.host, &[event("1", "a.csv"), event("2", "a.txt")], "token:x").await.unwrap();
    assert_eq!((taken.accepted, taken.repeated), (2, 0));
    let started: Vec<&str> = taken.runs.iter().map(|run| run.trigger.as_str()).collect();
    assert_eq!(started, ["csv"], "the other trigger finds no `data.name`");
    assert_eq!(taken.failed.len(), 2);
    assert!(taken.failed[0].reason.contains("event.data.name"), "{:?}", taken.failed);
    let run = &taken.runs[0].run;
    assert_eq!(site.host.store.params(run).await.unwrap()["word"], "a.csv");
    let row = site.host.store.queue_row(run).await.unwrap().unwrap();
    assert_eq!(row.trace.as_deref(), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assert_eq!((row.origin.as_str(), row.actor.as_str()), ("trigger:csv", "trigger:csv"));
    let site = site.restarted().await;
    let again = receive(&site.host, &[event("1", "a.csv"), event("3", "b.csv")], "token:x").await.unwrap();
    assert_eq!((again.accepted, again.repeated, again.runs.len()), (1, 1, 1));
    assert_eq!(site.runs().await, 2);
}

#[tokio::test]
async fn parallel_repeats_are_taken_once() {
    let site = Site::new("triggers: { all: { pipeline: one, event: { type: \"*\" } } }").await;
    let send = |_| {
        let host = site.host.clone();
        tokio::spawn(async move { receive(&host, &[event("1", "a")], "token:x").await.unwrap().accepted })
    };
    let mut accepted = 0;
    for answer in (0..20).map(send).collect::<Vec<_>>() {
        accepted += answer.await.unwrap();
    }
    assert_eq!((accepted, site.runs().await), (1, 1));
}

#[tokio::test]
async fn a_full_queue_takes_no_event() {
    let site =
        Site::new("concurrency: { queued: 1 }\ntriggers: { all: { pipeline: one, event: { type: \"*\" } } }").await;
    receive(&site.host, &[event("1", "a")], "token:x").await.unwrap();
    let error = receive(&site.host, &[event("2", "a")], "token:x").await.unwrap_err();
    assert!(error.to_string().contains("wait"), "{error}");
    assert!(!site.host.store.has_seen("events", "/bucket/a", "2").await.unwrap(), "it may come again");
}

#[tokio::test]
async fn what_happens_here_starts_runs_once_over_restarts() {
    let site = Site::new(
        r#"
triggers:
  alias: { pipeline: one, alias: m@champion, params: { n: "${{ event.data.to }}", word: "${{ event.subject }}" } }
  version: { pipeline: one, version: m }
  data: { pipeline: one, dataset: two/split.train }
"#,
    )
    .await;
    let moved = json!({ "kind": "set", "from": 1, "to": 2 });
    site.happens("alias.moved", "model:m@champion", moved.clone()).await;
    let served = site.serve().await;
    // Not of interest: before the reader began, other aliases, an alias that is taken away.
    site.happens("alias.moved", "model:m@challenger", moved.clone()).await;
    site.happens("alias.moved", "model:m@champion", json!({ "from": 2, "to": null })).await;
    site.happens("alias.moved", "model:other@champion", moved.clone()).await;
    site.happens("model.registered", "model:other@1", json!({})).await;
    site.happens("dataset.changed", "dataset:two/split.test", json!({})).await;
    site.happens("alias.moved", "model:m@champion", moved).await;
    until(|| async { site.runs().await == 1 }).await;
    let runs = site.host.store.trigger_runs("alias", 10).await.unwrap();
    let params = site.host.store.params(&runs[0].run).await.unwrap();
    assert_eq!((params["n"].as_str(), params["word"].as_str()), ("2", "model:m@champion"));
    served.stop().await;
    let site = site.restarted().await;
    // While nobody reads.
    site.happens("model.registered", "model:m@3", json!({ "run": runs[0].run })).await;
    site.happens("dataset.changed", "dataset:two/split.train", json!({})).await;
    let served = site.serve().await;
    until(|| async { site.runs().await == 3 }).await;
    served.stop().await;
    assert_eq!(site.audited("trigger:alias").await, ["trigger.fired"]);
    assert_eq!(site.audited("trigger:version").await, ["trigger.fired"]);
    let version = site.host.store.trigger_runs("version", 10).await.unwrap();
    assert_eq!(version[0].depth, 2, "the version was made by a run that a trigger started");
    assert_eq!(site.runs().await, 3);
}

#[tokio::test]
async fn loops_stop() {
    let site = Site::new("triggers: { again: { pipeline: one, succeeded: one } }").await;
    let served = site.serve().await;
    let first = runs_submit(&site).await;
    until(|| async { site.audited("trigger:again").await.iter().any(|action| action == "trigger.stopped") }).await;
    served.stop().await;
    let fired = site.audited("trigger:again").await;
    assert_eq!(fired.iter().filter(|action| *action == "trigger.fired").count(), 8, "{fired:?}");
    assert_eq!(fired.last().map(String::as_str), Some("trigger.stopped"));
    assert_eq!(site.runs().await, 9);
    assert_eq!(site.host.store.trigger_depth(&first).await.unwrap(), 0);
}

async fn runs_submit(site: &Site) -> String {
    let submission = crate::runs::Submission { pipeline: "one".to_owned(), ..Default::default() };
    crate::runs::submit(&site.host, submission, "cli:ann").await.unwrap().run
}
