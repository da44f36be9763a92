//! Guests as components, an engine to run them, and a listener for what they say.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use wasmlops_core::call::{
    Call, Cancel, LogLine, MetricPoint, Observer, Outcome, Progress, Report, Request, Sandbox, Value,
};
use wasmlops_core::limits::Limits;
use wasmlops_core::table::{Batch, Column, DataType, Field, Schema, Table, TableBuilder};
use wasmlops_engine::{Engine, EngineOptions, Profile};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// One engine for all tests, as one host has one for all guests: what one guest does must not harm the next.
pub static ENGINE: LazyLock<Engine> = LazyLock::new(|| engine(None));

pub fn engine(cache_dir: Option<PathBuf>) -> Engine {
    Engine::new(EngineOptions { cache_dir, cache_key: [42; 32], workers: 2 }).unwrap()
}

pub fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests")
}

/// Reads a guest and wraps it for the world that its second line names.
pub fn component(guest: &str) -> Vec<u8> {
    let file = guests().join(format!("{guest}.wat"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let world = text.lines().find_map(|line| line.strip_prefix(";; world: ")).expect("a line `;; world: ...`");
    let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{guest}: {error}"));

    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1.0");
    resolve.push_dir(contract).unwrap();
    let (package, _) = resolve.push_dir(guests().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap();
    encoder.encode().unwrap_or_else(|error| panic!("{guest}: {error:?}"))
}

/// A call of a guest, with limits that a test can wait for.
pub struct Bench {
    pub call: Call,
    pub limits: Limits,
    pub sandbox: Sandbox,
    pub profile: Profile,
    pub cancel: Cancel,
    pub listener: Arc<Listener>,
}

impl Bench {
    pub fn new(call: Call) -> Self {
        let limits = Limits { memory: 256 << 20, timeout: Duration::from_secs(60), ..Limits::default() };
        Self {
            call,
            limits,
            sandbox: Sandbox::default(),
            profile: Profile::default(),
            cancel: Cancel::default(),
            listener: Arc::default(),
        }
    }

    pub fn train() -> Self {
        Self::new(Call::Train { config: "{}".into(), train: numbers(3), validation: None })
    }

    pub fn read() -> Self {
        Self::new(Call::Read { config: "{}".into() })
    }

    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    pub fn sandbox(mut self, change: impl FnOnce(&mut Sandbox)) -> Self {
        change(&mut self.sandbox);
        self
    }

    pub fn run(&self, guest: &str) -> Report {
        self.run_on(&ENGINE, &component(guest))
    }

    pub fn run_on(&self, engine: &Engine, component: &[u8]) -> Report {
        let prepared = engine.prepare(component, self.profile).unwrap();
        engine.call_blocking(&prepared, self.request())
    }

    pub fn request(&self) -> Request {
        Request {
            call: self.call.clone(),
            limits: self.limits.clone(),
            sandbox: self.sandbox.clone(),
            observer: self.listener.clone(),
            cancel: self.cancel.clone(),
        }
    }
}

/// A guest that behaves still works.
pub fn assert_unharmed() {
    assert_eq!(bytes(Bench::train().run("well-behaved")), b"done");
}

/// What a call that succeeded returned.
pub fn bytes(report: Report) -> Vec<u8> {
    match report.outcome {
        Outcome::Ok(answer) => match answer.value {
            Value::Bytes(bytes) => bytes,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// `rows` rows of one column `x` that counts from zero.
pub fn numbers(rows: usize) -> Table {
    let schema = Schema::new(vec![Field { name: "x".into(), data_type: DataType::F64, nullable: false }]).unwrap();
    let mut builder = TableBuilder::new(schema);
    let values = (0..rows).flat_map(|row| (row as f64).to_le_bytes()).collect();
    let column = Column { values, validity: None, offsets: None, dictionary: None };
    builder.push(Batch { num_rows: rows as u64, columns: vec![column] }).unwrap();
    builder.finish().unwrap()
}

/// Keeps what the guest says.
#[derive(Default)]
pub struct Listener {
    pub lines: Mutex<Vec<LogLine>>,
    pub points: Mutex<Vec<MetricPoint>>,
    pub checkpoint: Mutex<Option<Vec<u8>>>,
}

impl Observer for Listener {
    fn log(&self, line: LogLine) {
        self.lines.lock().unwrap().push(line);
    }

    fn metrics(&self, points: Vec<MetricPoint>) {
        self.points.lock().unwrap().extend(points);
    }

    fn progress(&self, _: Progress) {}

    fn checkpoint(&self, state: Vec<u8>) {
        *self.checkpoint.lock().unwrap() = Some(state);
    }
}
