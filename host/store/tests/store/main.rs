//! The store at its door, each test in a data folder of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod approvals;
mod audit;
mod blobs;
mod cache;
mod crash;
mod feed;
mod idempotency;
mod lineage;
mod logs;
mod numbers;
mod opening;
mod parallel;
mod queue;
mod resolve;
mod runs;
mod shared;
mod tokens;
mod tracking;
mod trials;

use std::path::Path;

use wasmlops_package::Digest;
use wasmlops_store::*;

/// A time, in microseconds since 1970.
const NOON: i64 = 1_795_262_400_000_000;

async fn open(home: &Path) -> Store {
    Store::open(StoreOptions { home: home.join("home"), ..Default::default() }).await.unwrap()
}

fn stamp() -> Stamp {
    Stamp { time: NOON, actor: "test".to_owned() }
}

fn new_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        experiment: "0".to_owned(),
        pipeline: "breast-cancer".to_owned(),
        name: "quiet-owl".to_owned(),
        params: r#"{"seed":7}"#.to_owned(),
        graph: r#"{"steps":[]}"#.to_owned(),
        nominal_time: NOON,
        seed: u64::MAX,
        parent: None,
        origin: "api".to_owned(),
        tracked: Vec::new(),
        source: None,
        stamp: stamp(),
    }
}

fn events(run: &str, expected_next_seq: i64, events: &[&str], change: RunChange) -> NewEvents {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    NewEvents { run: run.to_owned(), expected_next_seq, events, change, stamp: stamp() }
}

fn step(key: &str, status: StepStatus) -> StepRow {
    StepRow {
        step_key: key.to_owned(),
        position: 0,
        uses: "split@^0.1".to_owned(),
        plugin_name: Some("split".to_owned()),
        plugin_version: Some("0.1.0".to_owned()),
        plugin_digest: Some(Digest::sha256(b"component")),
        kind: Some("processor".to_owned()),
        status,
        cache: CacheOutcome::Miss,
        reason: Some("first run".to_owned()),
        attempts: 1,
        started: Some(NOON),
        ended: status.is_final().then_some(NOON + 5),
        duration_ms: Some(5),
        usage: Some(r#"{"cpu":1}"#.to_owned()),
        error: None,
        cache_key: Some(Digest::blake3(key.as_bytes())),
        key_parts: Some(format!(r#"{{"step":"{key}"}}"#)),
    }
}

fn output(step: &str, name: &str, content: &[u8]) -> OutputRow {
    OutputRow {
        step_key: step.to_owned(),
        name: name.to_owned(),
        digest: Digest::blake3(content),
        media_type: "application/vnd.apache.arrow.file".to_owned(),
        size: content.len() as i64,
        rows: Some(3),
    }
}

fn edge(step: &str, direction: Direction, role: &str, digest: Digest) -> Edge {
    Edge { step_key: step.to_owned(), attempt: 1, direction, role: role.to_owned(), digest }
}

fn point(key: &str, step: i64, time: i64, value: f64) -> MetricPoint {
    MetricPoint { step_key: "train".to_owned(), key: key.to_owned(), step, time, value }
}

fn assert_intact(verdict: &AuditVerdict) -> i64 {
    match verdict {
        AuditVerdict::Intact { records, .. } => *records,
        AuditVerdict::Broken { .. } => panic!("{verdict:?}"),
    }
}
