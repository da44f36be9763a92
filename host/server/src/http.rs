//! The HTTP surface of a host that serves: this server's own API, the Open Inference Protocol, health and metrics.
//!
//! A request goes through `connections` (time, number, memory) → `front` (whose site asks, who asks, ids, headers,
//! metrics) → `routes` (the one list, and who may) → a handler, which reads the body, calls one function, and maps the
//! result to a view. What goes wrong is a [`failure::Failure`], written in the client's own form at the front. [`codec`]
//! and [`open_inference`] are pure. Knows nothing of how predictions are made. Door: [`Server`].
//!
//! Several projects can be served, each with a router of its own; they share the process, its metrics and its limits.

mod answers;
mod api;
mod body;
pub mod codec;
mod connections;
mod exposure;
mod extract;
pub mod failure;
mod front;
mod health;
mod idempotency;
mod inference;
mod json;
mod metrics;
pub mod open_inference;
mod openapi;
mod page;
mod route;
mod routes;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use wasmlops_core::table::Batch;
use wasmlops_package::Digest;

use self::body::BodyLimits;
pub use self::connections::TlsFiles;
use self::connections::{ConnectionLimits, Listener};
use self::exposure::Entry;
pub use self::exposure::Exposure;
use self::failure::Failure;
use self::front::{Front, Gate, GateOptions, Site};
use self::idempotency::Keys;
use self::metrics::Metrics;
use crate::access::Access;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::serving::view::EndpointView;
use crate::serving::{EndpointInfo, PredictError, PredictRequest, Prediction, Serving};

/// Bytes of one body at the most.
const BODY_BYTES: usize = 8 << 20;
/// Bytes of all large bodies that are in memory at a time.
const BODIES_BYTES: usize = 64 << 20;
const BODY_TIME: Duration = Duration::from_secs(20);

/// What a server is made of.
pub struct ServerOptions {
    /// At least one. The first answers where a request neither names one nor is anybody's.
    pub projects: Vec<ServedProject>,
    /// Port 0 takes a free one.
    pub bind: SocketAddr,
    pub exposure: Exposure,
}

/// A project and what answers for it.
pub struct ServedProject {
    pub host: Host,
    pub serving: Serving,
}

