//! What happens in a run and what its steps say: page by page, or as it comes.
//!
//! As it comes is server-sent events (HTML's living standard, section 9.2). Whoever asks with `Accept:
//! text/event-stream` or `?follow=true` is sent what there is and then what follows, until the run's end, until the
//! token that was asked with is taken back, or until the server stops. Each event's id is its place: `Last-Event-ID`
//! goes on after it, without gap or repetition. The store is asked again and again, since the run may be another
//! process's.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use wasmlops_core::access::{Area, Level};
use wasmlops_store::{EventRow, LogCursor, LogQuery, LogRow};

use crate::access::{Caller, Lease};
use crate::clock::rfc3339;
use crate::http::extract::{Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Cursor, Limit, Page, bad_cursor};
use crate::http::route::{Route, may};
use crate::http::stream::{self, Pieces};
use crate::http::{Api, answer};

/// How often the store is asked for what is new.
const LOOK: Duration = Duration::from_millis(250);
/// Without anything to say, a comment is sent, so that nobody between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events or lines that are read at a time.
const AT_ONCE: u32 = 500;

const EVENTS: &str = "events";
const LOGS: &str = "logs";

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Runs, Level::Read);
    let sse = "with `Accept: text/event-stream` or `follow=true`: as it comes";
    vec![
        Route::get("/api/v1/runs/{id}/events", read, list_run_events)
            .named("list_run_events", "What happened in a run, in order, or as it happens")
            .query::<EventsQuery>()
            .header("last-event-id", "Goes on after this event.")
            .gives::<Page<EventView>>("events")
            .also_gives("text/event-stream", sse),
        Route::get("/api/v1/runs/{id}/logs", read, list_run_logs)
            .named("list_run_logs", "What the steps of a run said, in the order of time, or as they say it")
            .query::<LogsQuery>()
            .header("last-event-id", "Goes on after this line.")
            .gives::<Page<LogView>>("lines")
            .also_gives("text/event-stream", sse),
    ]
}

/// Which events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
    /// Answers with server-sent events.
    #[serde(default)]
    follow: bool,
}

/// Which lines.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogsQuery {
    /// Of this step alone.
    step: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
    /// Answers with server-sent events.
    #[serde(default)]
    follow: bool,
}

/// Something that happened in a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RunEvent")]
struct EventView {
    /// From 0, without gaps.
    seq: i64,
    /// RFC 3339.
    time: String,
    /// `event` says what happened, in one word: `attempt-succeeded`; the other fields belong to it.
    #[serde(flatten)]
    #[schemars(with = "HappenedShape")]
    happened: Map<String, Value>,
}

/// What every event says.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "its fields are read by the derive alone")]
struct HappenedShape {
    event: String,
    step: Option<String>,
}

/// A line that a step said.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RunLogLine")]
struct LogView {
    /// RFC 3339.
    time: String,
    step: String,
    attempt: i64,
    level: String,
    message: String,
    fields: Map<String, Value>,
}

