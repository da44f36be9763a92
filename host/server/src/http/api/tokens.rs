//! Tokens: who has been given access, and who gives it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::access::{Area, Level, Rights, Role, Scope};
use wasmlops_core::run::Micros;

use crate::access::Caller;
use crate::access::tokens::{self, CreatedTokenView, NewToken, TokenView};
use crate::clock::parse_rfc3339;
use crate::http::extract::{Json, Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};

pub(super) fn routes() -> Vec<Route> {
    let administer = may(Area::Access, Level::Administer);
    vec![
        Route::get("/api/v1/tokens", administer, list_tokens)
            .named("list_tokens", "Tokens, the newest first; those that are good no more as well")
            .query::<PageQuery>()
            .gives::<Page<TokenView>>("tokens, without their texts, which are kept nowhere"),
        Route::post("/api/v1/tokens", administer, create_token)
            .named("create_token", "Gives access: no more than the caller holds")
            .confidential()
            .body::<CreateToken>()
            .answers::<CreatedTokenView>(StatusCode::CREATED, "the token, shown this once")
            .fails(StatusCode::CONFLICT, "a good token has the name"),
        Route::delete("/api/v1/tokens/{id}", administer, revoke_token)
            .named("revoke_token", "Takes a token back")
            .gives::<TokenView>("the token as it is now")
            .fails(StatusCode::CONFLICT, "nobody could give access any more"),
    ]
}

/// Whom to give what.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateToken {
    /// Letters, digits, `-`, `_`, `.` and `@`; one good token has it at a time.
    name: String,
    #[schemars(with = "String", extend("enum" = ["viewer", "operator", "editor", "admin"]))]
    role: Role,
    /// Areas, such as `runs` or `runs:read`; without any, every area.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    scopes: Vec<Scope>,
    /// When it runs out, in RFC 3339; without it and `expires_in` it is good until it is revoked.
    expires: Option<String>,
    /// How long it is good, such as `30d`.
    expires_in: Option<String>,
}

async fn list_tokens(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let all = tokens::list(&api.host).await?;
    let page = Page::of("tokens", all, &page, |token| token.id.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn create_token(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Json(asked): Json<CreateToken>,
) -> Result<Response, Failure> {
    let expires = expiry(&api, asked.expires.as_deref(), asked.expires_in.as_deref())?;
    let new = NewToken { name: asked.name, rights: Rights { role: asked.role, scopes: asked.scopes }, expires };
    let created = tokens::create(&api.host, new, &caller.rights, &caller.actor).await?;
    api.host.store.barrier().await?;
    Ok(answer(StatusCode::CREATED, &created))
}

fn expiry(api: &Api, at: Option<&str>, after: Option<&str>) -> Result<Option<Micros>, Failure> {
    let wrong = |message: String| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-token", message);
    match (at, after) {
        (None, None) => Ok(None),
        (None, Some(text)) => Ok(Some(tokens::expiry(&api.host, text)?)),
        (Some(text), None) => match parse_rfc3339(text) {
            Some(time) => Ok(Some(time)),
            None => {
                let text: String = text.chars().take(100).collect();
                Err(wrong(format!("`{text}` is no time")).hint("write it as in `2030-01-31T12:00:00Z`"))
            }
        },
        (Some(_), Some(_)) => {
            Err(wrong("both `expires` and `expires_in` are given".to_owned()).hint("give one of them"))
        }
    }
}

async fn revoke_token(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let revoked = tokens::revoke(&api.host, &id, false, &caller.actor).await?;
    api.host.store.barrier().await?;
    Ok(answer(StatusCode::OK, &revoked))
}
