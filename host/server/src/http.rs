//! The HTTP surface of a host that serves: this server's own API, the Open Inference Protocol, health and metrics.
//!
//! A request goes through `connections` (time, number, memory) → `front` (whose site asks, ids, headers, metrics) →
//! `routes` (the one list) → a handler, which reads the body, calls one function, and maps the result to a view. What
//! goes wrong is a [`failure::Failure`], written in the client's own form at the front. [`codec`] and
//! [`open_inference`] are pure. Knows nothing of how predictions are made. Door: [`Server`].
//!
//! There are neither users nor TLS here yet, so that it listens on loopback addresses alone.

mod body;
pub mod codec;
mod connections;
mod endpoints;
pub mod failure;
mod front;
mod health;
mod inference;
mod metrics;
mod models;
pub mod open_inference;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use tokio::net::TcpListener;
use wasmlops_core::table::Batch;

use self::body::BodyLimits;
use self::connections::ConnectionLimits;
use self::failure::Failure;
use self::front::Front;
use self::metrics::Metrics;
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
    pub host: Host,
    pub serving: Serving,
    /// Port 0 takes a free one.
    pub bind: SocketAddr,
}

/// A server that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    front: Front,
    api: Arc<Api>,
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// The user's: an address that other machines can reach, or one that cannot be had.
    pub async fn bind(options: ServerOptions) -> Result<Self> {
        let listener = listen(options.bind).await?;
        let address = listener.local_addr().map_err(Error::io("tell the address that was taken"))?;
        let clock = options.host.clock.clone();
        let api = Arc::new(Api {
            host: options.host,
            serving: options.serving,
            metrics: Arc::new(Metrics::default()),
            bodies: BodyLimits::new(BODY_BYTES, BODY_TIME, BODIES_BYTES),
            stopping: AtomicBool::new(false),
        });
        let front = Front::new(routes::router(api.clone()), api.metrics.clone(), clock);
        Ok(Self { listener, address, front, api })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The routes without connections, for calls within the process.
    pub fn router(&self) -> Router {
        routes::router(self.api.clone())
    }

    /// Answers until `shutdown`, then takes no more connections and lets the requests in flight end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let api = self.api.clone();
        let shutdown = async move {
            shutdown.await;
            api.stopping.store(true, Ordering::Relaxed);
        };
        connections::serve(self.listener, self.front, ConnectionLimits::default(), shutdown).await;
    }
}

async fn listen(bind: SocketAddr) -> Result<TcpListener> {
    if !bind.ip().is_loopback() {
        let message = format!("`{bind}` can be reached from other machines, and there is no login and no TLS yet");
        let hint = "bind 127.0.0.1 or [::1], and put a proxy that does both in front of it";
        return Err(Error::user("public-address", message, hint));
    }
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
    stopping: AtomicBool,
}

impl Api {
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

/// A client's id for its request ends up in logs, tables and labels.
fn check_id(id: Option<&str>) -> Result<(), Failure> {
    match id {
        Some(id) if id.is_empty() || id.len() > 128 || id.chars().any(char::is_control) => {
            Err(Failure::bad_request("invalid-id", "`id` has 1 to 128 bytes and no control characters"))
        }
        _ => Ok(()),
    }
}
