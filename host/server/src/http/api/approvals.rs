//! Approvals: what runs ask of people, and their answers.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};

use crate::access::Caller;
use crate::approvals::{self, ApprovalDetail, ApprovalQuery, ApprovalView, Decider, Decision, GoesOn};
use crate::http::extract::{Json, Path, Query};
use crate::http::failure::Failure;
use crate::http::idempotency::Once;
use crate::http::page::{Cursor, Limit, Page};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};

/// The list whose cursors these are.
const LIST: &str = "approvals";

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Approvals, Level::Read);
    vec![
        Route::get("/api/v1/approvals", read, list_approvals)
            .named("list_approvals", "What waits for a decision, the newest first")
            .query::<ApprovalsQuery>()
            .gives::<Page<ApprovalView>>("approvals"),
        Route::get("/api/v1/runs/{id}/approvals/{step}", read, get_approval)
            .named("get_approval", "What a step asks, with all that there is to look at before deciding")
            .gives::<ApprovalDetail>("the approval"),
        // Each approval says which role it needs beyond this.
        Route::post("/api/v1/runs/{id}/approvals/{step}", may(Area::Approvals, Level::Operate), decide_approval)
            .named("decide_approval", "Approves or rejects what a step asks")
            .body::<Decision>()
            .gives::<ApprovalView>("the approval")
            .fails(StatusCode::CONFLICT, "it is decided already, too late, or asked again since"),
    ]
}

/// Which approvals.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalsQuery {
    /// Also those that are decided.
    #[serde(default)]
    all: bool,
    /// Of this run alone.
    run: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

async fn list_approvals(State(api): State<Arc<Api>>, Query(query): Query<ApprovalsQuery>) -> Result<Response, Failure> {
    let cursor = query.cursor.map(|cursor| cursor.open(LIST)).transpose()?;
    let query = ApprovalQuery { all: query.all, run: query.run, limit: query.limit.0, cursor };
    let page = approvals::list(&api.host, query).await?;
    let next = page.next.map(|next| Cursor::seal(LIST, &next));
    Ok(answer(StatusCode::OK, &Page { items: page.approvals, next }))
}

async fn get_approval(
    State(api): State<Arc<Api>>,
    Path((run, step)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let run = super::runs::known(&api, &run).await?;
    Ok(answer(StatusCode::OK, &approvals::show(&api.host, &run, &step).await?))
}

async fn decide_approval(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path((run, step)): Path<(String, String)>,
    Json(decision): Json<Decision>,
) -> Result<Response, Failure> {
    let run = super::runs::known(&api, &run).await?;
    if once.took_effect {
        let shown = approvals::show(&api.host, &run, &step).await?;
        return Ok(answer(StatusCode::OK, &shown.approval));
    }
    let by = Decider { actor: &caller.actor, rights: &caller.rights, goes_on: GoesOn::Server };
    Ok(answer(StatusCode::OK, &approvals::decide(&api.host, &run, &step, decision, by).await?))
}
