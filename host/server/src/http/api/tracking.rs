//! Experiments, and the metrics, params and tags of runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};

use crate::access::Caller;
use crate::http::answers::made;
use crate::http::extract::{Json, Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Cursor, Limit, Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::tracking::{self, ExperimentView, NewMetrics, Pairs, PairsView, PointView, RecordedView};

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (may(Area::Tracking, Level::Read), may(Area::Tracking, Level::Operate));
    vec![
        Route::get("/api/v1/experiments", read, list_experiments)
            .named("list_experiments", "What runs are grouped by, the oldest first")
            .query::<PageQuery>()
            .gives::<Page<ExperimentView>>("experiments"),
        Route::post("/api/v1/experiments", write, create_experiment)
            .named("create_experiment", "The experiment of a name, made where there is none")
            .body::<NewExperiment>()
            .answers::<ExperimentView>(StatusCode::CREATED, "the experiment")
            .located(),
        Route::get("/api/v1/runs/{id}/metrics", read, list_metrics)
            .named("list_metrics", "The latest point of each metric of a run, or all points of one")
            .query::<MetricsQuery>()
            .gives::<Page<PointView>>("points"),
        Route::post("/api/v1/runs/{id}/metrics", write, record_metrics)
            .named("record_metrics", "Adds up to 1,000 points to a run, all or none")
            .body::<NewMetrics>()
            .gives::<RecordedView>("how many were recorded"),
        Route::get("/api/v1/runs/{id}/params", read, get_params)
            .named("get_params", "The params of a run")
            .gives::<PairsView>("params"),
        Route::post("/api/v1/runs/{id}/params", write, set_params)
            .named("set_params", "Adds params to a run; one that is there keeps its value")
            .body::<NewPairs>()
            .gives::<PairsView>("all params")
            .fails(StatusCode::CONFLICT, "a param has another value"),
        Route::get("/api/v1/runs/{id}/tags", read, get_tags)
            .named("get_tags", "The tags of a run")
            .gives::<PairsView>("tags"),
        Route::post("/api/v1/runs/{id}/tags", write, set_tags)
            .named("set_tags", "Sets tags of a run, and replaces those that are there")
            .body::<NewPairs>()
            .gives::<PairsView>("all tags"),
    ]
}

/// A name for a group of runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewExperiment {
    #[schemars(length(min = 1, max = 500))]
    name: String,
}

/// Which points.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MetricsQuery {
    /// All points of this metric, instead of the latest of each.
    key: Option<String>,
    /// With `key`: the pipeline's step that the metric belongs to; without it, the run as a whole.
    step: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// Texts by name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPairs {
    values: BTreeMap<String, String>,
}

async fn list_experiments(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let all = tracking::experiments(&api.host).await?;
    let page = Page::of("experiments", all, &page, |experiment| experiment.experiment.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn create_experiment(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Json(new): Json<NewExperiment>,
) -> Result<Response, Failure> {
    let experiment = tracking::ensure_experiment(&api.host, &new.name, &caller.actor).await?;
    made(StatusCode::CREATED, "/api/v1/experiments", &experiment)
}

async fn list_metrics(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    Query(query): Query<MetricsQuery>,
) -> Result<Response, Failure> {
    let (host, page) = (&api.host, PageQuery { limit: query.limit, cursor: query.cursor });
    let points = match &query.key {
        Some(key) => tracking::history(host, &id, query.step.as_deref().unwrap_or_default(), key).await?,
        None => tracking::metrics(host, &id).await?,
    };
    let numbered = points.into_iter().enumerate().collect();
    let page = Page::of("metrics", numbered, &page, |(number, _)| number.to_string())?;
    Ok(answer(StatusCode::OK, &page.map(|(_, point)| point)))
}

async fn record_metrics(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    Json(new): Json<NewMetrics>,
) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &tracking::record_metrics(&api.host, &id, new).await?))
}

async fn get_params(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &tracking::pairs(&api.host, &id, Pairs::Params).await?))
}

async fn get_tags(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &tracking::pairs(&api.host, &id, Pairs::Tags).await?))
}

async fn set_params(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(new): Json<NewPairs>,
) -> Result<Response, Failure> {
    let set = tracking::set_pairs(&api.host, &id, Pairs::Params, new.values, &caller.actor).await?;
    Ok(answer(StatusCode::OK, &set))
}

async fn set_tags(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(new): Json<NewPairs>,
) -> Result<Response, Failure> {
    let set = tracking::set_pairs(&api.host, &id, Pairs::Tags, new.values, &caller.actor).await?;
    Ok(answer(StatusCode::OK, &set))
}
