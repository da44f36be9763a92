//! The log at its door: what was appended is there once, whatever dies and whenever.

mod append;
mod codec;
mod joins;
mod policy;
mod recovery;
mod windows;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wasmlops_core::config::LabelConfig;
use wasmlops_core::run::Micros;
use wasmlops_core::table::{Batch, DataType, Schema};

use super::columns::{self, f64s, field, s64s, texts};
use super::*;
use crate::host::{Host, HostOptions};
use crate::labels::{self, Label, LabelAnswer};

const NOON: Micros = 1_795_262_400_000_000;
const ENDPOINT: &str = "flowers";

/// A clock that stands still.
pub struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> Micros {
        self.0.load(Ordering::Relaxed)
    }
}

/// A host in a temporary folder, with one endpoint.
pub struct Lab {
    pub host: Host,
    pub clock: Arc<Still>,
    folder: tempfile::TempDir,
}

impl Lab {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Still(AtomicI64::new(NOON)));
        let host = Self::host(folder.path(), clock.clone()).await;
        Self { host, clock, folder }
    }

    async fn host(folder: &Path, clock: Arc<Still>) -> Host {
        Host::open(HostOptions::for_tests(folder, clock)).await.unwrap()
    }

    pub async fn open(&self) -> InferenceLogs {
        InferenceLogs::open(self.host.store.clone(), &self.host.home, self.clock.clone()).await.unwrap()
    }

    pub async fn log(&self, logs: &InferenceLogs) -> Arc<InferenceLog> {
        logs.log(ENDPOINT, LogPolicy::default()).await.unwrap()
    }

    pub fn later(&self, by: Duration) {
        self.clock.0.fetch_add(by.as_micros() as i64, Ordering::Relaxed);
    }

    pub async fn window(&self, spec: WindowSpec) -> WindowData {
        window(&self.host, ENDPOINT, spec, true).await.unwrap()
    }

    /// All ids of the log, in the order of their rows.
    pub async fn ids(&self) -> Vec<String> {
        let data = self.window(WindowSpec::Last(u64::MAX)).await;
        column(&data, "_id").iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    pub async fn label(&self, pairs: &[(&str, Value)]) -> Result<LabelAnswer> {
        let label = |(id, value): &(&str, Value)| Label { id: (*id).to_owned(), value: value.clone() };
        labels::record(&self.host, ENDPOINT, pairs.iter().map(label).collect(), "test").await
    }

    /// The journals on disk.
    pub fn journals(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join(".wasmlops/inference").join(ENDPOINT);
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    pub fn lateness() -> Duration {
        LabelConfig::default().lateness
    }
}

/// A model of two features that predicts whole numbers.
pub fn source(version: u64) -> Arc<Source> {
    Arc::new(Source {
        model: "iris".to_owned(),
        version,
        release: format!("r{version}"),
        input: Schema::new(vec![field("width", DataType::F64, false), field("kind", DataType::Utf8, true)]).unwrap(),
        output: Schema::new(vec![
            field("prediction", DataType::S64, false),
            field("probability.1", DataType::F64, false),
        ])
        .unwrap(),
        target: Some(field("species", DataType::S64, false)),
    })
}

pub fn features(width: f64) -> Batch {
    Batch { num_rows: 1, columns: vec![f64s([width]), texts([Some("wild")])] }
}

pub fn predictions(class: i64) -> Batch {
    Batch { num_rows: 1, columns: vec![s64s([class]), f64s([0.5])] }
}

/// A row whose width is its number.
pub fn append(log: &InferenceLog, source: &Arc<Source>, number: u64) -> bool {
    let (id, features, predictions) = (id(number), features(number as f64), predictions(number as i64 % 2));
    let record = Record {
        source,
        id: &id,
        time: NOON + number as i64,
        latency_us: 1500,
        outcome: Outcome::Ok,
        features: &features,
        predictions: Some(&predictions),
    };
    log.append(record).unwrap()
}

pub fn append_all(log: &InferenceLog, source: &Arc<Source>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        append(log, source, number);
    }
}

pub fn id(number: u64) -> String {
    format!("p{number}")
}

pub fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(id).collect()
}

pub fn column(data: &WindowData, name: &str) -> Vec<Value> {
    let index = data.table.schema().index_of(name).unwrap_or_else(|| panic!("no column `{name}`"));
    columns::cells(&data.table, index)
}

pub fn code(error: &crate::error::Error) -> &str {
    match error {
        crate::error::Error::User(problems) => &problems.0[0].code,
        error => panic!("{error}"),
    }
}
