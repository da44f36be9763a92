//! Triggers, and the webhooks of those that have one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use wasmlops_core::access::{Area, Level};

use crate::events::incoming::{EventsView, Hook, HookError, receive_hook};
use crate::events::view::{self, TriggerView};
use crate::http::extract::{Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{JSON, PUBLIC, Route, may};
use crate::http::{Api, answer};

/// Runs of a trigger in a list, and alone.
const FEW: u32 = 1;
const SEVERAL: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Triggers, Level::Read);
    vec![
        Route::get("/api/v1/triggers", read, list_triggers)
            .named("list_triggers", "What starts pipelines without a person, each with its newest run")
            .query::<PageQuery>()
            .gives::<Page<TriggerView>>("triggers"),
        Route::get("/api/v1/triggers/{name}", read, get_trigger)
            .named("get_trigger", "A trigger with the runs it started last")
            .gives::<TriggerView>("the trigger"),
        // Whoever knows the secret may: there is no other credential.
        Route::post("/api/v1/hooks/{name}", PUBLIC, post_hook)
            .named("post_hook", "A webhook: starts the trigger's pipeline if the message is signed with its secret")
            .unkeyed()
            .header("wasmlops-signature", "`t=UNIX,v1=HEX`: HMAC-SHA256 over `UNIX.body`.")
            .header("x-hub-signature-256", "`sha256=HEX`: HMAC-SHA256 over the body, as GitHub signs.")
            .header("x-github-delivery", "The message's id, with GitHub's signature.")
            .bytes(JSON)
            .answers::<EventsView>(StatusCode::ACCEPTED, "the message was taken, and what it started")
            .fails(StatusCode::UNAUTHORIZED, "there is no such webhook, or the message is not signed for it")
            .fails(StatusCode::NOT_FOUND, "there is no such project")
            .fails(StatusCode::CONFLICT, "the message was taken before"),
    ]
}

async fn list_triggers(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let all = view::list(&api.host, FEW).await?;
    let page = Page::of("triggers", all, &page, |trigger| trigger.trigger.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_trigger(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &view::show(&api.host, &name, SEVERAL).await?))
}

async fn post_hook(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let headers: HeaderMap = request.headers().clone();
    let body = api.bodies.read(request).await?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let hook = Hook { trigger: &name, header: &header, body: &body.bytes };
    Ok(answer(StatusCode::ACCEPTED, &receive_hook(&api.host, hook).await?))
}

impl From<HookError> for Failure {
    fn from(error: HookError) -> Self {
        let message = error.to_string();
        match error {
            HookError::NotSigned => Self::new(StatusCode::UNAUTHORIZED, "bad-signature", message)
                .hint("sign the bytes of the body with the trigger's secret, and send them within five minutes"),
            HookError::Replayed => Self::new(StatusCode::CONFLICT, "replayed", message)
                .hint("each message is taken once; sign a new one with another time"),
            HookError::Malformed(_) => Self::bad_request("malformed", message),
            HookError::NotStarted(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not-started", message)
                .hint("compare the trigger's `params` in wasmlops.yaml with the message, and send it again"),
            HookError::Other(error) => error.into(),
        }
    }
}
