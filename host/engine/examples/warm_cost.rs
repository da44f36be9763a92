//! What one prediction costs a loaded model: `tabular-features` and `linear-model` over 30 columns, one row at a time
//! and in batches, next to a call in a fresh sandbox.
//!
//! ```text
//! cargo run --release --example warm_cost -- tabular_features.wasm linear_model.wasm
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmlops_core::call::{Call, Cancel, LogLine, MetricPoint, Observer, Outcome, Progress, Request, Sandbox, Value};
use wasmlops_core::limits::Limits;
use wasmlops_core::table::{Batch, Column, DataType, Field, Schema, Table, TableBuilder};
use wasmlops_engine::{Engine, EngineOptions, Prepared, Profile, Stage, StageKind, Warm, WarmRequest};

const COLUMNS: usize = 30;
const ROWS: usize = 500;
const LONG: Duration = Duration::from_secs(60);

struct Nobody;

impl Observer for Nobody {
    fn log(&self, _: LogLine) {}
    fn metrics(&self, _: Vec<MetricPoint>) {}
    fn progress(&self, _: Progress) {}
    fn checkpoint(&self, _: Vec<u8>) {}
}

fn main() {
    let [features, model] = std::env::args().skip(1).collect::<Vec<_>>().try_into().expect("two paths of components");
    let engine = Engine::new(EngineOptions { cache_dir: None, cache_key: [0; 32], workers: 1 }).expect("an engine");
    let prepare = |path: &str| {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        engine.prepare(&bytes, Profile::default()).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let (features, model) = (prepare(&features), prepare(&model));

    let config = |text: &str| text.to_owned();
    let raw = table(true);
    let fit = Call::Fit { config: config(r#"{"target":"benign"}"#), input: raw.clone() };
    let Value::Bytes(state) = call(&engine, &features, fit) else { panic!("a state") };
    let apply = Call::Apply { state: state.clone().into(), input: raw };
    let Value::Table(fitted) = call(&engine, &features, apply) else { panic!("a table") };
    let train = config(r#"{"task":"binary","target":"benign"}"#);
    let train = Call::Train { config: train, train: fitted, validation: None };
    let Value::Bytes(trained) = call(&engine, &model, train) else { panic!("a model") };

    let input = table(false);
    let stages = vec![
        Stage { prepared: features.clone(), bytes: state.clone().into(), kind: StageKind::Transform },
        Stage { prepared: model.clone(), bytes: trained.clone().into(), kind: StageKind::Predictor },
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let request = WarmRequest { stages, input: input.schema().clone(), limits: Limits::default() };
        let started = Instant::now();
        let mut warm = engine.warm(request).await.expect("a loaded model");
        println!("loading: {:?}, memory: {} KiB", started.elapsed(), warm.memory() >> 10);
        for (rows, times) in [(1, 50_000), (32, 10_000), (ROWS as u64, 2_000)] {
            measure(&mut warm, &input, rows, times).await;
        }
    });

    let one = first(&input, 1);
    let mut times: Vec<_> = (0..500)
        .map(|_| {
            let started = Instant::now();
            let apply = Call::Apply { state: state.clone().into(), input: one.clone() };
            let Value::Table(fitted) = call(&engine, &features, apply) else { panic!("a table") };
            let predict = Call::Predict { model: trained.clone().into(), input: fitted };
            call(&engine, &model, predict);
            started.elapsed()
        })
        .collect();
    times.sort();
    report("two calls in fresh sandboxes", 1, &times);
}

async fn measure(warm: &mut Warm, input: &Table, rows: u64, count: usize) {
    let columns: Vec<u32> = (0..COLUMNS as u32).collect();
    let batch = input.read(&columns, 0, rows).expect("rows");
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let batch = batch.clone();
        let started = Instant::now();
        let answer = warm.predict(batch, LONG).await.expect("predictions");
        times.push(started.elapsed());
        assert_eq!(answer.num_rows, rows);
    }
    times.sort();
    report("loaded model", rows, &times);
}

fn report(what: &str, rows: u64, sorted: &[Duration]) {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    println!("{what}, {rows} rows: p50 {:?}, p90 {:?}, p99 {:?}", at(0.5), at(0.9), at(0.99));
}

fn call(engine: &Engine, prepared: &Prepared, call: Call) -> Value {
    let request = Request {
        call,
        limits: Limits::default(),
        sandbox: Sandbox::default(),
        observer: Arc::new(Nobody),
        cancel: Cancel::default(),
    };
    match engine.call_blocking(prepared, request).outcome {
        Outcome::Ok(answer) => answer.value,
        other => panic!("{other:?}"),
    }
}

/// Numbers that look like measurements, and a target that follows from them.
fn table(with_target: bool) -> Table {
    let field = |name: String, data_type| Field { name, data_type, nullable: false };
    let mut fields: Vec<Field> = (0..COLUMNS).map(|column| field(format!("f{column}"), DataType::F64)).collect();
    let number = |row: usize, column: usize| ((row * 7919 + column * 104_729) % 1000) as f64 / 10.0 + column as f64;
    let values = |column: usize| (0..ROWS).flat_map(|row| number(row, column).to_le_bytes()).collect();
    let mut columns: Vec<Column> =
        (0..COLUMNS).map(|column| Column { values: values(column), ..Column::default() }).collect();
    if with_target {
        fields.push(field("benign".into(), DataType::S64));
        let target = |row: usize| i64::from(number(row, 0) + number(row, 1) > 100.0);
        let values = (0..ROWS).flat_map(|row| target(row).to_le_bytes()).collect();
        columns.push(Column { values, ..Column::default() });
    }
    build(Schema::new(fields).expect("names differ"), Batch { num_rows: ROWS as u64, columns })
}

fn first(table: &Table, rows: u64) -> Table {
    let columns: Vec<u32> = (0..table.schema().fields.len() as u32).collect();
    build(table.schema().clone(), table.read(&columns, 0, rows).expect("rows"))
}

fn build(schema: Schema, batch: Batch) -> Table {
    let mut builder = TableBuilder::new(schema);
    builder.push(batch).expect("the buffers fit");
    builder.finish().expect("a table")
}
