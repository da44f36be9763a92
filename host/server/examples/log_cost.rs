//! What logging a request costs: microseconds per append for 30 columns of doubles, one thread and four.

use std::sync::Arc;
use std::time::Instant;

use wasmlops_core::table::{Batch, Column, DataType, Field, Schema};
use wasmlops_server::clock::SystemClock;
use wasmlops_server::inference::{InferenceLog, InferenceLogs, LogPolicy, Outcome, Record, Source};
use wasmlops_store::{Store, StoreOptions};

const COLUMNS: usize = 30;
const APPENDS: usize = 200_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let store = Store::open(StoreOptions { home: home.path().to_owned(), ..Default::default() }).await?;
    let logs = InferenceLogs::open(store.clone(), home.path(), Arc::new(SystemClock)).await?;
    let source = Arc::new(source()?);
    for threads in [1, 4] {
        let log = logs.log(&format!("threads-{threads}"), LogPolicy::default()).await?;
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (log, source) = (&log, &source);
                scope.spawn(move || append(log, source, thread, APPENDS / threads));
            }
        });
        let each = start.elapsed().as_secs_f64() * 1e6 / APPENDS as f64;
        println!("{threads} threads: {each:.2} µs per append of 1 row with {COLUMNS} doubles");
    }
    let start = Instant::now();
    logs.close().await;
    let each = start.elapsed().as_secs_f64() * 1e6 / (2 * APPENDS) as f64;
    println!("sealing: {each:.2} µs per row, in the background");
    store.close().await;
    Ok(())
}

fn append(log: &InferenceLog, source: &Arc<Source>, thread: usize, count: usize) {
    let features = doubles(COLUMNS);
    let predictions = doubles(2);
    for number in 0..count {
        let id = format!("0190f3a1b2c3d4e5f6a7b8c9{thread:01x}{number:07x}");
        let record = Record {
            source,
            id: &id,
            time: 1_795_262_400_000_000 + number as i64,
            latency_us: 120,
            outcome: Outcome::Ok,
            features: &features,
            predictions: Some(&predictions),
        };
        log.append(record).expect("the disk has room");
    }
}

fn source() -> Result<Source, Box<dyn std::error::Error>> {
    let fields = |prefix: &str, count| -> Vec<Field> {
        let field = |index| Field { name: format!("{prefix}{index}"), data_type: DataType::F64, nullable: false };
        (0..count).map(field).collect()
    };
    Ok(Source {
        model: "bench".to_owned(),
        version: 1,
        release: "r1".to_owned(),
        input: Schema::new(fields("x", COLUMNS))?,
        output: Schema::new(fields("y", 2))?,
        target: None,
    })
}

fn doubles(columns: usize) -> Batch {
    let column = |index: usize| Column { values: (index as f64).to_le_bytes().to_vec(), ..Column::default() };
    Batch { num_rows: 1, columns: (0..columns).map(column).collect() }
}
