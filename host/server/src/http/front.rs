//! What every request passes before its handler and every answer after it: whose site is asking, ids, security headers,
//! the form of failures, metrics. Knows no route.

mod origin;

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use axum::response::IntoResponse;
use tower_service::Service;

use super::failure::{Failure, Form};
use super::metrics::Metrics;
use crate::clock::{Clock, new_id};

/// Which route answered, for the metrics: a response's extension.
#[derive(Clone, Copy)]
pub struct Pattern(pub &'static str);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers are data for programs: no browser is to guess their type, frame them, run them or keep them.
const SECURITY: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Cheap to clone.
#[derive(Clone)]
pub struct Front {
    router: Router,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

impl Front {
    pub fn new(router: Router, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self { router, metrics, clock }
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// One request from its headers to its answer. Always answers.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let started = Instant::now();
        let method = request.method().clone();
        let form = form_of(request.uri().path());
        let id = self.request_id(request.headers());
        let mut response = match origin::check(&request) {
            Err(failure) => failure.into_response(),
            Ok(()) => self.call(request).await,
        };
        let pattern = response.extensions_mut().remove::<Pattern>().map_or("other", |pattern| pattern.0);
        if let Some(failure) = response.extensions_mut().remove::<Arc<Failure>>() {
            if let Some(detail) = &failure.detail {
                tracing::error!(request = &*id, route = pattern, code = &*failure.code, "{}", one_line(detail));
            }
            let allow = response.headers_mut().remove(header::ALLOW);
            response = failure.render(form, &id);
            if let Some(allow) = allow {
                response.headers_mut().insert(header::ALLOW, allow);
            }
        }
        let headers = response.headers_mut();
        for (name, value) in SECURITY {
            headers.entry(name).or_insert(value);
        }
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, id);
        }
        self.metrics.request(pattern, &method, response.status(), started.elapsed());
        response
    }

    /// A handler that panics is a bug that costs its own request and no other.
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let mut router = self.router.clone();
        let mut future = pin!(router.call(request));
        poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => {
                let response: Result<Response<Body>, Infallible> = response;
                Poll::Ready(response.unwrap_or_else(|never| match never {}))
            }
            Err(_) => Poll::Ready(Failure::internal("a handler panicked, which is a bug").into_response()),
        })
        .await
    }

    /// The client's id for the request where it is harmless, else a new one.
    fn request_id(&self, headers: &HeaderMap) -> Arc<str> {
        let sane = |id: &&str| {
            let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
            (1..=128).contains(&id.len()) && id.bytes().all(harmless)
        };
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
        given.map_or_else(|| new_id(&*self.clock).into(), Into::into)
    }
}

fn form_of(path: &str) -> Form {
    let inference = path.strip_prefix("/v2").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if inference { Form::OpenInference } else { Form::Problem }
}

/// A detail may quote what a guest wrote; it stays one line of the log.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
