//! Registered models for clients of this server's own API.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::failure::Failure;
use super::{Api, answer};
use crate::models;

pub(super) async fn list_models(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &json!({ "models": models::list(&api.host).await? })))
}

pub(super) async fn get_model(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &models::show(&api.host, &name).await?))
}

/// What the alias named when, who moved it, and on which evidence: oldest first.
pub(super) async fn get_alias_history(
    State(api): State<Arc<Api>>,
    Path((name, alias)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let history = models::alias_history(&api.host, &name, Some(&alias)).await?;
    Ok(answer(StatusCode::OK, &json!({ "model": name, "alias": alias, "history": history })))
}
