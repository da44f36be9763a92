//! Pipelines: which there are, what they take, what a run would do, and asking for one.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use wasmlops_core::access::{Area, Level};

use crate::access::Caller;
use crate::http::answers::made;
use crate::http::extract::{MaybeJson, Path, Query};
use crate::http::failure::Failure;
use crate::http::idempotency::Once;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::pipelines::{self, PipelineSummary, PipelineView};
use crate::runs::{self, Submission};
use crate::telemetry::TraceParent;
use crate::tracking;
use crate::view::{PlanView, RunView};

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Pipelines, Level::Read);
    vec![
        Route::get("/api/v1/pipelines", read, list_pipelines)
            .named("list_pipelines", "The project's pipelines, by name")
            .query::<PageQuery>()
            .gives::<Page<PipelineSummary>>("pipelines"),
        Route::get("/api/v1/pipelines/{name}", read, get_pipeline)
            .named("get_pipeline", "A pipeline with a schema of its parameters")
            .gives::<PipelineView>("the pipeline")
            .fails(StatusCode::UNPROCESSABLE_ENTITY, "its file has mistakes"),
        Route::post("/api/v1/pipelines/{name}/plan", read, plan_pipeline)
            .named("plan_pipeline", "What a run would do, and why, before anything runs")
            .unkeyed()
            .optional_body::<PlanRequest>()
            .gives::<PlanView>("the plan"),
        Route::post("/api/v1/pipelines/{name}/runs", may(Area::Runs, Level::Operate), create_run)
            .named("create_run", "Lets a pipeline run; answered once the wish cannot be lost")
            .header("traceparent", "The W3C trace context that the run belongs to.")
            .optional_body::<NewRunRequest>()
            .answers::<RunView>(StatusCode::ACCEPTED, "the run, which waits for its turn")
            .located()
            .fails(StatusCode::CONFLICT, "the lock does not fit the pipeline"),
    ]
}

/// Parameters to plan with.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanRequest {
    /// By name; see the pipeline's own schema.
    #[serde(default)]
    params: Map<String, Value>,
    #[serde(default)]
    seed: u64,
}

/// What is to run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRunRequest {
    /// By name; see the pipeline's own schema.
    #[serde(default)]
    params: Map<String, Value>,
    #[serde(default)]
    seed: u64,
    /// What guests' clocks say, RFC 3339; the time of the request where absent.
    nominal_time: Option<String>,
    /// Whether results of earlier runs are taken where nothing changed.
    #[serde(default = "yes")]
    use_cache: bool,
    /// Higher ones run first.
    #[serde(default)]
    #[schemars(range(min = -100, max = 100))]
    priority: i32,
}

impl Default for NewRunRequest {
    fn default() -> Self {
        Self { params: Map::new(), seed: 0, nominal_time: None, use_cache: true, priority: 0 }
    }
}

fn yes() -> bool {
    true
}

async fn list_pipelines(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let all = pipelines::list(&api.host).await?;
    let page = Page::of("pipelines", all, &page, |pipeline| pipeline.pipeline.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_pipeline(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &pipelines::show(&api.host, &name).await?))
}

async fn plan_pipeline(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    MaybeJson(wish): MaybeJson<PlanRequest>,
) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &pipelines::plan(&api.host, &name, wish.params, wish.seed).await?))
}

async fn create_run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    headers: HeaderMap,
    Path(name): Path<String>,
    MaybeJson(wish): MaybeJson<NewRunRequest>,
) -> Result<Response, Failure> {
    let trace = TraceParent::for_request(&headers).map(|trace| trace.to_string());
    let submission = Submission {
        id: Some(once.id),
        pipeline: name,
        params: wish.params,
        seed: wish.seed,
        nominal_time: wish.nominal_time.as_deref().map(tracking::time).transpose()?,
        use_cache: wish.use_cache,
        priority: wish.priority,
        origin: "api".to_owned(),
        parent: None,
        trace,
    };
    let run = runs::submit(&api.host, submission, &caller.actor).await?;
    made(StatusCode::ACCEPTED, &format!("/api/v1/runs/{}", run.run), &run)
}
