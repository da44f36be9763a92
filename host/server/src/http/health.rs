//! What load balancers and Prometheus ask.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use wasmlops_core::access::{Area, Level};
use wasmlops_store::{Store, StoreError};

use super::metrics::ProjectNumbers;
use super::route::{JSON, PUBLIC, Route, may};
use super::{Api, answer};

/// For the store's writer to answer before it is said not to.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", PUBLIC, get_health)
            .named("get_health", "Whether the process is there")
            .answers_text(StatusCode::OK, JSON, "its threads turn, and the store's writer answers")
            .answers_text(StatusCode::SERVICE_UNAVAILABLE, JSON, "the store's writer does not answer"),
        Route::get("/readyz", PUBLIC, get_readiness)
            .named("get_readiness", "Whether requests are welcome")
            .answers_text(StatusCode::OK, JSON, "every endpoint that has a release answers")
            .answers_text(StatusCode::SERVICE_UNAVAILABLE, JSON, "not yet, or no more"),
        Route::get("/metrics", may(Area::Operations, Level::Read), get_metrics)
            .named("get_metrics", "Counts and times for Prometheus")
            .answers_text(StatusCode::OK, "text/plain", "text format 0.0.4"),
    ]
}

/// The process is there: its threads turn, and the store's writer answers. A store that takes no changes is no reason to
/// start the process again, which would find the same disk.
async fn get_health(State(api): State<Arc<Api>>) -> Response {
    let alive = tokio::time::timeout(PATIENCE, api.host.store.check_alive()).await;
    match alive {
        Ok(Ok(())) => answer(StatusCode::OK, &json!({ "status": "ok" })),
        Ok(Err(_)) => failing("the store is closed"),
        Err(_) => failing("the store's writer does not answer"),
    }
}

fn failing(reason: &str) -> Response {
    answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "failing", "reason": reason }))
}

/// Whether requests are welcome. Anyone may ask, so that no names are told.
async fn get_readiness(State(api): State<Arc<Api>>) -> Response {
    let reasons = reasons(&api).await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, &json!({ "ready": reasons.is_empty(), "reasons": reasons }))
}

/// Why requests are not welcome.
#[derive(Serialize)]
struct Reason {
    code: &'static str,
    message: String,
}

async fn reasons(api: &Api) -> Vec<Reason> {
    let reason = |code, message: &str| Reason { code, message: message.to_owned() };
    let mut reasons = Vec::new();
    if api.stopping.load(Ordering::Relaxed) {
        reasons.push(reason("stopping", "the server is on its way down"));
    }
    reasons.extend(store_reason(&api.host.store).await.map(|(code, message)| reason(code, message)));
    if !api.serving.has_looked() {
        reasons.push(reason("starting", "endpoints have not been looked at yet"));
    }
    match api.serving.statuses().iter().filter(|endpoint| endpoint.is_awaited()).count() {
        0 => {}
        1 => reasons.push(reason("loading", "one endpoint has a release and does not answer yet")),
        many => reasons.push(reason("loading", &format!("{many} endpoints have a release and do not answer yet"))),
    }
    reasons
}

/// What is wrong with the store. A full one is asked again: it may have got room since.
async fn store_reason(store: &Store) -> Option<(&'static str, &'static str)> {
    let numbers = store.writer_numbers();
    let check = async { if numbers.full { store.check_writable().await } else { store.check_alive().await } };
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(())) => None,
        Ok(Err(StoreError::Full)) => Some(("store-full", "the disk is full")),
        Ok(Err(StoreError::Closed)) => Some(("store-closed", "the store is closed")),
        Ok(Err(StoreError::Busy)) | Err(_) => Some(("store-busy", "the store's writer does not get on")),
        Ok(Err(_)) => Some(("store-failed", "the store takes no changes")),
    }
}

async fn get_metrics(State(api): State<Arc<Api>>) -> Response {
    let numbers = ProjectNumbers::read(&api.host, api.readiness()).await;
    let mut response = api.metrics.page(&numbers).into_response();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
