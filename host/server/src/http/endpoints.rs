//! Endpoints for clients of this server's own API: what they take, their predictions, the labels that come later.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasmlops_core::table::Schema;

use super::codec::{self, rows};
use super::failure::Failure;
use super::{Api, answer, check_id};
use crate::labels::{self, Label};
use crate::serving::view::EndpointView;
use crate::serving::{EndpointInfo, PredictError};

/// An endpoint as it is shown: its releases, and what a client has to know to ask it.
#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    status: EndpointView,
    /// All versions that answer.
    versions: Vec<u64>,
    /// The columns of rows that it takes; empty while it is not ready.
    input: Arc<Schema>,
    /// The columns of its predictions; empty while it is not ready.
    output: Arc<Schema>,
}

impl View {
    fn new(api: &Api, info: EndpointInfo) -> Option<Self> {
        let status = api.serving.status(&info.name)?;
        Some(Self { status, versions: info.versions, input: info.input, output: info.output })
    }
}

pub(super) async fn list_endpoints(State(api): State<Arc<Api>>) -> Response {
    let views: Vec<View> =
        api.serving.endpoints().into_iter().filter_map(|endpoint| View::new(&api, endpoint)).collect();
    answer(StatusCode::OK, &json!({ "endpoints": views }))
}

pub(super) async fn get_endpoint(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let view = View::new(&api, api.endpoint(&name)?);
    Ok(answer(StatusCode::OK, &view.ok_or(PredictError::UnknownEndpoint)?))
}

/// Predictions for rows. An id makes the request findable again: its rows are `ID`, or `ID.0`, `ID.1` and so on.
pub(super) async fn predict(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let body = api.bodies.read(request).await?;
    let endpoint = api.ready_endpoint(&name)?;
    let rows = rows::decode(&body.bytes, &endpoint.input)?;
    drop(body);
    check_id(rows.id.as_deref())?;
    let prediction = api.predict(&endpoint, None, rows.batch, rows.id).await?;

    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(b"{\"id\":");
    codec::json(&mut out, &prediction.id);
    out.extend_from_slice(b",\"endpoint\":");
    codec::json(&mut out, &prediction.endpoint);
    out.extend_from_slice(b",\"model\":");
    codec::json(&mut out, &prediction.model);
    out.extend_from_slice(b",\"version\":");
    codec::json(&mut out, &prediction.version);
    out.extend_from_slice(b",\"predictions\":");
    codec::predictions(&mut out, &prediction.id, &prediction.schema, &prediction.rows);
    out.push(b'}');
    let mut response = Response::new(Body::from(out));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    labels: Vec<Label>,
}

/// The truth about rows that were predicted. Durable when it is answered; the same label again changes nothing.
pub(super) async fn record_labels(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let body = api.bodies.read(request).await?;
    api.endpoint(&name)?;
    let given: Labels = serde_json::from_slice(&body.bytes).map_err(|error| {
        Failure::bad_request("malformed", format!("the body is not what this endpoint takes: {error}"))
            .hint("send {\"labels\": [{\"id\": \"…\", \"value\": …}]}")
    })?;
    drop(body);
    let recorded = labels::record(&api.host, &name, given.labels, "api").await?;
    Ok(answer(StatusCode::OK, &recorded))
}
