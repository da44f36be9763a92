//! Schedules: when runs are started by themselves, holding them, and making up for times that have passed.

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
use crate::http::idempotency::Once;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::schedules::control::{self, BackfillRequest};
use crate::schedules::view::{self, BackfillView, ScheduleView};
use crate::view::RunView;

pub(super) fn routes() -> Vec<Route> {
    let (read, edit) = (may(Area::Schedules, Level::Read), may(Area::Schedules, Level::Edit));
    vec![
        Route::get("/api/v1/schedules", read, list_schedules)
            .named("list_schedules", "The project's schedules, each with its next time")
            .query::<PageQuery>()
            .gives::<Page<ScheduleView>>("schedules"),
        Route::get("/api/v1/schedules/{name}", read, get_schedule)
            .named("get_schedule", "A schedule with its times and backfills")
            .gives::<ScheduleView>("the schedule"),
        Route::post("/api/v1/schedules/{name}/pause", edit, pause_schedule)
            .named("pause_schedule", "Holds a schedule; times that pass meanwhile are not made up for")
            .gives::<ScheduleView>("the schedule"),
        Route::post("/api/v1/schedules/{name}/resume", edit, resume_schedule)
            .named("resume_schedule", "Lets a schedule go on from now")
            .gives::<ScheduleView>("the schedule"),
        Route::post("/api/v1/schedules/{name}/trigger", may(Area::Runs, Level::Operate), trigger_schedule)
            .named("trigger_schedule", "Starts a run of the schedule now")
            .answers::<RunView>(StatusCode::ACCEPTED, "the run, which waits for its turn")
            .located(),
        Route::post("/api/v1/schedules/{name}/backfills", edit, create_backfill)
            .named("create_backfill", "Gives each nominal time in a range a run, where it has none")
            .body::<NewBackfill>()
            .answers::<BackfillView>(StatusCode::ACCEPTED, "the backfill, which goes on by itself")
            .located(),
        Route::get("/api/v1/backfills/{id}", read, get_backfill)
            .named("get_backfill", "How far a backfill is")
            .gives::<BackfillView>("the backfill"),
        Route::post("/api/v1/backfills/{id}/cancel", edit, cancel_backfill)
            .named("cancel_backfill", "Lets a backfill start no more runs")
            .gives::<BackfillView>("the backfill"),
    ]
}

/// What is to be made up for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewBackfill {
    /// From this nominal time on, RFC 3339 or a day such as `2026-03-01`, which begins in the schedule's zone.
    from: String,
    /// Before this one.
    to: String,
    /// Runs at once.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    parallelism: u32,
}

fn one() -> u32 {
    1
}

async fn list_schedules(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let all = view::list(&api.host).await?;
    Ok(answer(StatusCode::OK, &Page::of("schedules", all, &page, |schedule| schedule.schedule.clone())?))
}

async fn get_schedule(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &view::show(&api.host, &name).await?))
}

async fn pause_schedule(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &control::pause(&api.host, &name, &caller.actor).await?))
}

async fn resume_schedule(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &control::resume(&api.host, &name, &caller.actor).await?))
}

async fn trigger_schedule(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    once.refuse_repetition("`GET /api/v1/runs?origin=schedule:NAME` lists what it started")?;
    let run = control::trigger(&api.host, &name, &caller.actor).await?;
    made(StatusCode::ACCEPTED, &format!("/api/v1/runs/{}", run.run), &run)
}

async fn create_backfill(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(name): Path<String>,
    Json(new): Json<NewBackfill>,
) -> Result<Response, Failure> {
    once.refuse_repetition("`GET /api/v1/schedules/NAME` lists its backfills")?;
    let request = BackfillRequest { schedule: name, from: new.from, to: new.to, parallelism: new.parallelism };
    let backfill = control::backfill(&api.host, &request, &caller.actor).await?;
    made(StatusCode::ACCEPTED, &format!("/api/v1/backfills/{}", backfill.backfill), &backfill)
}

async fn get_backfill(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &view::backfill(&api.host, &id).await?))
}

async fn cancel_backfill(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &control::cancel_backfill(&api.host, &id, &caller.actor).await?))
}
