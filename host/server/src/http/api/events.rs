//! Events of the project, page by page or as they come, and events from outside (CloudEvents 1.0 in both directions).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use wasmlops_core::access::{Area, Level};
use wasmlops_core::event::{EventError, Glob, parse};

use super::feeds::{bad_last_event, is_followed, last_event, sent};
use crate::access::{Caller, Lease};
use crate::events::incoming::{EventsView, receive};
use crate::events::view::{self, EventView};
use crate::http::extract::Query;
use crate::http::failure::Failure;
use crate::http::page::{Cursor, Limit, Page, bad_cursor};
use crate::http::route::{Route, may};
use crate::http::stream::{self, Pieces};
use crate::http::{Api, answer};

/// How often the feed is asked for what is new.
const LOOK: Duration = Duration::from_millis(250);
/// Without anything to say, a comment is sent, so that nobody between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that are read at a time.
const AT_ONCE: usize = 200;

const LIST: &str = "events-of-project";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/events", may(Area::Events, Level::Read), list_events)
            .named("list_events", "What happened in the project, the oldest first, or as it happens")
            .query::<EventsQuery>()
            .header("last-event-id", "Goes on after this event.")
            .gives::<Page<EventView>>("events")
            .also_gives("text/event-stream", "with `Accept: text/event-stream` or `follow=true`: as it comes"),
        // The sender's (source, id) is the key.
        Route::post("/api/v1/events", may(Area::Triggers, Level::Operate), post_events)
            .named("post_events", "Takes events, each once, and starts the pipelines whose triggers fit")
            .unkeyed()
            .header("ce-specversion", "Of an event in binary mode, with `ce-id`, `ce-source` and `ce-type`: `1.0`.")
            .bytes("application/cloudevents+json")
            .answers::<EventsView>(StatusCode::ACCEPTED, "what became of the events")
            .fails(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type is none of CloudEvents"),
    ]
}

/// Which events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Of this type alone: `dev.wasmlops.run.failed`, `run.*`.
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
    /// Answers with server-sent events.
    #[serde(default)]
    follow: bool,
}

async fn list_events(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Failure> {
    let place = |cursor: &Cursor| cursor.open(LIST)?.parse::<i64>().map_err(|_| bad_cursor());
    let after = query.cursor.as_ref().map(place).transpose()?.unwrap_or(0);
    let kind = query.kind.as_deref().map(view::kind_pattern);
    if is_followed(&headers, query.follow) {
        let after = match last_event(&headers)? {
            Some(last) => last.parse::<i64>().map_err(|_| bad_last_event())?,
            None => after,
        };
        return Ok(followed(&api, &caller, kind, after));
    }
    let page = view::events(&api.host, after, kind.as_ref(), query.limit.0 as usize).await?;
    let next = page.more.then(|| Cursor::seal(LIST, &page.last.to_string()));
    let items = page.events.into_iter().map(|(_, event)| event).collect::<Vec<_>>();
    Ok(answer(StatusCode::OK, &Page { items, next }))
}

/// The three modes; which one it is, the content type says.
async fn post_events(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Failure> {
    let headers = request.headers().clone();
    let body = api.bodies.read(request).await?;
    let pairs: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let events = parse(&pairs, &body.bytes)?;
    drop(body);
    Ok(answer(StatusCode::ACCEPTED, &receive(&api.host, &events, &caller.actor).await?))
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        let message = error.to_string();
        match error {
            EventError::ContentType(_) => Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-cloudevents", message)
                .hint("send `application/cloudevents+json`, `application/cloudevents-batch+json`, or headers `ce-…`"),
            EventError::Version(_) => Self::bad_request("unknown-specversion", message),
            EventError::TooMany => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-events", message)
                .hint("send them in several batches"),
            EventError::Malformed(_) => Self::bad_request("malformed", message),
        }
    }
}

fn followed(api: &Arc<Api>, caller: &Caller, kind: Option<Glob>, after: i64) -> Response {
    let (api, lease) = (api.clone(), caller.lease.clone());
    let body = stream::body(None, move |pieces| follow(api, lease, kind, after, pieces));
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Some proxies keep an answer until it is whole, unless they are told.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Sends until the server stops, or nobody is left who may have it.
async fn follow(api: Arc<Api>, lease: Lease, kind: Option<Glob>, mut after: i64, pieces: Pieces) {
    let ended = lease.ended();
    tokio::pin!(ended);
    let mut last_sent = Instant::now();
    while !api.stopping.load(Ordering::Relaxed) {
        let page = match view::events(&api.host, after, kind.as_ref(), AT_ONCE).await {
            Ok(page) => page,
            Err(error) => return tracing::error!(%error, "a stream of events broke off"),
        };
        after = page.last;
        for (seq, event) in page.events {
            if pieces.send(Ok(sent(&event.kind, Some(&seq.to_string()), &json!(event)))).await.is_err() {
                return;
            }
            last_sent = Instant::now();
        }
        if page.more {
            continue;
        }
        if last_sent.elapsed() >= HEARTBEAT {
            if pieces.send(Ok(Bytes::from_static(b": nothing new\n\n"))).await.is_err() {
                return;
            }
            last_sent = Instant::now();
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = &mut ended => return,
        }
    }
}
