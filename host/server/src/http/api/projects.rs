//! The projects that the caller sees here.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::access::{Area, Level};

use crate::access::Caller;
use crate::http::extract::{Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};

/// A project as its callers see it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct ProjectView {
    project: String,
    /// Who the caller is here.
    caller: String,
    /// What the caller may here: `viewer`, `operator`, `editor` or `admin`.
    role: String,
    /// The areas that the role is narrowed to; none is all.
    scopes: Vec<String>,
    pipelines: usize,
    endpoints: usize,
    monitors: usize,
}

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Operations, Level::Read);
    vec![
        Route::get("/api/v1/projects", read, list_projects)
            .named("list_projects", "The project that the request is about")
            .query::<PageQuery>()
            .gives::<Page<ProjectView>>("projects"),
        Route::get("/api/v1/projects/{name}", read, get_project)
            .named("get_project", "A project, and what the caller may in it")
            .gives::<ProjectView>("the project"),
    ]
}

fn view(api: &Api, caller: &Caller) -> ProjectView {
    let project = &api.host.project;
    ProjectView {
        project: project.name.clone(),
        caller: caller.actor.clone(),
        role: caller.rights.role.to_string(),
        scopes: caller.rights.scopes.iter().map(ToString::to_string).collect(),
        pipelines: project.pipeline_names().len(),
        endpoints: project.endpoints.len(),
        monitors: project.monitors.len(),
    }
}

async fn list_projects(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Failure> {
    let page = Page::of("projects", vec![view(&api, &caller)], &page, |view| view.project.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_project(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    if name != api.host.project.name {
        return Err(Failure::not_found("unknown-project", "there is no such project here")
            .hint("`GET /api/v1/projects?project=NAME` asks about another one"));
    }
    Ok(answer(StatusCode::OK, &view(&api, &caller)))
}
