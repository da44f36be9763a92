//! A server under writing clients that is killed again and again: what it acknowledged is there once, what it did not
//! say can be asked again with the same key, and every run comes to its end.
//!
//! `WASMLOPS_KILLS` says how often, 20 times without it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use wasmlops_store::{Store, StoreOptions};

use crate::served::{Answer, PREDICT, Served, published, rows};
use crate::support::TestProject;

const CLIENTS: usize = 8;
const LABELS: &str = "/api/v1/endpoints/breast-cancer/labels";
const RUNS: &str = "/api/v1/pipelines/small/runs";
const ALIAS: &str = "/api/v1/models/breast-cancer/aliases/tried";

/// A pipeline that takes milliseconds once its one step is known.
const PIPELINE: &str = r#"
pipeline: small
params:
  number: { type: integer }
steps:
  ingest: { uses: csv-source, with: { path: data/breast-cancer.csv }, grants: { read: [data] } }
"#;

/// What was acknowledged, by whom it was asked.
#[derive(Default)]
struct Acknowledged {
    /// Idempotency keys and the answers to them.
    runs: BTreeMap<String, Value>,
    /// Keys whose answer never came.
    unanswered: BTreeSet<String>,
    /// Metric points, by run.
    points: BTreeMap<String, usize>,
    labels: Vec<Value>,
    moves: usize,
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_however_often_the_server_is_killed() {
    let kills = std::env::var("WASMLOPS_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20);
    let project = published();
    project.write("pipelines/small.yaml", PIPELINE);
    let rows = rows(&project, 1);
    let known = Mutex::new(Acknowledged::default());
    let numbers = AtomicUsize::new(0);
    let mut slowest = Duration::ZERO;
    for round in 0..kills {
        let begun = std::time::Instant::now();
        let served = Served::start(&project);
        slowest = slowest.max(begun.elapsed());
        check(&served, &known.lock().unwrap());
        let done = AtomicUsize::new(0);
        // Another moment each time, counted in what was done: from at once to well under way.
        let enough = 1 + round * 37 % 400;
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (served, known, numbers, done, rows) = (&served, &known, &numbers, &done, &rows);
                scope.spawn(move || {
                    while act(served, known, client, numbers.fetch_add(1, Ordering::Relaxed), rows).is_some() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let mut patience = 120_000;
            while done.load(Ordering::Relaxed) < enough && patience > 0 {
                thread::sleep(Duration::from_millis(1));
                patience -= 1;
            }
            served.signal("-KILL");
        });
        drop(served);
        intact(&project);
    }
    settle(&project, known.into_inner().unwrap());
    println!("{kills} kills; the slowest start until ready took {slowest:?}");
}

/// One change. Nothing where no whole answer came: the server is gone.
fn act(served: &Served, known: &Mutex<Acknowledged>, client: usize, number: usize, rows: &[Value]) -> Option<()> {
    match (client + number) % 4 {
        0 => submit(served, known, &format!("key-{number}"), number),
        1 => predict_and_label(served, known, rows),
        2 => move_alias(served, known, number),
        _ => record_points(served, known),
    }
}

fn submit(served: &Served, known: &Mutex<Acknowledged>, key: &str, number: usize) -> Option<()> {
    known.lock().unwrap().unanswered.insert(key.to_owned());
    let answer = post(served, RUNS, key, &json!({ "params": { "number": number } }))?;
    let mut known = known.lock().unwrap();
    match answer.status {
        200..=299 => {
            known.unanswered.remove(key);
            known.runs.insert(key.to_owned(), answer.body);
        }
        // A full queue is an answer, and nothing was begun.
        429 | 503 => {
            known.unanswered.remove(key);
        }
        status => panic!("a run was answered with {status}: {}", answer.body),
    }
    Some(())
}

fn predict_and_label(served: &Served, known: &Mutex<Acknowledged>, rows: &[Value]) -> Option<()> {
    let answer = served.try_post(PREDICT, &json!({ "rows": rows }))?;
    let id = answer.body["id"].clone();
    let told = served.try_post(LABELS, &json!({ "labels": [{ "id": id, "value": 1 }] }))?;
    assert_eq!(told.body["accepted"], 1, "{}", told.body);
    known.lock().unwrap().labels.push(id);
    Some(())
}

fn move_alias(served: &Served, known: &Mutex<Acknowledged>, number: usize) -> Option<()> {
    let version = number.is_multiple_of(8).then_some(1);
    let answer = whole(served, "PUT", ALIAS, "", &json!({ "version": version }))?;
    // Several move it at the same time: one of them is right.
    assert!(matches!(answer.status, 200..=299 | 409 | 412), "{}: {}", answer.status, answer.body);
    known.lock().unwrap().moves += usize::from(answer.status < 300);
    Some(())
}

fn record_points(served: &Served, known: &Mutex<Acknowledged>) -> Option<()> {
    let Some(run) = known.lock().unwrap().runs.values().next_back().map(run_of) else {
        return served.try_ask("GET", "/healthz", "", b"").ok().map(drop);
    };
    let step = known.lock().unwrap().points.get(&run).copied().unwrap_or_default();
    let body = json!({ "points": [{ "key": "load", "value": 1.0, "step": step }] });
    let answer = whole(served, "POST", &format!("/api/v1/runs/{run}/metrics"), "", &body)?;
    assert!((200..=299).contains(&answer.status), "{}: {}", answer.status, answer.body);
    *known.lock().unwrap().points.entry(run).or_default() += 1;
    Some(())
}

fn run_of(answer: &Value) -> String {
    answer["run"].as_str().unwrap().to_owned()
}

fn post(served: &Served, path: &str, key: &str, body: &Value) -> Option<Answer> {
    whole(served, "POST", path, &format!("Idempotency-Key: {key}\r\n"), body)
}

fn whole(served: &Served, method: &str, path: &str, more: &str, body: &Value) -> Option<Answer> {
    let answer = served.try_ask(method, path, more, body.to_string().as_bytes()).ok()?;
    (answer.body.is_object() || answer.status == 204).then_some(answer)
}

/// Everything that was acknowledged is there after a kill.
fn check(served: &Served, known: &Acknowledged) {
    for (key, answer) in known.runs.iter().rev().take(20) {
        let run = run_of(answer);
        assert_eq!(served.get(&format!("/api/v1/runs/{run}")).status, 200, "run {run} of `{key}` is lost");
    }
    let repeated: Vec<Value> = known.labels.iter().map(|id| json!({ "id": id, "value": 1 })).collect();
    if !repeated.is_empty() {
        let told = served.post(LABELS, &json!({ "labels": repeated })).body;
        let (duplicate, unknown) = (&told["duplicate"], &told["unknown"]);
        assert_eq!((duplicate, unknown), (&json!(repeated.len()), &json!([])), "a label was lost: {told}");
    }
}

/// The database and the audit of a project that nobody serves.
fn intact(project: &TestProject) {
    let verified = project.json(0, &["audit", "verify"]);
    assert!(!verified.to_string().contains("broken"), "{verified}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let home = project.path().join(".wasmlops");
        let migrations = vec![&wasmlops_catalog::MIGRATIONS];
        let store = Store::open(StoreOptions { home, migrations }).await.unwrap();
        assert_eq!(store.check_integrity().await.unwrap(), Ok(()));
        store.close().await;
    });
}

/// Asks again what had no answer, waits for the last runs, and counts.
fn settle(project: &TestProject, mut known: Acknowledged) {
    let served = Served::start(project);
    check(&served, &known);
    for key in std::mem::take(&mut known.unanswered) {
        let number: usize = key.strip_prefix("key-").unwrap().parse().unwrap();
        let body = json!({ "params": { "number": number } });
        let mut answer = post(&served, RUNS, &key, &body).unwrap();
        while matches!(answer.status, 429 | 409 | 503) {
            thread::sleep(Duration::from_millis(50));
            answer = post(&served, RUNS, &key, &body).unwrap();
        }
        assert!((200..=299).contains(&answer.status), "{}: {}", answer.status, answer.body);
        known.runs.insert(key, answer.body);
    }
    for (key, first) in &known.runs {
        let number: usize = key.strip_prefix("key-").unwrap().parse().unwrap();
        let again = post(&served, RUNS, key, &json!({ "params": { "number": number } })).unwrap();
        assert_eq!(&again.body, first, "the same key has the same answer");
    }
    let runs: BTreeSet<String> = known.runs.values().map(run_of).collect();
    assert_eq!(runs.len(), known.runs.len(), "each key has a run of its own");
    for run in &runs {
        until_ended(&served, run);
    }
    for (run, count) in &known.points {
        let view = served.get(&format!("/api/v1/runs/{run}")).body;
        assert!(*count > 0 && view["status"] == "succeeded", "{view}");
    }
    let mut served = served;
    served.signal("-TERM");
    assert!(served.child.wait().unwrap().success());
    drop(served);
    intact(project);
    assert_eq!(listed(project), runs, "a run that nobody asked for, or none for a key");
    println!(
        "{} runs, {} labels, {} moves, {} runs with metrics",
        runs.len(),
        known.labels.len(),
        known.moves,
        known.points.len()
    );
}

fn until_ended(served: &Served, run: &str) {
    for _ in 0..6_000 {
        let view = served.get(&format!("/api/v1/runs/{run}")).body;
        match view["status"].as_str() {
            Some("succeeded") => return,
            Some("scheduled" | "running") => thread::sleep(Duration::from_millis(20)),
            other => panic!("run {run} is {other:?}: {view}"),
        }
    }
    panic!("run {run} does not end");
}

/// All runs of the pipeline, page by page.
fn listed(project: &TestProject) -> BTreeSet<String> {
    let (mut listed, mut cursor) = (BTreeSet::new(), None::<String>);
    loop {
        let mut arguments = vec!["runs", "list", "--pipeline", "small", "--limit", "1000"];
        arguments.extend(cursor.iter().flat_map(|cursor| ["--cursor", cursor]));
        let page = project.json(0, &arguments);
        listed.extend(page["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return listed,
        }
    }
}
