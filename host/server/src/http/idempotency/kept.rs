//! Answers as they are kept and given again.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use wasmlops_store::KeptAnswer;

use crate::http::failure::{Failure, Form};

/// Headers that belong to an answer; the others are the connection's.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Whether the same request would be answered like this again.
pub(super) fn is_kept(status: StatusCode) -> bool {
    let is_cured_by_time = matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
    );
    !status.is_server_error() && !is_cured_by_time
}

/// An answer, and the same to be kept.
pub(super) async fn taken(
    response: Response,
    request_id: &str,
    confidential: bool,
) -> Result<(Response, KeptAnswer), Failure> {
    // What is refused is written at the front, with the id of the request: here, to be the same the next time.
    let response = match response.extensions().get::<Arc<Failure>>() {
        Some(failure) => failure.render(Form::Problem, request_id),
        None => response,
    };
    let (parts, body) = response.into_parts();
    // Answers to changes are short and in memory.
    let body = to_bytes(body, usize::MAX).await.map_err(Failure::internal)?;
    let headers: BTreeMap<&str, &str> =
        KEPT.iter().filter_map(|name| Some((name.as_str(), parts.headers.get(name)?.to_str().ok()?))).collect();
    let answer = KeptAnswer {
        status: parts.status.as_u16(),
        headers: serde_json::to_string(&headers).map_err(Failure::internal)?,
        body: (!confidential || !parts.status.is_success()).then(|| body.to_vec()),
    };
    Ok((Response::from_parts(parts, Body::from(body)), answer))
}

/// A kept answer.
pub(super) fn again(answer: KeptAnswer) -> Result<Response, Failure> {
    let Some(body) = answer.body else {
        let message = "the request was answered with what is shown once and not kept";
        return Err(Failure::new(StatusCode::CONFLICT, "shown-once", message)
            .hint("take back what was made, and make another under a new key"));
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(Failure::internal)?;
    let headers: BTreeMap<String, String> = serde_json::from_str(&answer.headers).map_err(Failure::internal)?;
    for (name, value) in headers {
        let name: HeaderName = name.parse().map_err(Failure::internal)?;
        response.headers_mut().insert(name, HeaderValue::from_str(&value).map_err(Failure::internal)?);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
