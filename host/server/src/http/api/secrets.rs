//! Secrets: their names, setting them and forgetting them. No answer holds a value.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};
use zeroize::Zeroizing;

use crate::access::Caller;
use crate::http::extract::{Json, Path, Query};
use crate::http::failure::Failure;
use crate::http::idempotency::Once;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::secrets::{self, SecretView};

pub(super) fn routes() -> Vec<Route> {
    let all = may(Area::Secrets, Level::Administer);
    vec![
        Route::get("/api/v1/secrets", all, list_secrets)
            .named("list_secrets", "The names of all secrets")
            .query::<PageQuery>()
            .gives::<Page<SecretView>>("names, and who set them when"),
        // No key: it would keep a hash of the value. The same again changes nothing but the time.
        Route::put("/api/v1/secrets/{name}", all, set_secret)
            .named("set_secret", "Keeps a value under a name, encrypted; it is never given back")
            .unkeyed()
            .body::<SecretValue>()
            .gives::<SecretView>("the name, and who set it when"),
        Route::delete("/api/v1/secrets/{name}", all, remove_secret)
            .named("remove_secret", "Forgets a secret")
            .answers_nothing(StatusCode::NO_CONTENT, "it is forgotten"),
    ]
}

/// What is to be kept. Never printed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecretValue {
    #[schemars(length(min = 1, max = 65536))]
    value: String,
}

async fn list_secrets(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let all = secrets::list(&api.host).await?;
    Ok(answer(StatusCode::OK, &Page::of("secrets", all, &page, |secret| secret.name.clone())?))
}

async fn set_secret(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Json(given): Json<SecretValue>,
) -> Result<Response, Failure> {
    let value = Zeroizing::new(given.value.into_bytes());
    secrets::set(&api.host, &name, value, &caller.actor).await?;
    api.host.store.barrier().await?;
    let known = secrets::list(&api.host).await?.into_iter().find(|secret| secret.name == name);
    let known = known.ok_or_else(|| Failure::not_found("unknown-secret", "somebody else has removed it meanwhile"))?;
    Ok(answer(StatusCode::OK, &known))
}

async fn remove_secret(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    once: Once,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    if !once.took_effect {
        secrets::remove(&api.host, &name, &caller.actor).await?;
        api.host.store.barrier().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
