//! Registered models: versions and what is known of them, tags and notes.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};
use wasmlops_core::config::{ModelRef, Selector};

use crate::access::Caller;
use crate::http::answers::tagged;
use crate::http::extract::{Json, Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::models::{self, Approval, ModelSummary, ModelView, Subject, VersionSummary, VersionView};

pub(super) fn routes() -> Vec<Route> {
    let (read, edit) = (may(Area::Models, Level::Read), may(Area::Models, Level::Edit));
    vec![
        Route::get("/api/v1/models", read, list_models)
            .named("list_models", "Registered models, by name")
            .query::<PageQuery>()
            .gives::<Page<ModelSummary>>("models"),
        Route::get("/api/v1/models/{name}", read, get_model)
            .named("get_model", "A model with its versions and aliases")
            .tagged()
            .gives::<ModelView>("the model"),
        Route::put("/api/v1/models/{name}/notes", edit, set_model_notes)
            .named("set_model_notes", "Replaces what people wrote about a model")
            .body::<Notes>()
            .gives::<ModelView>("the model"),
        Route::put("/api/v1/models/{name}/tags/{key}", edit, set_model_tag)
            .named("set_model_tag", "Sets a tag of a model")
            .body::<TagValue>()
            .gives::<ModelView>("the model"),
        Route::delete("/api/v1/models/{name}/tags/{key}", edit, remove_model_tag)
            .named("remove_model_tag", "Removes a tag of a model")
            .gives::<ModelView>("the model"),
        Route::get("/api/v1/models/{name}/versions", read, list_versions)
            .named("list_versions", "The versions of a model, the newest first")
            .query::<PageQuery>()
            .gives::<Page<VersionSummary>>("versions"),
        Route::get("/api/v1/models/{name}/versions/{version}", read, get_version)
            .named("get_version", "A version with its content and all that is known of it")
            .tagged()
            .gives::<VersionView>("the version"),
        Route::get("/api/v1/models/{name}/versions/{version}/card", read, get_version_card)
            .named("get_version_card", "The model card of a version, filled from recorded facts")
            .also_gives("text/markdown", "Markdown with a YAML head"),
        Route::put("/api/v1/models/{name}/versions/{version}/notes", edit, set_version_notes)
            .named("set_version_notes", "Replaces what people wrote about a version")
            .body::<Notes>()
            .gives::<VersionView>("the version"),
        Route::put("/api/v1/models/{name}/versions/{version}/tags/{key}", edit, set_version_tag)
            .named("set_version_tag", "Sets a tag of a version")
            .body::<TagValue>()
            .gives::<VersionView>("the version"),
        Route::delete("/api/v1/models/{name}/versions/{version}/tags/{key}", edit, remove_version_tag)
            .named("remove_version_tag", "Removes a tag of a version")
            .gives::<VersionView>("the version"),
        Route::put("/api/v1/models/{name}/versions/{version}/approval", edit, approve_version)
            .named("approve_version", "Says whether a version may get aliases")
            .body::<ApprovalRequest>()
            .gives::<VersionView>("the version"),
    ]
}

/// What people write.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Notes {
    /// Markdown.
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TagValue {
    value: String,
}

/// Whether a version may get aliases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalRequest {
    state: ApprovalState,
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ApprovalState {
    /// Somebody is to decide.
    Pending,
    Approved,
    Rejected,
}

async fn list_models(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let page = Page::of("models", models::list(&api.host).await?, &page, |model| model.model.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_model(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    tagged(&headers, &models::show(&api.host, &name).await?)
}

async fn list_versions(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Failure> {
    let versions = models::show(&api.host, &name).await?.versions;
    let page = Page::of("versions", versions, &page, |version| version.version.to_string())?;
    Ok(answer(StatusCode::OK, &page))
}

fn reference(name: String, version: u64) -> ModelRef {
    ModelRef { name, selector: Selector::Version(version) }
}

async fn get_version(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path((name, version)): Path<(String, u64)>,
) -> Result<Response, Failure> {
    tagged(&headers, &models::show_version(&api.host, &reference(name, version)).await?)
}

async fn get_version_card(
    State(api): State<Arc<Api>>,
    Path((name, version)): Path<(String, u64)>,
) -> Result<Response, Failure> {
    let version = models::required(&api.host, &reference(name, version)).await?;
    let mut response = Response::new(Body::from(models::card(&api.host, &version).await?));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"));
    Ok(response)
}

async fn show_model(api: &Api, name: &str) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &models::show(&api.host, name).await?))
}

async fn show_version(api: &Api, name: String, version: u64) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &models::show_version(&api.host, &reference(name, version)).await?))
}

async fn set_model_notes(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Json(notes): Json<Notes>,
) -> Result<Response, Failure> {
    models::annotate(&api.host, Subject::Model(name.clone()), &notes.text, &caller.actor).await?;
    show_model(&api, &name).await
}

async fn set_version_notes(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((name, version)): Path<(String, u64)>,
    Json(notes): Json<Notes>,
) -> Result<Response, Failure> {
    models::annotate(&api.host, Subject::Version(name.clone(), version), &notes.text, &caller.actor).await?;
    show_version(&api, name, version).await
}

async fn set_model_tag(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((name, key)): Path<(String, String)>,
    Json(tag): Json<TagValue>,
) -> Result<Response, Failure> {
    models::set_tag(&api.host, Subject::Model(name.clone()), &key, Some(&tag.value), &caller.actor).await?;
    show_model(&api, &name).await
}

async fn remove_model_tag(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((name, key)): Path<(String, String)>,
) -> Result<Response, Failure> {
    models::set_tag(&api.host, Subject::Model(name.clone()), &key, None, &caller.actor).await?;
    show_model(&api, &name).await
}

async fn set_version_tag(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((name, version, key)): Path<(String, u64, String)>,
    Json(tag): Json<TagValue>,
) -> Result<Response, Failure> {
    let subject = Subject::Version(name.clone(), version);
    models::set_tag(&api.host, subject, &key, Some(&tag.value), &caller.actor).await?;
    show_version(&api, name, version).await
}

async fn remove_version_tag(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((name, version, key)): Path<(String, u64, String)>,
) -> Result<Response, Failure> {
    models::set_tag(&api.host, Subject::Version(name.clone(), version), &key, None, &caller.actor).await?;
    show_version(&api, name, version).await
}

async fn approve_version(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((name, version)): Path<(String, u64)>,
    Json(decision): Json<ApprovalRequest>,
) -> Result<Response, Failure> {
    let state = match decision.state {
        ApprovalState::Pending => Approval::Pending,
        ApprovalState::Approved => Approval::Approved,
        ApprovalState::Rejected => Approval::Rejected,
    };
    models::approve(&api.host, &name, version, state, decision.reason, &caller.actor).await?;
    show_version(&api, name, version).await
}
