//! What load balancers and Prometheus ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Api, answer};

/// The process is there and its threads turn.
pub(super) async fn get_health() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Whether requests are welcome: every endpoint that has a release answers, and the server is not on its way down.
pub(super) async fn get_readiness(State(api): State<Arc<Api>>) -> Response {
    let endpoints = api.readiness();
    let ready = api.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, &json!({ "ready": ready, "endpoints": endpoints }))
}

pub(super) async fn get_metrics(State(api): State<Arc<Api>>) -> Response {
    let ready: BTreeMap<String, bool> = api.readiness();
    let mut response = api.metrics.page(&ready).into_response();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