async fn list_run_events(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Failure> {
    let run = super::runs::known(&api, &id).await?;
    let place = match &query.cursor {
        Some(cursor) => Some(cursor.open(EVENTS)?.parse::<i64>().map_err(|_| bad_cursor())?),
        None => None,
    };
    let first = place.map_or(0, |last| last.saturating_add(1));
    if is_followed(&headers, query.follow) {
        let first = match last_event(&headers)? {
            Some(last) => last.parse::<i64>().map_err(|_| bad_last_event())?.saturating_add(1),
            None => first,
        };
        return Ok(followed(&api, &caller, run, Feed::Events { next: first }));
    }
    let mut rows = api.host.store.events_page(&run, first, query.limit.0 + 1).await?;
    let more = rows.len() > query.limit.0 as usize;
    rows.truncate(query.limit.0 as usize);
    let next = rows.last().filter(|_| more).map(|last| Cursor::seal(EVENTS, &last.seq.to_string()));
    let items = rows.into_iter().map(event).collect::<Result<Vec<_>, _>>()?;
    Ok(answer(StatusCode::OK, &Page { items, next }))
}

async fn list_run_logs(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Result<Response, Failure> {
    let run = super::runs::known(&api, &id).await?;
    let after =
        query.cursor.as_ref().map(|cursor| read_place(&cursor.open(LOGS)?).ok_or_else(bad_cursor)).transpose()?;
    if is_followed(&headers, query.follow) {
        let after = match last_event(&headers)? {
            Some(last) => Some(read_place(&last).ok_or_else(bad_last_event)?),
            None => after,
        };
        return Ok(followed(&api, &caller, run, Feed::Logs { step: query.step, after }));
    }
    let limit = query.limit.0;
    let wish = LogQuery { run, step_key: query.step, after, limit: limit + 1 };
    let mut rows = api.host.store.logs(&wish).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|last| Cursor::seal(LOGS, &place(&last.cursor())));
    let items = rows.into_iter().map(line).collect::<Result<Vec<_>, _>>()?;
    Ok(answer(StatusCode::OK, &Page { items, next }))
}

pub(super) fn is_followed(headers: &HeaderMap, follow: bool) -> bool {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    follow
        || accepts.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/event-stream"))
}

pub(super) fn last_event(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(last) = headers.get("last-event-id") else { return Ok(None) };
    let last = last.to_str().map_err(|_| bad_last_event())?;
    Ok((!last.is_empty()).then(|| last.to_owned()))
}

pub(super) fn bad_last_event() -> Failure {
    Failure::bad_request("bad-last-event-id", "`Last-Event-ID` is no id that this stream gave")
        .hint("leave it out to begin at the start")
}

fn event(row: EventRow) -> Result<EventView, Failure> {
    let happened = serde_json::from_str(&row.event).map_err(Failure::internal)?;
    Ok(EventView { seq: row.seq, time: rfc3339(row.time), happened })
}

fn line(row: LogRow) -> Result<LogView, Failure> {
    Ok(LogView {
        time: rfc3339(row.time),
        step: row.step_key,
        attempt: row.attempt,
        level: row.level,
        message: row.message,
        fields: serde_json::from_str(&row.fields).unwrap_or_default(),
    })
}

/// The place of a line as one text without line breaks: the step's name comes last, whatever it holds.
fn place(cursor: &LogCursor) -> String {
    format!("{}.{}.{}.{}", cursor.time, cursor.attempt, cursor.seq, cursor.step_key)
}

fn read_place(text: &str) -> Option<LogCursor> {
    let mut parts = text.splitn(4, '.');
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (time, attempt, seq) = (number()?, number()?, number()?);
    Some(LogCursor { time, attempt, seq, step_key: parts.next()?.to_owned() })
}

/// What is followed, and how far it was sent.
enum Feed {
    Events { next: i64 },
    Logs { step: Option<String>, after: Option<LogCursor> },
}

impl Feed {
    /// What is new, as server-sent events. Empty: nothing.
    async fn news(&mut self, api: &Api, run: &str) -> Result<Vec<Bytes>, Failure> {
        match self {
            Self::Events { next } => {
                let rows = api.host.store.events_page(run, *next, AT_ONCE).await?;
                let mut news = Vec::with_capacity(rows.len());
                for row in rows {
                    *next = row.seq + 1;
                    let id = row.seq.to_string();
                    news.push(sent("event", Some(&id), &json!(event(row)?)));
                }
                Ok(news)
            }
            Self::Logs { step, after } => {
                let query =
                    LogQuery { run: run.to_owned(), step_key: step.clone(), after: after.clone(), limit: AT_ONCE };
                let mut news = Vec::new();
                for row in api.host.store.logs(&query).await? {
                    let cursor = row.cursor();
                    news.push(sent("log", Some(&place(&cursor)), &json!(line(row)?)));
                    *after = Some(cursor);
                }
                Ok(news)
            }
        }
    }
}

/// One server-sent event. JSON has no line breaks of its own.
pub(super) fn sent(kind: &str, id: Option<&str>, data: &Value) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("event: {kind}\n{id}data: {data}\n\n"))
}

fn followed(api: &Arc<Api>, caller: &Caller, run: String, feed: Feed) -> Response {
    let (api, lease) = (api.clone(), caller.lease.clone());
    let body = stream::body(None, move |pieces| follow(api, lease, run, feed, pieces));
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Some proxies keep an answer until it is whole, unless they are told.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Sends until there is nothing more to come, or nobody who may have it.
async fn follow(api: Arc<Api>, lease: Lease, run: String, mut feed: Feed, pieces: Pieces) {
    let ended = lease.ended();
    tokio::pin!(ended);
    let mut last_sent = Instant::now();
    while !api.stopping.load(Ordering::Relaxed) {
        // Looked at first: what happens after it is seen by the next look.
        let status = match api.host.store.load_run(&run).await {
            Ok(Some(row)) => row.status,
            Ok(None) => return,
            Err(error) => return tracing::error!(%run, %error, "a stream of a run broke off"),
        };
        let news = match feed.news(&api, &run).await {
            Ok(news) => news,
            Err(failure) => return tracing::error!(%run, code = %failure.code, "a stream of a run broke off"),
        };
        let is_whole = news.is_empty();
        for piece in news {
            if pieces.send(Ok(piece)).await.is_err() {
                return;
            }
            last_sent = Instant::now();
        }
        if !is_whole {
            continue;
        }
        if status.is_final() {
            // Whoever went away does not want to know.
            let _ = pieces.send(Ok(sent("end", None, &json!({ "run": run, "status": status.as_str() })))).await;
            return;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_lines_survive_their_text() {
        let cursor = LogCursor { time: -5, step_key: "a.b[x=1.5]".to_owned(), attempt: 2, seq: 9 };
        assert_eq!(read_place(&place(&cursor)), Some(cursor));
        for text in ["", "1.2.3", "x.1.1.s", "1.1.1.1.1e"] {
            assert_eq!(read_place(text).is_some(), text == "1.1.1.1.1e", "{text}");
        }
    }

    #[test]
    fn following_is_asked_for_by_type_or_by_word() {
        let headers = |accept: &'static str| HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        assert!(is_followed(&headers("text/event-stream"), false));
        assert!(is_followed(&headers("text/html, text/event-stream;q=0.9"), false));
        assert!(!is_followed(&headers("*/*"), false));
        assert!(is_followed(&HeaderMap::new(), true));
    }
}
