//! Endpoints for clients of the Open Inference Protocol: an endpoint is a model there, its versions are the model's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use wasmlops_core::access::{Area, Level};

use super::failure::Failure;
use super::open_inference::{self, Answered};
use super::route::{PUBLIC, Route, may};
use super::{Api, answer, check_id};
use crate::serving::{EndpointInfo, PredictError};

/// How many bytes of JSON come before binary tensors, in requests and in answers.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

pub(super) fn routes() -> Vec<Route> {
    let (read, ask) = (may(Area::Endpoints, Level::Read), may(Area::Predictions, Level::Operate));
    vec![
        Route::get("/v2", read, get_server).named("v2_get_server", "What this server is").protocol(),
        Route::get("/v2/", read, get_server).named("v2_get_server_slash", "What this server is").protocol(),
        Route::get("/v2/health/live", PUBLIC, get_live).named("v2_get_live", "Whether the process is there").protocol(),
        Route::get("/v2/health/ready", PUBLIC, get_ready)
            .named("v2_get_ready", "Whether requests are welcome")
            .protocol(),
        Route::get("/v2/models", read, list_models).named("v2_list_models", "The names of all endpoints").protocol(),
        Route::get("/v2/models/stats", read, list_stats)
            .named("v2_list_stats", "What each version answered since the server started")
            .protocol(),
        Route::get("/v2/models/{name}", read, get_model)
            .named("v2_get_model", "What an endpoint takes and gives")
            .protocol(),
        Route::get("/v2/models/{name}/ready", read, get_model_ready)
            .named("v2_get_model_ready", "Whether an endpoint answers")
            .protocol(),
        Route::post("/v2/models/{name}/infer", ask, infer).named("v2_infer", "Predictions for tensors").protocol(),
        Route::get("/v2/models/{name}/stats", read, get_stats)
            .named("v2_get_stats", "What an endpoint answered since the server started")
            .protocol(),
        Route::get("/v2/models/{name}/versions/{version}", read, get_version)
            .named("v2_get_version", "What a version takes and gives")
            .protocol(),
        Route::get("/v2/models/{name}/versions/{version}/ready", read, get_version_ready)
            .named("v2_get_version_ready", "Whether a version answers")
            .protocol(),
        Route::post("/v2/models/{name}/versions/{version}/infer", ask, infer_version)
            .named("v2_infer_version", "A version's predictions for tensors")
            .protocol(),
        Route::get("/v2/models/{name}/versions/{version}/stats", read, get_version_stats)
            .named("v2_get_version_stats", "What a version answered since the server started")
            .protocol(),
        Route::post("/v2/repository/index", read, index_repository)
            .named("v2_index_repository", "Every version and whether it answers")
            .protocol(),
    ]
}

async fn get_server() -> Response {
    let extensions = ["binary_tensor_data", "model_repository", "statistics"];
    answer(
        StatusCode::OK,
        &json!({ "name": "wasmlops", "version": env!("CARGO_PKG_VERSION"), "extensions": extensions }),
    )
}

async fn get_live() -> Response {
    answer(StatusCode::OK, &json!({ "live": true }))
}

async fn get_ready(State(api): State<Arc<Api>>) -> Response {
    let ready = api.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, &json!({ "ready": ready }))
}

async fn list_models(State(api): State<Arc<Api>>) -> Response {
    let names: Vec<String> = api.serving.endpoints().into_iter().map(|endpoint| endpoint.name).collect();
    answer(StatusCode::OK, &json!({ "models": names }))
}

async fn get_model(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let endpoint = ready(&api, &name, None)?;
    Ok(answer(StatusCode::OK, &metadata(&endpoint)))
}

async fn get_version(
    State(api): State<Arc<Api>>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let endpoint = ready(&api, &name, Some(&version))?;
    Ok(answer(StatusCode::OK, &metadata(&endpoint)))
}

async fn get_model_ready(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    ready(&api, &name, None)?;
    Ok(answer(StatusCode::OK, &json!({ "name": name, "ready": true })))
}

