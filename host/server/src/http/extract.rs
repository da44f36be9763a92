//! What a handler is handed: the names in the path, the query, the body. What cannot be read is a [`Failure`] in the
//! form of all others.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::{Api, json};

/// The names in the route's pattern.
pub(super) struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        let axum::extract::Path(names) =
            read.map_err(|_| Failure::not_found("no-route", "there is nothing at this path"))?;
        Ok(Self(names))
    }
}

/// The parameters after the `?`. Which project is meant has been looked at before.
pub(super) struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let own = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some("project");
        let pairs: Vec<&str> = parts.uri.query().unwrap_or_default().split('&').filter(own).collect();
        let malformed = |error: &dyn std::fmt::Display| {
            let text = error.to_string();
            let text = text.rsplit("deserialize query string: ").next().unwrap_or_default();
            Failure::bad_request("invalid-query", format!("the query cannot be taken: {text}"))
                .hint("`/openapi.json` says which parameters the route has")
        };
        let uri: Uri = format!("/?{}", pairs.join("&")).parse().map_err(|error| malformed(&error))?;
        let read = axum::extract::Query::<T>::try_from_uri(&uri).map_err(|error| malformed(&error))?;
        Ok(Self(read.0))
    }
}

/// A JSON body.
pub(super) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Failure> {
        check_json(request.headers())?;
        let body = api.bodies.read(request).await?;
        Ok(Self(json::parse(&body.bytes)?))
    }
}

/// A JSON body that may be left out.
pub(super) struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<Api>> for MaybeJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Failure> {
        let headers = request.headers().clone();
        let body = api.bodies.read(request).await?;
        if body.bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        check_json(&headers)?;
        Ok(Self(json::parse(&body.bytes)?))
    }
}

/// Whoever says nothing of the body's type means JSON.
fn check_json(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(given) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let essence = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    let message = format!("the body is `{}` and not JSON", essence.chars().take(100).collect::<String>());
    let failure = Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", message);
    Err(failure.hint("send it as `Content-Type: application/json`"))
}

/// A body piece by piece, for handlers that keep no whole one.
pub(super) struct Pieces(pub Body);

impl FromRequest<Arc<Api>> for Pieces {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Failure> {
        Ok(Self(request.into_body()))
    }
}
