//! What the project keeps, and letting go of what its retention does not ask for.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use wasmlops_core::access::{Area, Level};

use crate::access::Caller;
use crate::gc::{self, GcView};
use crate::http::failure::Failure;
use crate::http::route::{Route, may};
use crate::http::{Api, answer};

pub(super) fn routes() -> Vec<Route> {
    let all = may(Area::Storage, Level::Administer);
    vec![
        Route::get("/api/v1/gc", all, preview_gc)
            .named("preview_gc", "What would go now, and why; nothing is removed")
            .gives::<GcView>("things by kind"),
        Route::post("/api/v1/gc", all, collect_garbage)
            .named("collect_garbage", "Removes what the project's retention does not ask for")
            .gives::<GcView>("what went"),
    ]
}

async fn preview_gc(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &gc::preview(&api.host).await?))
}

/// A second pass finds what the first left, so that a repetition does no harm.
async fn collect_garbage(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &gc::collect(&api.host, &caller.actor).await?))
}