async fn get_version_ready(
    State(api): State<Arc<Api>>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, Failure> {
    ready(&api, &name, Some(&version))?;
    Ok(answer(StatusCode::OK, &json!({ "name": name, "version": version, "ready": true })))
}

async fn infer(State(api): State<Arc<Api>>, Path(name): Path<String>, request: Request) -> Result<Response, Failure> {
    infer_with(&api, &name, None, request).await
}

async fn infer_version(
    State(api): State<Arc<Api>>,
    Path((name, version)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    infer_with(&api, &name, Some(&version), request).await
}

async fn infer_with(api: &Api, name: &str, version: Option<&str>, request: Request) -> Result<Response, Failure> {
    let json_length = json_length(request.headers())?;
    let body = api.bodies.read(request).await?;
    let endpoint = ready(api, name, version)?;
    let version = version.map(|version| parse_version(name, version)).transpose()?;
    let malformed = |text| Failure::bad_request("malformed", text);
    let request = open_inference::Request::parse(&body.bytes, json_length).map_err(malformed)?;
    check_id(request.id.as_deref())?;
    let batch = request.batch(&endpoint.input, &endpoint.output)?;
    let id = request.id.as_deref().map(str::to_owned);
    let prediction = api.predict(&endpoint, version, batch, id).await?;
    let answer = request.answer(&Answered {
        model: name,
        version: prediction.version,
        id: &prediction.id,
        schema: &prediction.schema,
        rows: &prediction.rows,
    });
    let mut response = Response::new(Body::from(answer.body));
    let headers = response.headers_mut();
    match answer.json_length {
        Some(length) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            headers.insert(JSON_LENGTH, HeaderValue::from(length));
        }
        None => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
    }
    Ok(response)
}

/// Whether each endpoint answers, and with which versions.
async fn index_repository(State(api): State<Arc<Api>>) -> Response {
    let mut index = Vec::new();
    for endpoint in api.serving.endpoints() {
        let state = if endpoint.ready { "READY" } else { "UNAVAILABLE" };
        let reason = if endpoint.ready { "" } else { "the model is being loaded" };
        for version in &endpoint.versions {
            let name = &endpoint.name;
            index.push(json!({ "name": name, "version": version.to_string(), "state": state, "reason": reason }));
        }
    }
    answer(StatusCode::OK, &Value::Array(index))
}

async fn list_stats(State(api): State<Arc<Api>>) -> Response {
    let endpoints = api.serving.endpoints();
    answer(StatusCode::OK, &stats(&api, endpoints.iter().map(|endpoint| (endpoint, &endpoint.versions[..]))))
}

async fn get_stats(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let endpoint = api.endpoint(&name)?;
    Ok(answer(StatusCode::OK, &stats(&api, [(&endpoint, &endpoint.versions[..])])))
}

async fn get_version_stats(
    State(api): State<Arc<Api>>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let endpoint = ready(&api, &name, Some(&version))?;
    let version = parse_version(&name, &version)?;
    Ok(answer(StatusCode::OK, &stats(&api, [(&endpoint, &[version][..])])))
}

fn stats<'a>(api: &Api, endpoints: impl IntoIterator<Item = (&'a EndpointInfo, &'a [u64])>) -> Value {
    let mut all = Vec::new();
    for (endpoint, versions) in endpoints {
        for version in versions {
            let counts = api.metrics.predictions_of(&endpoint.name, *version);
            let (answered, nanos) = (counts.answered.load(Ordering::Relaxed), counts.nanos.load(Ordering::Relaxed));
            all.push(json!({
                "name": endpoint.name,
                "version": version.to_string(),
                "inference_count": counts.rows.load(Ordering::Relaxed),
                "execution_count": answered,
                "inference_stats": { "success": { "count": answered, "ns": nanos } },
            }));
        }
    }
    json!({ "model_stats": all })
}

fn metadata(endpoint: &EndpointInfo) -> Value {
    open_inference::metadata(&endpoint.name, &endpoint.versions, &endpoint.input, &endpoint.output)
}

/// The endpoint with the columns of the version asked for, if it answers.
fn ready(api: &Api, name: &str, version: Option<&str>) -> Result<EndpointInfo, Failure> {
    let endpoint = api.endpoint(name)?;
    let endpoint = match version {
        Some(version) => {
            let number = parse_version(name, version)?;
            api.serving.endpoint_version(name, number).ok_or_else(|| unknown_version(name, version))?
        }
        None => endpoint,
    };
    if endpoint.ready { Ok(endpoint) } else { Err(PredictError::NotReady.into()) }
}

fn parse_version(name: &str, version: &str) -> Result<u64, Failure> {
    let plain = version.bytes().all(|byte| byte.is_ascii_digit());
    version.parse().ok().filter(|_| plain).ok_or_else(|| unknown_version(name, version))
}

fn unknown_version(name: &str, version: &str) -> Failure {
    let version: String = version.chars().take(40).collect();
    Failure::not_found("unknown-version", format!("model `{name}` has no version `{version}` here"))
}

fn json_length(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let Some(length) = headers.get(JSON_LENGTH) else { return Ok(None) };
    let number = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.and_then(|text| text.parse().ok());
    let wrong = || Failure::bad_request("malformed", "`Inference-Header-Content-Length` is no number of bytes");
    number.ok_or_else(wrong).map(Some)
}
