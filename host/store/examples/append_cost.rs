//! What recording costs: `cargo run --release -p wasmlops-store --example append_cost`. A benchmark to read, not a test.

use std::time::Instant;

use wasmlops_package::Digest;
use wasmlops_store::*;

const STEPS: i64 = 10_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), StoreError> {
    for concurrency in [1, 4, 16, 64] {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(StoreOptions { home: home.path().to_owned(), ..Default::default() }).await?;
        let share = STEPS / concurrency;
        let start = Instant::now();
        let tasks: Vec<_> =
            (0..concurrency).map(|i| tokio::spawn(write_steps(store.clone(), format!("run-{i}"), share))).collect();
        for task in tasks {
            task.await.expect("no step panics")?;
        }
        report(&format!("append_events, one step each, concurrency {concurrency}"), share * concurrency, start);
        if concurrency == 1 {
            rest(&store).await?;
        }
        store.close().await;
    }
    Ok(())
}

/// The other operations that small steps are made of.
async fn rest(store: &Store) -> Result<(), StoreError> {
    let start = Instant::now();
    for i in 0..STEPS {
        store.cache_lookup(&key("run-0", i)).await?;
    }
    report("cache_lookup", STEPS, start);

    let start = Instant::now();
    for i in 0..STEPS {
        store.blobs().put(format!("small blob {i}")).await?;
    }
    report("put of a small blob", STEPS, start);

    let start = Instant::now();
    for i in 0..STEPS {
        store.blobs().get(&Digest::blake3(format!("small blob {i}").as_bytes())).await?;
    }
    report("get of a small blob", STEPS, start);

    store.create_run(new_run("run-hits")).await?;
    let start = Instant::now();
    for first in (0..STEPS).step_by(16) {
        store.append_events(new_events("run-hits", first, 16)).await?;
    }
    report("append_events, 16 steps in a call", STEPS, start);

    let points = |batch: i64| {
        let point = |i| MetricPoint {
            step_key: String::new(),
            key: "loss".to_owned(),
            step: batch * 1000 + i,
            time: i,
            value: 0.5,
        };
        (0..1000).map(point).collect()
    };
    let start = Instant::now();
    for batch in 0..100 {
        store.append_metric_points("run-0", points(batch)).await?;
    }
    report("metric points, 1,000 in a call", 100_000, start);

    let start = Instant::now();
    for i in 0..100 {
        store.blobs().put(format!("before a barrier {i}")).await?;
        store.barrier().await?;
    }
    report("put and barrier", 100, start);
    Ok(())
}

async fn write_steps(store: Store, run: String, count: i64) -> Result<(), StoreError> {
    store.create_run(new_run(&run)).await?;
    for seq in 0..count {
        store.append_events(new_events(&run, seq, 1)).await?;
    }
    Ok(())
}

fn new_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        experiment: "0".to_owned(),
        pipeline: "chain".to_owned(),
        name: "bench".to_owned(),
        params: "{}".to_owned(),
        graph: "{}".to_owned(),
        nominal_time: 0,
        seed: 7,
        parent: None,
        origin: "api".to_owned(),
        tracked: Vec::new(),
        source: None,
        stamp: stamp(),
    }
}

/// Steps that succeed, with all that belongs to them.
fn new_events(run: &str, first: i64, count: i64) -> NewEvents {
    let mut change = RunChange::default();
    for i in first..first + count {
        let (step_key, output) = (format!("step-{i}"), Digest::blake3(&i.to_le_bytes()));
        change.steps.push(step(&step_key, key(run, i)));
        change.outputs.push(OutputRow {
            step_key: step_key.clone(),
            name: "table".to_owned(),
            digest: output,
            media_type: "application/vnd.apache.arrow.file".to_owned(),
            size: 1000,
            rows: Some(10),
        });
        for (direction, role, digest) in [
            (Direction::Used, "component", Digest::sha256(b"component")),
            (Direction::Used, "input:table", Digest::blake3(&(i - 1).to_le_bytes())),
            (Direction::Made, "output:table", output),
        ] {
            change.lineage.push(Edge {
                step_key: step_key.clone(),
                attempt: 1,
                direction,
                role: role.to_owned(),
                digest,
            });
        }
        change.cache_entries.push(CacheEntryRow {
            cache_key: key(run, i),
            run: run.to_owned(),
            step_key,
            outputs: "x".repeat(200),
            metrics: "{}".to_owned(),
            clock: None,
            created: 1,
        });
    }
    let events = vec![r#"{"event":"attempt-succeeded","step":"a","outputs":{}}"#.to_owned(); count as usize];
    NewEvents { run: run.to_owned(), expected_next_seq: first, events, change, stamp: stamp() }
}

fn step(step_key: &str, cache_key: Digest) -> StepRow {
    StepRow {
        step_key: step_key.to_owned(),
        position: 0,
        uses: "noop@^0.1".to_owned(),
        plugin_name: Some("noop".to_owned()),
        plugin_version: Some("0.1.0".to_owned()),
        plugin_digest: Some(Digest::sha256(b"component")),
        kind: Some("processor".to_owned()),
        status: StepStatus::Succeeded,
        cache: CacheOutcome::Miss,
        reason: Some("first run".to_owned()),
        attempts: 1,
        started: Some(1),
        ended: Some(2),
        duration_ms: Some(0),
        usage: Some(r#"{"wall":{"secs":0,"nanos":1000}}"#.to_owned()),
        error: None,
        cache_key: Some(cache_key),
        key_parts: Some("x".repeat(500)),
    }
}

fn key(run: &str, i: i64) -> Digest {
    Digest::blake3(format!("{run}/{i}").as_bytes())
}

fn stamp() -> Stamp {
    Stamp { time: 1, actor: "bench".to_owned() }
}

fn report(what: &str, count: i64, start: Instant) {
    let elapsed = start.elapsed();
    println!(
        "{what:55} {:8.1} µs each, {:9.0}/s",
        elapsed.as_secs_f64() * 1e6 / count as f64,
        count as f64 / elapsed.as_secs_f64()
    );
}
