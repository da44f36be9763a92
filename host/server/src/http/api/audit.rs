//! The audit: who did what when, and whether it is as it was written.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};

use crate::audit::{self, AuditView, Noted, Verification};
use crate::http::extract::Query;
use crate::http::failure::Failure;
use crate::http::page::{Cursor, Page, PageQuery, bad_cursor};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};

/// The list whose cursors these are.
const LIST: &str = "audit";

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Audit, Level::Administer);
    vec![
        Route::get("/api/v1/audit", read, list_audit)
            .named("list_audit", "What was done, oldest first")
            .query::<PageQuery>()
            .gives::<Page<AuditView>>("records"),
        Route::get("/api/v1/audit/verification", read, verify_audit)
            .named("verify_audit", "Whether all records are as they were written")
            .query::<VerifyQuery>()
            .gives::<Verification>("what was found"),
    ]
}

/// What was noted elsewhere, earlier.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerifyQuery {
    /// The hash of the last record then.
    head: Option<String>,
    /// How many records there were then.
    records: Option<i64>,
}

async fn list_audit(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let after = match &page.cursor {
        Some(cursor) => cursor.open(LIST)?.parse::<i64>().map_err(|_| bad_cursor())?,
        None => 0,
    };
    let limit = page.limit.0 as usize;
    let mut items = audit::records(&api.host, after, limit as i64 + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| Cursor::seal(LIST, &last.seq.to_string()));
    Ok(answer(StatusCode::OK, &Page { items, next }))
}

async fn verify_audit(State(api): State<Arc<Api>>, Query(query): Query<VerifyQuery>) -> Result<Response, Failure> {
    let noted = Noted { head: query.head, records: query.records };
    Ok(answer(StatusCode::OK, &audit::verify(&api.host, &noted).await?))
}
