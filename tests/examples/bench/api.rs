//! The API: what a request for a run, a new run, a batch of metrics and a filtered list over 100,000 runs take, with a
//! token as in production; and what the server holds in memory before and after.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wasmlops_store::{NewEvents, NewRun, RunChange, RunStatus, Stamp, Store, StoreOptions};

use crate::child::Server;
use crate::load::{Load, Outcome};
use crate::{Setting, table};

/// Runs that are there before anything is asked.
const RUNS: usize = 100_000;
/// Pipelines that they belong to.
const PIPELINES: usize = 20;
const CONNECTIONS: usize = 64;
/// Metric points in one request.
const POINTS: usize = 100;
/// 2026-11-21T12:00:00Z, in microseconds.
const NOON: i64 = 1_795_262_400_000_000;

/// Runs stay in the queue for as long as is measured: dispatching them is work of its own.
const PROJECT: &str = "project: bench\nconcurrency: { runs: 1, queued: 10000000 }\n";
const PIPELINE: &str = "pipeline: tiny\nsteps:\n  one: { release: { approval: \"Go on?\" } }\n";

pub fn measure(setting: &Setting) -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("wasmlops.yaml"), PROJECT)?;
    fs::create_dir(folder.path().join("pipelines"))?;
    fs::write(folder.path().join("pipelines/tiny.yaml"), PIPELINE)?;
    fill(folder.path())?;
    let mut command = std::process::Command::new(&setting.wasmlops);
    command.args(["serve", "--bind", "127.0.0.1:0", "--json"]).current_dir(folder.path());
    let server = Server::announced(&mut command, Some("/readyz"))?;
    let token = server.line["admin_token"].as_str().context("the server names no token")?;
    let idle = server.resident()?;
    let requests = Requests { address: server.address, token };

    let mut lines = vec![table::row(["request", "connections", "requests/s", "p50", "p99"])];
    let mut measure = |what: &str, connections, requests: Vec<Vec<u8>>| -> Result<()> {
        let load = Load {
            address: server.address,
            requests: Arc::new(requests),
            connections,
            rate: None,
            length: setting.length,
        };
        lines.push(line(what, connections, &load.run()?));
        Ok(())
    };
    let ids: Vec<String> = (0..2_000).map(|number| run_id(number * (RUNS / 2_000))).collect();
    measure("get a run", CONNECTIONS, ids.iter().map(|id| requests.get(&format!("/api/v1/runs/{id}"))).collect())?;
    let pages = (0..PIPELINES).map(|number| requests.get(&list(number)));
    measure("list 100 runs of a pipeline and status, of 100,000", 8, pages.collect())?;
    let points = ids.iter().map(|id| requests.post(&format!("/api/v1/runs/{id}/metrics"), &points()));
    measure("100 metric points (durable)", CONNECTIONS, points.collect())?;
    measure("create a run (durable)", CONNECTIONS, vec![requests.post("/api/v1/pipelines/tiny/runs", &json!({}))])?;
    table::print("The API, with a token", &lines);
    let mib = |bytes: u64| format!("{} MiB", table::digits(bytes as f64 / f64::from(1 << 20)));
    let memory = [table::row(["resident memory before", "after"]), vec![mib(idle), mib(server.resident()?)]];
    table::print("The server's memory, with 100,000 runs", &memory);
    Ok(())
}

fn list(pipeline: usize) -> String {
    format!("/api/v1/runs?pipeline=pipeline-{pipeline}&status=succeeded&limit=100")
}

fn points() -> Value {
    let point = |step: usize| json!({ "key": "loss", "value": 1.0 / (step + 1) as f64, "step": step });
    json!({ "points": (0..POINTS).map(point).collect::<Vec<_>>() })
}

fn line(what: &str, connections: usize, outcome: &Outcome) -> Vec<String> {
    let rate = table::digits(outcome.rate());
    let failed = if outcome.failed > 0 { format!(" ({} failed)", outcome.failed) } else { String::new() };
    let times = [0.5, 0.99].map(|share| table::time(outcome.quantile(share)));
    let [p50, p99] = times;
    vec![what.to_owned(), connections.to_string(), rate + &failed, p50, p99]
}

struct Requests<'a> {
    address: SocketAddr,
    token: &'a str,
}

impl Requests<'_> {
    fn get(&self, path: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{}\r\n", self.address, self.authorization()).into_bytes()
    }

    fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nhost: {}\r\n{}", self.address, self.authorization());
        let length = body.len();
        format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
    }

    fn authorization(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.token)
    }
}

fn run_id(number: usize) -> String {
    format!("{number:032x}")
}

/// Puts the runs in through the store: nine in ten have ended.
fn fill(folder: &std::path::Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let home = folder.join(".wasmlops");
        let store = Store::open(StoreOptions { home, ..StoreOptions::default() }).await?;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..RUNS {
            if tasks.len() >= 512 {
                tasks.join_next().await.context("no task")???;
            }
            let store = store.clone();
            tasks.spawn(async move { create(&store, number).await });
        }
        while let Some(created) = tasks.join_next().await {
            created??;
        }
        store.close().await;
        Ok(())
    })
}

async fn create(store: &Store, number: usize) -> Result<()> {
    let id = run_id(number);
    let stamp = Stamp { time: NOON + number as i64, actor: "bench".to_owned() };
    let run = NewRun {
        id: id.clone(),
        experiment: "0".to_owned(),
        pipeline: format!("pipeline-{}", number % PIPELINES),
        name: format!("pipeline-{}", number % PIPELINES),
        params: json!({ "seed": number }).to_string(),
        graph: "{}".to_owned(),
        nominal_time: NOON,
        seed: number as u64,
        parent: None,
        origin: "api".to_owned(),
        tracked: Vec::new(),
        source: None,
        stamp: stamp.clone(),
    };
    store.create_run(run).await?;
    for (seq, status) in [RunStatus::Running, RunStatus::Succeeded].into_iter().enumerate() {
        if status == RunStatus::Succeeded && number.is_multiple_of(10) {
            return Ok(());
        }
        let change = RunChange {
            status: Some(status),
            started: Some(stamp.time),
            ended: (status == RunStatus::Succeeded).then_some(stamp.time + 1_000),
            ..RunChange::default()
        };
        let expected_next_seq = seq as i64;
        let events = vec!["{}".to_owned()];
        store
            .append_events(NewEvents { run: id.clone(), expected_next_seq, events, change, stamp: stamp.clone() })
            .await?;
    }
    Ok(())
}
