//! Runs: which there are, how they go, stopping them and going on with them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};
use wasmlops_store::{RunFilter, StoreError};

use crate::access::Caller;
use crate::http::answers::{made, tagged};
use crate::http::extract::{Path, Query};
use crate::http::failure::Failure;
use crate::http::idempotency::Once;
use crate::http::page::{Cursor, Limit, Page};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::runs::{self, Compared, ComparisonView, GraphView, QueueView};
use crate::tracking;
use crate::view::{RunSummary, RunView};

/// The list whose cursors these are.
const LIST: &str = "runs";

pub(super) fn routes() -> Vec<Route> {
    let (read, operate) = (may(Area::Runs, Level::Read), may(Area::Runs, Level::Operate));
    vec![
        Route::get("/api/v1/runs", read, list_runs)
            .named("list_runs", "Runs, the newest first")
            .query::<RunsQuery>()
            .gives::<Page<RunSummary>>("runs"),
        Route::get("/api/v1/runs/compare", read, compare_runs)
            .named("compare_runs", "Runs side by side: params, metrics, outputs; what differs comes first")
            .query::<CompareQuery>()
            .gives::<ComparisonView>("the comparison"),
        Route::get("/api/v1/runs/{id}", read, get_run)
            .named("get_run", "A run with its steps")
            .tagged()
            .gives::<RunView>("the run"),
        Route::get("/api/v1/runs/{id}/graph", read, get_run_graph)
            .named("get_run_graph", "The steps of a run and what leads from one to another")
            .tagged()
            .gives::<GraphView>("the graph"),
        Route::post("/api/v1/runs/{id}/cancel", operate, cancel_run)
            .named("cancel_run", "Asks a run to stop")
            .gives::<RunView>("the run, which stops within seconds")
            .fails(StatusCode::CONFLICT, "it has ended already"),
        Route::post("/api/v1/runs/{id}/resume", operate, resume_run)
            .named("resume_run", "Goes on with a run that failed or was cancelled")
            .answers::<RunView>(StatusCode::ACCEPTED, "the run, which waits for its turn")
            .located()
            .fails(StatusCode::CONFLICT, "it is under way, or has succeeded"),
        Route::get("/api/v1/queue", read, get_queue)
            .named("get_queue", "What waits for a server to run it")
            .gives::<QueueView>("the queue"),
    ]
}

/// Which runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    pipeline: Option<String>,
    status: Option<Status>,
    /// What started them: `cli`, `api`, `schedule:NAME`, `trigger:NAME`.
    origin: Option<String>,
    /// The run that they belong to.
    parent: Option<String>,
    /// Created at this time or later, RFC 3339.
    created_from: Option<String>,
    /// Created before this time, RFC 3339.
    created_before: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// Which runs are compared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompareQuery {
    /// A run's id, whole; once for each run.
    #[serde(default)]
    run: Vec<String>,
    /// A run that searched: all its trials.
    children: Option<String>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Status {
    Scheduled,
    Running,
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
}

impl From<Status> for wasmlops_store::RunStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Scheduled => Self::Scheduled,
            Status::Running => Self::Running,
            Status::Waiting => Self::Waiting,
            Status::Succeeded => Self::Succeeded,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

/// The run of this id, which is given whole.
pub(super) async fn known(api: &Api, id: &str) -> Result<String, Failure> {
    match api.host.store.load_run(id).await? {
        Some(row) => Ok(row.id),
        None => Err(StoreError::RunNotFound(id.chars().take(64).collect()).into()),
    }
}

async fn list_runs(State(api): State<Arc<Api>>, Query(query): Query<RunsQuery>) -> Result<Response, Failure> {
    let time = |text: &Option<String>| text.as_deref().map(tracking::time).transpose();
    let filter = RunFilter {
        status: query.status.map(Into::into),
        from: time(&query.created_from)?,
        to: time(&query.created_before)?,
        limit: query.limit.0,
        cursor: query.cursor.map(|cursor| cursor.open(LIST)).transpose()?,
        pipeline: query.pipeline,
        origin: query.origin,
        parent: query.parent,
    };
    let page = runs::list(&api.host, &filter).await?;
    let next = page.next.map(|next| Cursor::seal(LIST, &next));
    Ok(answer(StatusCode::OK, &Page { items: page.runs, next }))
}

async fn compare_runs(
    State(api): State<Arc<Api>>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    // A key that comes several times is beyond what a struct can be read from.
    let mut query = CompareQuery::default();
    for (name, value) in pairs {
        match name.as_str() {
            "run" => query.run.push(value),
            "children" => query.children = Some(value),
            _ => {
                let message =
                    format!("the query cannot be taken: unknown field `{}`", name.chars().take(64).collect::<String>());
                let hint = "`/openapi.json` says which parameters the route has";
                return Err(Failure::bad_request("invalid-query", message).hint(hint));
            }
        }
    }
    let compared = Compared { runs: query.run, children: query.children };
    Ok(answer(StatusCode::OK, &runs::compare(&api.host, &compared).await?))
}

async fn get_run(State(api): State<Arc<Api>>, headers: HeaderMap, Path(id): Path<String>) -> Result<Response, Failure> {
    tagged(&headers, &runs::show(&api.host, &id).await?)
}

async fn get_run_graph(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    tagged(&headers, &runs::graph(&api.host, &id).await?)
}

async fn cancel_run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let run = match once.took_effect {
        true => runs::show(&api.host, &id).await?,
        false => runs::cancel(&api.host, &known(&api, &id).await?, &caller.actor).await?,
    };
    Ok(answer(StatusCode::OK, &run))
}

async fn resume_run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let run = match once.took_effect {
        true => runs::show(&api.host, &id).await?,
        false => runs::resume_later(&api.host, &known(&api, &id).await?, &caller.actor).await?,
    };
    made(StatusCode::ACCEPTED, &format!("/api/v1/runs/{}", run.run), &run)
}

async fn get_queue(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &runs::queue(&api.host).await?))
}
