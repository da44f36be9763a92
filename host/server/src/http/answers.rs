//! Answers with more than a status and a view: one that can be asked for again without being sent again, and one that
//! says where what was made is.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use wasmlops_package::Digest;

use super::answer;
use super::failure::Failure;

/// JSON with the digest of its bytes as `ETag` (RFC 9110, section 8.8.3); 304 for a client that has these bytes.
pub(super) fn tagged(request: &HeaderMap, view: &impl Serialize) -> Result<Response, Failure> {
    let body = serde_json::to_vec(view).map_err(Failure::internal)?;
    let tag = format!("\"{}\"", &Digest::blake3(&body).hex()[..32]);
    if let Some(unchanged) = unchanged(request, &tag) {
        return Ok(unchanged);
    }
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    set(&mut response, ETAG, &tag)?;
    Ok(response)
}

/// 304, if the client has what the tag stands for (RFC 9110, section 13.1.2).
pub(super) fn unchanged(request: &HeaderMap, tag: &str) -> Option<Response> {
    let given = request.get_all(IF_NONE_MATCH).iter().filter_map(|given| given.to_str().ok());
    let mut tags = given.flat_map(|given| given.split(',')).map(|given| given.trim().trim_start_matches("W/"));
    if !tags.any(|given| given == "*" || given == tag) {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    set(&mut response, ETAG, tag).ok()?;
    Some(response)
}

/// An answer that names the place of what the request made.
pub(super) fn made(status: StatusCode, location: &str, view: &impl Serialize) -> Result<Response, Failure> {
    let mut response = answer(status, view);
    set(&mut response, LOCATION, location)?;
    Ok(response)
}

fn set(response: &mut Response, name: axum::http::HeaderName, value: &str) -> Result<(), Failure> {
    let value = HeaderValue::from_str(value).map_err(Failure::internal)?;
    response.headers_mut().insert(name, value);
    Ok(())
}
