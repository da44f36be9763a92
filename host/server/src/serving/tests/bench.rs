//! A project with one endpoint, whole hosts on it, and a manual clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wasmlops_core::artifact::{Code, ModelDocument, ReportRef, VersionDocument};
use wasmlops_core::call::{ReleaseMode, Rollout};
use wasmlops_core::table::{Batch, Column, DataType, Field, Schema};
use wasmlops_package::{Algorithm, Digest};

use super::guest::{Behaviour, predictor};
use crate::clock::ManualClock;
use crate::error::Result;
use crate::host::{Host, HostOptions};
use crate::inference::InferenceLogs;
use crate::models::{self, AliasMoveRequest, AliasTarget, Expected, Provenance};
use crate::serving::view::EndpointView;
use crate::serving::{Options, PredictError, PredictRequest, Prediction, Service, Serving, control};

pub const NAME: &str = "adder";
/// Far beyond what any wait in these tests takes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A project in a temporary folder.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
}

/// A host that serves it.
pub struct Site {
    pub host: Host,
    pub serving: Serving,
    pub logs: InferenceLogs,
    clock: Arc<ManualClock>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl Bench {
    /// `more` are further lines of the endpoint, each indented by four spaces.
    pub fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("project: test\nendpoints:\n  {NAME}:\n    model: {NAME}@champion\n{more}");
        std::fs::write(folder.path().join("wasmlops.yaml"), text).unwrap();
        // 2026-01-01, so that ids and times look like themselves.
        Self { folder, clock: Arc::new(ManualClock::at(1_767_225_600_000_000)) }
    }

    pub async fn host(&self) -> Host {
        Host::open(HostOptions::for_tests(self.folder.path(), self.clock.clone())).await.unwrap()
    }

    pub async fn serve(&self) -> Site {
        let host = self.host().await;
        let endpoints = host.project.endpoints.clone();
        let logs = InferenceLogs::open(host.store.clone(), &host.home, host.clock.clone()).await.unwrap();
        let options = Options { host: host.clone(), endpoints, log: Some(logs.clone()) };
        let (service, serving) = Service::new(options).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(service.run(async move { stopped.await.unwrap_or_default() }));
        Site { host, serving, logs, clock: self.clock.clone(), stop, served }
    }
}

impl Site {
    /// Serving with version 1 live, which adds 1.
    pub async fn with_live(bench: &Bench) -> Self {
        let site = bench.serve().await;
        site.register(Behaviour::Adds(1.0)).await;
        site.move_alias(1).await;
        site.until(|view| view.live == Some(1) && view.ready == Some(true)).await;
        site
    }

    /// Registers the next version.
    pub async fn register(&self, behaviour: Behaviour) -> u64 {
        register(&self.host, behaviour).await
    }

    pub async fn move_alias(&self, to: u64) {
        let request = AliasMoveRequest {
            name: NAME.into(),
            alias: "champion".into(),
            to: AliasTarget::Version(to),
            expected: Expected::Any,
            reason: None,
            forced: false,
            actor: "ann".into(),
        };
        models::move_alias(&self.host, request).await.unwrap();
    }

    /// Hands a release to the endpoint, as a deployer does.
    pub async fn start(&self, version: u64, mode: ReleaseMode, steps: &[u8]) -> String {
        let door = control::endpoints(&self.host, vec![NAME.into()], "run:test");
        let rollout = Rollout { mode, steps: steps.to_vec(), bake: None, requests: None };
        door.start(NAME, &format!("deploy-{version}"), version, rollout).await.unwrap()
    }

    pub async fn until(&self, is: impl Fn(&EndpointView) -> bool) {
        let reached = tokio::time::timeout(PATIENCE, self.serving.until(NAME, is)).await;
        assert_eq!(reached, Ok(true), "{:#?}", self.serving.status(NAME));
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub async fn predict(&self, x: f64) -> Result<Prediction, PredictError> {
        predict(&self.serving, &[x], None).await
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
        self.logs.close().await;
        self.host.store.close().await;
    }
}

pub async fn predict(serving: &Serving, xs: &[f64], version: Option<u64>) -> Result<Prediction, PredictError> {
    let request = PredictRequest { endpoint: NAME, version, schema: Arc::new(input()), rows: rows(xs), id: None };
    serving.predict(request).await
}

/// The one column of an answer.
pub fn numbers(prediction: &Prediction) -> Vec<f64> {
    let values = prediction.rows.columns[0].values.chunks_exact(8);
    values.map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
}

pub fn rows(xs: &[f64]) -> Batch {
    let values = xs.iter().flat_map(|x| x.to_le_bytes()).collect();
    Batch { num_rows: xs.len() as u64, columns: vec![Column { values, ..Column::default() }] }
}

pub fn input() -> Schema {
    Schema::new(vec![field("x")]).unwrap()
}

fn field(name: &str) -> Field {
    Field { name: name.into(), data_type: DataType::F64, nullable: false }
}

pub async fn register(host: &Host, behaviour: Behaviour) -> u64 {
    let component = predictor(behaviour);
    let blobs = host.store.blobs().clone();
    let put = move || {
        let predictor = blobs.put_blocking(Algorithm::Sha256, &component).unwrap();
        (predictor, blobs.put_blocking(Algorithm::Blake3, b"model").unwrap())
    };
    let (predictor, model) = tokio::task::spawn_blocking(put).await.unwrap();
    register_parts(host, predictor, model).await
}

pub async fn register_parts(host: &Host, predictor: Digest, model: Digest) -> u64 {
    let document = ModelDocument {
        transforms: Vec::new(),
        plugin: "test 0.1.0".into(),
        predictor,
        model,
        input: Schema::new(vec![field("x"), field("y")]).unwrap(),
        output: Schema::new(vec![field("prediction")]).unwrap(),
        target: Some("y".into()),
        strict: false,
    };
    let report = ReportRef { step: "gate".into(), digest: Digest::blake3(b"report"), passed: true };
    let content = VersionDocument {
        name: NAME.into(),
        model: Digest::blake3(&serde_json::to_vec(&document).unwrap()),
        document,
        metrics: BTreeMap::new(),
        reports: vec![report],
        data: BTreeMap::new(),
        training: None,
        evaluation: None,
        code: Code::default(),
        origin: None,
    };
    models::register(host, NAME, content, Provenance::default(), "test").await.unwrap().version
}

/// The words of an endpoint's history, oldest first.
pub async fn events(host: &Host) -> Vec<(String, u64)> {
    let mut events = crate::serving::view::history(host, NAME, None, 1000).await.unwrap();
    events.reverse();
    let word = |event: &crate::serving::view::ReleaseEventView| {
        (event.event.clone(), event.details["version"].as_u64().unwrap_or(0))
    };
    events.iter().map(word).collect()
}
