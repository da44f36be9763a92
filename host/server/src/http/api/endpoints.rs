//! Endpoints: what they take, their predictions, the labels that come later, and what becomes of their releases.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_core::access::{Area, Level};
use wasmlops_core::table::Schema;

use crate::access::Caller;
use crate::http::codec::{self, rows};
use crate::http::extract::{Json, MaybeJson, Path, Query};
use crate::http::failure::Failure;
use crate::http::idempotency::Once;
use crate::http::page::{Cursor, Limit, Page, PageQuery, bad_cursor};
use crate::http::route::{Route, may};
use crate::http::{Api, answer, check_id};
use crate::labels::{self, Label, LabelAnswer, LabelView};
use crate::serving::control::{self, Hold};
use crate::serving::view::{self, EndpointView, ReleaseEventView, RollbackView};
use crate::serving::{EndpointInfo, PredictError};
use crate::view::shapes::SchemaShape;

/// The list whose cursors these are.
const HISTORY: &str = "endpoint-history";

pub(super) fn routes() -> Vec<Route> {
    let (read, edit) = (may(Area::Endpoints, Level::Read), may(Area::Endpoints, Level::Edit));
    vec![
        Route::get("/api/v1/endpoints", read, list_endpoints)
            .named("list_endpoints", "The project's endpoints, by name")
            .query::<PageQuery>()
            .gives::<Page<View>>("endpoints"),
        Route::get("/api/v1/endpoints/{name}", read, get_endpoint)
            .named("get_endpoint", "An endpoint: its releases, what it takes and gives")
            .gives::<View>("the endpoint"),
        Route::get("/api/v1/endpoints/{name}/history", read, list_endpoint_history)
            .named("list_endpoint_history", "What happened to an endpoint's releases, the newest first")
            .query::<PageQuery>()
            .gives::<Page<ReleaseEventView>>("events"),
        Route::post("/api/v1/endpoints/{name}/rollback", edit, roll_back_endpoint)
            .named("roll_back_endpoint", "Takes back the newest release")
            .body::<Reason>()
            .gives::<RollbackView>("what goes, and what answers then")
            .fails(StatusCode::CONFLICT, "there is nothing to go back to"),
        Route::post("/api/v1/endpoints/{name}/pause", edit, pause_endpoint)
            .named("pause_endpoint", "Holds a canary where it is")
            .body::<Reason>()
            .gives::<HeldView>("whether that changed anything"),
        Route::post("/api/v1/endpoints/{name}/continue", edit, continue_endpoint)
            .named("continue_endpoint", "Lets a canary go on")
            .gives::<HeldView>("whether that changed anything"),
        Route::post("/api/v1/endpoints/{name}/predict", may(Area::Predictions, Level::Operate), predict)
            .named("predict", "Predictions for rows")
            .unkeyed()
            .body::<PredictRequest>()
            .gives::<PredictedView>("a prediction for each row")
            .fails(StatusCode::INTERNAL_SERVER_ERROR, "the model failed on this request")
            .fails(StatusCode::GATEWAY_TIMEOUT, "the endpoint's deadline passed"),
        Route::get("/api/v1/endpoints/{name}/labels", may(Area::Labels, Level::Read), list_labels)
            .named("list_labels", "The labels that came last, the newest first")
            .query::<LabelsQuery>()
            .gives::<Page<LabelView>>("labels"),
        Route::post("/api/v1/endpoints/{name}/labels", may(Area::Labels, Level::Operate), record_labels)
            .named("record_labels", "What turned out to be true of predictions")
            .body::<Labels>()
            .gives::<LabelAnswer>("what became of each label")
            .fails(StatusCode::CONFLICT, "a prediction has another label"),
    ]
}

/// An endpoint as it is shown: its releases, and what a client has to know to ask it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServedEndpoint")]
struct View {
    #[serde(flatten)]
    status: EndpointView,
    /// All versions that answer.
    versions: Vec<u64>,
    /// The columns of rows that it takes; empty while it is not ready.
    #[schemars(with = "SchemaShape")]
    input: Arc<Schema>,
    /// The columns of its predictions; empty while it is not ready.
    #[schemars(with = "SchemaShape")]
    output: Arc<Schema>,
}

/// Why something is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    #[schemars(length(min = 1, max = 1000))]
    reason: String,
}

impl Reason {
    fn check(self) -> Result<String, Failure> {
        let length = self.reason.trim().chars().count();
        if (1..=1000).contains(&length) {
            return Ok(self.reason);
        }
        let message = "`reason` has 1 to 1,000 characters";
        Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "no-reason", message).hint("say why; it is recorded"))
    }
}

