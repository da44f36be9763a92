//! Where things came from: runs, artifacts, predictions.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use wasmlops_core::access::{Area, Level};

use crate::http::extract::Path;
use crate::http::failure::Failure;
use crate::http::route::{Route, may};
use crate::http::{Api, answer, artifact_digest};
use crate::lineage::{self, LineageView, PredictionView};

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Lineage, Level::Read);
    vec![
        Route::get("/api/v1/artifacts/{digest}/lineage", read, get_artifact_lineage)
            .named("get_artifact_lineage", "What an artifact was made from, and what was made from it")
            .gives::<LineageView>("steps and artifacts, nearest first"),
        Route::get("/api/v1/runs/{id}/lineage", read, get_run_lineage)
            .named("get_run_lineage", "What the steps of a run used and made")
            .gives::<LineageView>("all edges of the run"),
        Route::get("/api/v1/predictions/{id}", read, get_prediction)
            .named("get_prediction", "A prediction and all that is behind it")
            .gives::<PredictionView>("the prediction"),
    ]
}

async fn get_artifact_lineage(State(api): State<Arc<Api>>, Path(digest): Path<String>) -> Result<Response, Failure> {
    let digest = artifact_digest(&digest)?;
    Ok(answer(StatusCode::OK, &lineage::lineage(&api.host, &digest.to_string()).await?))
}

async fn get_run_lineage(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = super::runs::known(&api, &id).await?;
    Ok(answer(StatusCode::OK, &lineage::lineage(&api.host, &id).await?))
}

async fn get_prediction(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, Failure> {
    let unknown = || {
        let id: String = id.chars().take(128).collect();
        Failure::not_found("unknown-prediction", format!("there is no prediction `{id}`"))
    };
    Ok(answer(StatusCode::OK, &lineage::prediction(&api.host, &id).await?.ok_or_else(unknown)?))
}
