//! What every request passes before its handler and every answer after it: whose site is asking, who is asking, ids,
//! security headers, the form of failures, metrics. Knows no route.

mod gate;
mod observed;
mod origin;
mod require;

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use tower_service::Service;
use tracing::Instrument;

use self::gate::Admitted;
pub(crate) use self::gate::{Gate, GateOptions, Mode, Site};
pub use self::observed::Asker;
use self::observed::Observed;
pub use self::origin::Hosts;
pub(crate) use self::require::require;
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

/// Bytes of a request's target at the most.
const TARGET_BYTES: usize = 8 << 10;

/// Cheap to clone.
#[derive(Clone)]
pub struct Front {
    entrance: Entrance,
    hosts: Arc<Hosts>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

/// The request's id, for those who write an answer before the front does: a request's extension.
#[derive(Clone)]
pub(crate) struct RequestId(pub Arc<str>);

/// What leads to handlers.
#[derive(Clone)]
pub(crate) enum Entrance {
    Gate(Gate),
    /// For tests of what has nothing to do with who is asking.
    #[cfg(test)]
    Unguarded(Router),
}

impl Front {
    pub(crate) fn new(gate: Gate, hosts: Hosts, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self { entrance: Entrance::Gate(gate), hosts: Arc::new(hosts), metrics, clock }
    }

    #[cfg(test)]
    pub fn unguarded(router: Router, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self { entrance: Entrance::Unguarded(router), hosts: Arc::default(), metrics, clock }
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// One request from its headers to its answer. Always answers.
    pub async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let started = Instant::now();
        let method = request.method().clone();
        let form = form_of(request.uri().path());
        let id = self.request_id(request.headers());
        request.extensions_mut().insert(RequestId(id.clone()));
        let observed = Observed::begin(&request, &id);
        let mut response = match check_length(&request).and_then(|()| self.hosts.check(&request)) {
            Err(failure) => failure.into_response(),
            Ok(()) => self.enter(request).instrument(observed.span.clone()).await,
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
            if failure.status == StatusCode::METHOD_NOT_ALLOWED {
                // RFC 9110, section 15.5.6, asks for it. The gate knows no path: it names what there is at any.
                let any = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
                response.headers_mut().entry(header::ALLOW).or_insert(any);
            }
            if failure.code == "unauthenticated" {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
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
        observed.end(&mut response, pattern, &id, started.elapsed());
        response
    }

    /// Past the gate to the routers that answer.
    async fn enter(&self, request: Request<Body>) -> Response<Body> {
        #[cfg_attr(not(test), expect(clippy::infallible_destructuring_match, reason = "tests have another entrance"))]
        let gate = match &self.entrance {
            Entrance::Gate(gate) => gate,
            #[cfg(test)]
            Entrance::Unguarded(router) => return call(router.clone(), request).await,
        };
        let (mut parts, body) = request.into_parts();
        let Admitted { routers, asker } = match gate.admit(&mut parts).await {
            Ok(admitted) => admitted,
            Err(failure) => return failure.into_response(),
        };
        let mut response = first_unwell(routers, Request::from_parts(parts, body)).await;
        if let Some(asker) = asker {
            response.extensions_mut().insert(asker);
        }
        response
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

/// The answer of the only router, or of the first of many that does not say that all is well.
async fn first_unwell(routers: Vec<Router>, request: Request<Body>) -> Response<Body> {
    let mut routers = routers.into_iter().peekable();
    let (parts, body) = request.into_parts();
    let mut body = Some(body);
    loop {
        let Some(router) = routers.next() else {
            return Failure::internal("no project is served, which is a bug").into_response();
        };
        let response = call(router, Request::from_parts(parts.clone(), body.take().unwrap_or_default())).await;
        if routers.peek().is_none() || !response.status().is_success() {
            return response;
        }
    }
}

/// A handler that panics is a bug that costs its own request and no other.
async fn call(mut router: Router, request: Request<Body>) -> Response<Body> {
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

fn check_length(request: &Request<Body>) -> Result<(), Failure> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target <= TARGET_BYTES {
        return Ok(());
    }
    let message = format!("the path and query have more than {TARGET_BYTES} bytes");
    Err(Failure::new(StatusCode::URI_TOO_LONG, "target-too-long", message))
}

fn form_of(path: &str) -> Form {
    let inference = path.strip_prefix("/v2").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if inference { Form::OpenInference } else { Form::Problem }
}

/// A detail may quote what a guest wrote; it stays one line of the log.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