/// What became of a canary.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct HeldView {
    endpoint: String,
    /// Whether there was a canary that this changed.
    changed: bool,
}

/// Rows to predict. The decoder reads it in one pass, see [`rows::decode`]; this is its description.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "its fields are read by the derive alone")]
struct PredictRequest {
    /// Makes the request findable again: its rows are `ID`, or `ID.0`, `ID.1` and so on.
    #[schemars(length(min = 1, max = 128))]
    id: Option<String>,
    /// An object with a cell for each column of the endpoint's `input`; or a list of cells, in the order of `columns`.
    #[schemars(length(min = 1))]
    rows: Vec<Value>,
    /// The names that lists of cells belong to.
    columns: Option<Vec<String>>,
}

/// Predictions in the order of the rows.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "its fields are read by the derive alone")]
struct PredictedView {
    id: String,
    endpoint: String,
    model: String,
    version: u64,
    predictions: Vec<serde_json::Map<String, Value>>,
}

/// How many labels.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LabelsQuery {
    #[serde(default)]
    limit: Limit,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewLabels")]
struct Labels {
    labels: Vec<Label>,
}

impl View {
    fn new(api: &Api, info: EndpointInfo) -> Option<Self> {
        let status = api.serving.status(&info.name)?;
        Some(Self { status, versions: info.versions, input: info.input, output: info.output })
    }
}

async fn list_endpoints(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let views: Vec<View> =
        api.serving.endpoints().into_iter().filter_map(|endpoint| View::new(&api, endpoint)).collect();
    let page = Page::of("endpoints", views, &page, |view| view.status.endpoint.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_endpoint(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let view = View::new(&api, api.endpoint(&name)?);
    Ok(answer(StatusCode::OK, &view.ok_or(PredictError::UnknownEndpoint)?))
}

async fn list_endpoint_history(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Failure> {
    let before = match &page.cursor {
        Some(cursor) => Some(cursor.open(HISTORY)?.parse::<i64>().map_err(|_| bad_cursor())?),
        None => None,
    };
    let mut items = view::history(&api.host, &name, before, page.limit.0 + 1).await?;
    let more = items.len() > page.limit.0 as usize;
    items.truncate(page.limit.0 as usize);
    let next = items.last().filter(|_| more).map(|last| Cursor::seal(HISTORY, &last.seq.to_string()));
    Ok(answer(StatusCode::OK, &Page { items, next }))
}

async fn roll_back_endpoint(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(name): Path<String>,
    Json(wish): Json<Reason>,
) -> Result<Response, Failure> {
    // A second one would go one release further back.
    once.refuse_repetition("`GET /api/v1/endpoints/NAME/history` shows what it did")?;
    let done = control::rollback(&api.host, &name, &caller.actor, &wish.check()?).await?;
    Ok(answer(StatusCode::OK, &done))
}

async fn pause_endpoint(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(name): Path<String>,
    Json(wish): Json<Reason>,
) -> Result<Response, Failure> {
    let reason = wish.check()?;
    hold(&api, &caller, once, name, Hold::Pause { reason: &reason }).await
}

async fn continue_endpoint(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(name): Path<String>,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Response, Failure> {
    hold(&api, &caller, once, name, Hold::Continue).await
}

/// A body that says nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn hold(api: &Api, caller: &Caller, once: Once, endpoint: String, hold: Hold<'_>) -> Result<Response, Failure> {
    let changed = control::hold_canary(&api.host, &endpoint, &caller.actor, hold).await?;
    Ok(answer(StatusCode::OK, &HeldView { endpoint, changed: changed || once.took_effect }))
}

/// Predictions for rows. An id makes the request findable again: its rows are `ID`, or `ID.0`, `ID.1` and so on.
async fn predict(State(api): State<Arc<Api>>, Path(name): Path<String>, request: Request) -> Result<Response, Failure> {
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

async fn list_labels(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(query): Query<LabelsQuery>,
) -> Result<Response, Failure> {
    api.endpoint(&name)?;
    Ok(answer(StatusCode::OK, &Page::whole(labels::list(&api.host, &name, query.limit.0).await?)))
}

/// The truth about rows that were predicted. Durable when it is answered; the same label again changes nothing.
async fn record_labels(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Json(given): Json<Labels>,
) -> Result<Response, Failure> {
    api.endpoint(&name)?;
    let recorded = labels::record(&api.host, &name, given.labels, &caller.actor).await?;
    Ok(answer(StatusCode::OK, &recorded))
}
