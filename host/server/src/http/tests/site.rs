//! A server of one project without connections: its pipeline asks people, so that it needs no plugin.

use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

use super::*;
use crate::host::{Host, HostOptions};
use crate::http::{Exposure, ServedProject, Server, ServerOptions};
use crate::serving::{Options, Service};

pub(super) const NOON: i64 = 1_795_262_400_000_000;

const PIPELINE: &str = r#"
pipeline: release
params:
  version: { type: string, default: "7" }
  share: { type: number, minimum: 0, maximum: 1, default: 0.1 }
steps:
  ask: { approval: "Roll out ${{ params.version }}?", role: editor }
  tell: { approval: "Tell everybody?", inputs: { decision: ask.decision } }
"#;

pub(super) struct OneProject {
    pub host: Host,
    pub clock: Arc<ManualClock>,
    server: Server,
}

/// An answer, read whole.
pub(super) struct Told {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Told {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Writes a project's files.
pub(super) fn project(folder: &Path) {
    std::fs::create_dir(folder.join("pipelines")).unwrap();
    std::fs::write(folder.join("wasmlops.yaml"), "project: people\n").unwrap();
    std::fs::write(folder.join("pipelines/release.yaml"), PIPELINE).unwrap();
}

impl OneProject {
    pub async fn start(folder: &Path) -> Self {
        let clock = Arc::new(ManualClock::at(NOON));
        let host = Host::open(HostOptions::for_tests(folder, clock.clone())).await.unwrap();
        let options = Options { host: host.clone(), endpoints: Vec::new(), log: None };
        let (_, serving) = Service::new(options).await.unwrap();
        let projects = vec![ServedProject { host: host.clone(), serving }];
        let exposure = Exposure { open: true, ..Exposure::default() };
        let bind = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(ServerOptions { projects, bind, exposure }).await.unwrap();
        Self { host, clock, server }
    }

    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Told {
        let mut request = Request::builder().method(method).uri(target).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.server.front.answer(request.body(body.into()).unwrap());
        let answer = tokio::time::timeout(Duration::from_secs(60), answer).await.expect(target);
        let (parts, body) = answer.into_parts();
        let bytes = tokio::time::timeout(Duration::from_secs(60), body.collect()).await.expect(target);
        let bytes = bytes.unwrap().to_bytes().to_vec();
        Told { status: parts.status, headers: parts.headers, bytes }
    }

    pub async fn get(&self, target: &str) -> Told {
        self.send("GET", target, &[], Body::empty()).await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Told {
        self.send("POST", target, &[], body.to_string()).await
    }

    /// A run that waits.
    pub async fn run(&self) -> String {
        let told = self.post("/api/v1/pipelines/release/runs", &serde_json::json!({})).await;
        assert_eq!(told.status, StatusCode::ACCEPTED, "{}", told.json());
        told.json()["run"].as_str().unwrap().to_owned()
    }

    /// By what others know this server.
    pub fn holder(&self) -> &str {
        self.server.apis[0].keys.holder()
    }

    /// Reports that the server is about to stop.
    pub fn stop(&self) {
        self.server.apis.iter().for_each(|api| api.stopping.store(true, std::sync::atomic::Ordering::Relaxed));
    }
}