/// A server that listens and does not answer yet.
pub struct Server {
    listener: Listener,
    address: SocketAddr,
    front: Front,
    gate: Gate,
    apis: Vec<Arc<Api>>,
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// The user's: an address that other machines can reach without TLS, one that cannot be had, files for TLS that
    /// cannot be used, projects of the same name.
    pub async fn bind(options: ServerOptions) -> Result<Self> {
        let Entry { hosts, mode, tls } = options.exposure.check(options.bind)?;
        let clock = check_names(&options.projects)?.host.clock.clone();
        let tcp = listen(options.bind).await?;
        let address = tcp.local_addr().map_err(Error::io("tell the address that was taken"))?;
        let metrics = Arc::new(Metrics::default());
        let bodies = BodyLimits::new(BODY_BYTES, BODY_TIME, BODIES_BYTES);
        let api = |project| Api::open(project, metrics.clone(), bodies.clone()).map(Arc::new);
        let apis: Vec<Arc<Api>> = options.projects.into_iter().map(api).collect::<Result<_>>()?;
        let site = |api: &Arc<Api>| Site { router: routes::router(api.clone()), access: Access::new(&api.host) };
        let gate = Gate::new(GateOptions {
            sites: apis.iter().map(site).collect(),
            public: routes::public(),
            mode,
            behind_proxy: options.exposure.behind_proxy,
        });
        let front = Front::new(gate.clone(), hosts, metrics, clock);
        Ok(Self { listener: Listener { tcp, tls }, address, front, gate, apis })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`, then takes no more connections and lets the requests in flight end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self { listener, front, gate, apis, .. } = self;
        let shutdown = async move {
            shutdown.await;
            apis.iter().for_each(|api| api.stopping.store(true, Ordering::Relaxed));
        };
        let (served, over) = tokio::sync::oneshot::channel::<()>();
        let limits = ConnectionLimits::default();
        // A proxy's one address is everybody's.
        let per_address = if gate.is_behind_proxy() { limits.count } else { limits.per_address };
        let limits = ConnectionLimits { per_address, ..limits };
        let connections = async move {
            connections::serve(listener, front, limits, shutdown).await;
            drop(served);
        };
        let over = async move {
            // The sender is dropped to say it.
            let _ = over.await;
        };
        tokio::join!(connections, gate.denials().clone().run(gate.accesses(), over));
    }
}

/// Requests name projects, so that no two may have the same name. Gives the first.
fn check_names(projects: &[ServedProject]) -> Result<&ServedProject> {
    let mut names = BTreeSet::new();
    for ServedProject { host, .. } in projects {
        if !names.insert(&host.project.name) {
            let message = format!("two of the projects are called `{}`", host.project.name);
            return Err(Error::user("project-names", message, "give one of them another name in its `wasmlops.yaml`"));
        }
    }
    projects
        .first()
        .ok_or_else(|| Error::user("no-project", "there is no project to serve", "name one with `--project DIR`"))
}

async fn listen(bind: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(bind).await.map_err(|error| {
        Error::user("address", format!("cannot listen on `{bind}`: {error}"), "choose another port with `--bind`")
    })
}

/// What handlers share.
struct Api {
    host: Host,
    serving: Serving,
    metrics: Arc<Metrics>,
    bodies: BodyLimits,
    keys: Keys,
    /// Artifacts on their way in.
    uploads: Semaphore,
    stopping: AtomicBool,
}

impl Api {
    fn open(project: ServedProject, metrics: Arc<Metrics>, bodies: BodyLimits) -> Result<Self> {
        let ServedProject { host, serving } = project;
        let keys = Keys::open(&host)?;
        let uploads = Semaphore::new(api::UPLOADS);
        Ok(Self { host, serving, metrics, bodies, keys, uploads, stopping: AtomicBool::new(false) })
    }

    fn endpoint(&self, name: &str) -> Result<EndpointInfo, Failure> {
        let unknown = || {
            let name: String = name.chars().take(100).collect();
            Failure::not_found("unknown-endpoint", format!("there is no endpoint `{name}`"))
        };
        self.serving.endpoint(name).ok_or_else(unknown)
    }

    /// The schemas of an endpoint are known from when it is ready.
    fn ready_endpoint(&self, name: &str) -> Result<EndpointInfo, Failure> {
        let endpoint = self.endpoint(name)?;
        if endpoint.ready { Ok(endpoint) } else { Err(PredictError::NotReady.into()) }
    }

    async fn predict(
        &self,
        endpoint: &EndpointInfo,
        version: Option<u64>,
        rows: Batch,
        id: Option<String>,
    ) -> Result<Prediction, Failure> {
        let (count, schema) = (rows.num_rows, endpoint.input.clone());
        let request = PredictRequest { endpoint: &endpoint.name, version, schema, rows, id };
        let prediction = self.serving.predict(request).await?;
        self.metrics.prediction(&prediction.endpoint, prediction.version, count, prediction.took);
        Ok(prediction)
    }

    fn readiness(&self) -> BTreeMap<String, bool> {
        self.serving.endpoints().into_iter().map(|endpoint| (endpoint.name, endpoint.ready)).collect()
    }

    /// Whether every endpoint that has something to serve serves it.
    fn is_ready(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed)
            && self.serving.has_looked()
            && !self.serving.statuses().iter().any(EndpointView::is_awaited)
    }
}

/// A JSON answer.
fn answer(status: StatusCode, view: &impl Serialize) -> Response {
    match serde_json::to_vec(view) {
        Ok(body) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => axum::response::IntoResponse::into_response(Failure::internal(error)),
    }
}

/// A digest in a path. What is none names nothing here.
fn artifact_digest(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(100).collect();
        Failure::not_found("unknown-artifact", format!("there is no artifact `{text}`"))
            .hint("give its whole digest: `blake3:` or `sha256:` and 64 hex digits")
    })
}

/// A client's id for its request ends up in logs, tables and labels.
fn check_id(id: Option<&str>) -> Result<(), Failure> {
    match id {
        Some(id) if id.is_empty() || id.len() > 128 || id.chars().any(char::is_control) => {
            Err(Failure::bad_request("invalid-id", "`id` has 1 to 128 bytes and no control characters"))
        }
        _ => Ok(()),
    }
}
