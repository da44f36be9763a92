//! Monitors: what they watch, what they saw, and letting one look now.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::access::{Area, Level};

use crate::http::extract::{Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Limit, Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::monitoring::view::{self, MonitorView, WindowView};
use crate::monitoring::{configured, judge_if_due};

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Monitors, Level::Read);
    vec![
        Route::get("/api/v1/monitors", read, list_monitors)
            .named("list_monitors", "The project's monitors, each with its newest window")
            .query::<PageQuery>()
            .gives::<Page<MonitorView>>("monitors"),
        Route::get("/api/v1/monitors/{name}", read, get_monitor)
            .named("get_monitor", "A monitor with its newest windows")
            .gives::<MonitorView>("the monitor"),
        Route::get("/api/v1/monitors/{name}/windows", read, list_windows)
            .named("list_windows", "The newest windows of a monitor, the newest first")
            .query::<WindowsQuery>()
            .gives::<Page<WindowView>>("windows"),
        Route::post("/api/v1/monitors/{name}/run", may(Area::Monitors, Level::Operate), run_monitor)
            .named("run_monitor", "Judges the window that is full, if there is one")
            .gives::<JudgedView>("what was found; the actions follow"),
    ]
}

/// How many windows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WindowsQuery {
    #[serde(default)]
    limit: Limit,
}

/// What a look came to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct JudgedView {
    monitor: String,
    /// Absent: no window is full yet.
    window: Option<WindowView>,
}

/// Windows that a monitor is shown with.
const SHOWN: u32 = 10;

async fn list_monitors(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let all = view::list(&api.host).await?;
    Ok(answer(StatusCode::OK, &Page::of("monitors", all, &page, |monitor| monitor.monitor.clone())?))
}

async fn get_monitor(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let monitor = configured(&api.host, &name)?;
    Ok(answer(StatusCode::OK, &view::show(&api.host, monitor, SHOWN).await?))
}

async fn list_windows(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(query): Query<WindowsQuery>,
) -> Result<Response, Failure> {
    let monitor = configured(&api.host, &name)?;
    let windows = view::show(&api.host, monitor, query.limit.0).await?.windows;
    Ok(answer(StatusCode::OK, &Page::whole(windows)))
}

/// A window is judged once, whoever asks how often.
async fn run_monitor(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let window = match judge_if_due(&api.host, configured(&api.host, &name)?).await? {
        Some(row) => {
            let actions = api.host.store.actions_of_window(&name, row.seq).await?;
            Some(view::window(row, actions)?)
        }
        None => None,
    };
    Ok(answer(StatusCode::OK, &JudgedView { monitor: name, window }))
}
