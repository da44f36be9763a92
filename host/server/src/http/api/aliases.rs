//! Aliases of models: what they name, what they named when, and moving them.
//!
//! A move can say what the alias must name for it to happen, by `If-Match` (412 where it does not) or by `expected` in
//! the body (409): so that of two who move an alias at the same time one is told.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use wasmlops_core::access::{Area, Level};

use crate::access::Caller;
use crate::error::Error;
use crate::http::answers::unchanged;
use crate::http::extract::{Json, MaybeJson, Path, Query};
use crate::http::failure::Failure;
use crate::http::idempotency::Once;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::models::{self, AliasMoveRequest, AliasTarget, Expected, MoveView};

pub(super) fn routes() -> Vec<Route> {
    let (read, edit) = (may(Area::Models, Level::Read), may(Area::Models, Level::Edit));
    let if_match = "The entity tag of the alias: the version that it must name for the move to happen.";
    vec![
        Route::get("/api/v1/models/{name}/aliases", read, list_aliases)
            .named("list_aliases", "The aliases of a model, by name")
            .query::<PageQuery>()
            .gives::<Page<AliasView>>("aliases"),
        Route::get("/api/v1/models/{name}/aliases/{alias}", read, get_alias)
            .named("get_alias", "What an alias names")
            .tagged()
            .gives::<AliasView>("the alias"),
        Route::put("/api/v1/models/{name}/aliases/{alias}", edit, move_alias)
            .named("move_alias", "Lets an alias name another version, or none")
            .header("if-match", if_match)
            .body::<MoveRequest>()
            .gives::<MovedView>("the move")
            .fails(
                StatusCode::CONFLICT,
                "it names another version than expected, or there is no evidence for the new one",
            )
            .fails(StatusCode::PRECONDITION_FAILED, "it names another version than `If-Match` says"),
        Route::get("/api/v1/models/{name}/aliases/{alias}/history", read, get_alias_history)
            .named("get_alias_history", "What an alias named when, who moved it, and on which evidence: oldest first")
            .query::<PageQuery>()
            .gives::<Page<MoveView>>("moves"),
        Route::post("/api/v1/models/{name}/aliases/{alias}/rollback", edit, roll_back_alias)
            .named("roll_back_alias", "Lets an alias name the version that it named before")
            .header("if-match", if_match)
            .optional_body::<RollbackRequest>()
            .gives::<MovedView>("the move")
            .fails(StatusCode::CONFLICT, "it named no other version before")
            .fails(StatusCode::PRECONDITION_FAILED, "it names another version than `If-Match` says"),
    ]
}

/// What an alias names.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct AliasView {
    model: String,
    alias: String,
    version: u64,
}

/// Where an alias is to lead.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoveRequest {
    /// Null: to no version.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(required)]
    version: Option<u64>,
    /// What it must name for the move to happen; null: nothing. Absent: whatever it names.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u64>")]
    expected: Option<Option<u64>>,
    reason: Option<String>,
    /// Moves without evidence or approval; needs a reason, and is recorded.
    #[serde(default)]
    force: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RollbackRequest {
    reason: Option<String>,
}

/// What a move came to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct MovedView {
    /// Whether it named something else before.
    changed: bool,
    #[serde(rename = "move")]
    made: MoveView,
}

/// Tells null from nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

async fn list_aliases(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Failure> {
    let aliases = models::show(&api.host, &name).await?.aliases.into_iter();
    let views = aliases.map(|(alias, version)| AliasView { model: name.clone(), alias, version }).collect();
    let page = Page::of("aliases", views, &page, |view: &AliasView| view.alias.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_alias(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path((name, alias)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let model = models::show(&api.host, &name).await?;
    let unknown = || {
        let alias: String = alias.chars().take(100).collect();
        Failure::not_found("unknown-alias", format!("model `{name}` has no alias `{alias}`"))
    };
    let version = *model.aliases.get(&alias).ok_or_else(unknown)?;
    let tag = format!("\"{version}\"");
    if let Some(unchanged) = unchanged(&headers, &tag) {
        return Ok(unchanged);
    }
    let mut response = answer(StatusCode::OK, &AliasView { model: name, alias, version });
    response.headers_mut().insert(ETAG, HeaderValue::from_str(&tag).map_err(Failure::internal)?);
    Ok(response)
}

async fn get_alias_history(
    State(api): State<Arc<Api>>,
    Path((name, alias)): Path<(String, String)>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Failure> {
    let moves = models::alias_history(&api.host, &name, Some(&alias)).await?;
    let page = Page::of("alias-history", moves, &page, |made| made.seq.to_string())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn move_alias(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    headers: HeaderMap,
    Path((name, alias)): Path<(String, String)>,
    Json(wish): Json<MoveRequest>,
) -> Result<Response, Failure> {
    let request = AliasMoveRequest {
        name,
        alias,
        to: wish.version.map_or(AliasTarget::Nothing, AliasTarget::Version),
        expected: wish.expected.map_or(Expected::Any, Expected::Is),
        reason: wish.reason,
        forced: wish.force,
        actor: caller.actor,
    };
    make(&api, once, &headers, request).await
}

async fn roll_back_alias(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    headers: HeaderMap,
    Path((name, alias)): Path<(String, String)>,
    MaybeJson(wish): MaybeJson<RollbackRequest>,
) -> Result<Response, Failure> {
    let request = AliasMoveRequest {
        name,
        alias,
        to: AliasTarget::Before,
        expected: Expected::Any,
        reason: wish.reason,
        forced: false,
        actor: caller.actor,
    };
    make(&api, once, &headers, request).await
}

async fn make(api: &Api, once: Once, headers: &HeaderMap, mut request: AliasMoveRequest) -> Result<Response, Failure> {
    if once.took_effect {
        // The move is made, and its answer was lost: it is the caller's last one.
        let moves = models::alias_history(&api.host, &request.name, Some(&request.alias)).await?;
        let made = moves.into_iter().rev().find(|made| made.by == request.actor);
        let made = made.ok_or_else(|| Failure::internal("a move that was made is not there (this is a bug)"))?;
        return Ok(answer(StatusCode::OK, &MovedView { changed: true, made }));
    }
    let matched = if_match(headers)?;
    if let Some(version) = matched {
        if request.expected != Expected::Any && request.expected != Expected::Is(version) {
            let message = "`If-Match` and `expected` name different versions";
            return Err(
                Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "contradiction", message).hint("give one of them")
            );
        }
        request.expected = Expected::Is(version);
    }
    let moved = models::move_alias(&api.host, request).await.map_err(|error| refusal(error, matched.is_some()))?;
    let view = MovedView { changed: moved.changed, made: MoveView::new(&moved.last) };
    Ok(answer(StatusCode::OK, &view))
}

/// The version of `If-Match`, which is the alias' entity tag; `*` is any.
fn if_match(headers: &HeaderMap) -> Result<Option<Option<u64>>, Failure> {
    let Some(given) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = given.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    match version {
        Some(version) => Ok(Some(Some(version))),
        None => Err(Failure::new(StatusCode::PRECONDITION_FAILED, "alias-moved", "`If-Match` is no tag of this alias")
            .hint("give the `ETag` that the alias was read with")),
    }
}

/// Whoever gave `If-Match` is told so by the status that belongs to it.
fn refusal(error: Error, matched: bool) -> Failure {
    let failure = Failure::from(error);
    match matched && failure.code == "alias-moved" {
        true => Failure { status: StatusCode::PRECONDITION_FAILED, ..failure },
        false => failure,
    }
}
