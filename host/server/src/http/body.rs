//! A request's body, read whole within limits of size, time and memory.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;

/// Bodies up to this size need no room of their own: as many as there are connections are still little.
const SMALL: usize = 64 << 10;

/// What bodies may take.
#[derive(Clone)]
pub struct BodyLimits {
    /// Bytes of one body.
    pub bytes: usize,
    /// From its first byte to its last.
    pub time: Duration,
    /// Bytes of all larger bodies that are being read or worked on.
    room: Arc<Semaphore>,
}

/// A body, and the room it takes until it is dropped.
pub struct Whole {
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl BodyLimits {
    /// `total` bounds the bytes of all bodies beyond [`SMALL`] together.
    pub fn new(bytes: usize, time: Duration, total: usize) -> Self {
        Self { bytes, time, room: Arc::new(Semaphore::new(total.max(bytes))) }
    }

    /// The whole body.
    ///
    /// Errors: an encoding, too many bytes (413, before they are read where the client says how many), too slow (408),
    /// no room (503), or a connection that broke.
    pub async fn read(&self, request: Request<Body>) -> Result<Whole, Failure> {
        let (parts, body) = request.into_parts();
        let expected = self.expected(&parts.headers)?;
        let room = match expected {
            size if size <= SMALL => None,
            size => {
                let permits = u32::try_from(size).unwrap_or(u32::MAX);
                let room = self.room.clone().try_acquire_many_owned(permits);
                Some(room.map_err(|_| no_room())?)
            }
        };
        match tokio::time::timeout(self.time, collect(body, self.bytes)).await {
            Ok(bytes) => Ok(Whole { bytes: bytes?, _room: room }),
            Err(_) => Err(too_slow().hint(format!("send it within {} seconds", self.time.as_secs()))),
        }
    }

    /// The most bytes that the body can have, by its headers.
    fn expected(&self, headers: &HeaderMap) -> Result<usize, Failure> {
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            let message = "the body has a content encoding";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded", message).hint("send it as it is"));
        }
        let Some(length) = headers.get(CONTENT_LENGTH) else { return Ok(self.bytes) };
        match length.to_str().ok().and_then(|length| length.parse::<usize>().ok()) {
            Some(length) if length <= self.bytes => Ok(length),
            _ => Err(self.too_large()),
        }
    }

    fn too_large(&self) -> Failure {
        too_large(self.bytes)
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Failure> {
    let mut first: Option<Bytes> = None;
    let mut whole: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken_off(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        let so_far = first.as_ref().map_or(whole.len(), Bytes::len);
        if so_far + data.len() > limit {
            return Err(too_large(limit));
        }
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(start) => {
                whole.reserve(start.len() + data.len());
                whole.extend_from_slice(&start);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.into()))
}

/// What became of a body that ended before its end: of the sender's connection, or of the server's patience with it.
pub(super) fn broken_off(error: &axum::Error) -> Failure {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return too_slow();
        }
        cause = error.source();
    }
    Failure::bad_request("broken-off", "the body broke off")
}

fn too_slow() -> Failure {
    Failure::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body did not come in time")
}

fn too_large(limit: usize) -> Failure {
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("the body has more than {limit} bytes"))
        .hint("send the rows in several requests")
}

fn no_room() -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too many large requests at a time")
        .retry_after(Duration::from_secs(1))
}
