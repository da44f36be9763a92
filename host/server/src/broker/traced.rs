//! Requests as parts of traces: a span for each, and the header that lets the other side go on with it.

use tracing::field::Empty;
use tracing::{Span, info_span};
use wasmlops_core::call::{HttpFailure, HttpRequest, HttpResponse};

use crate::telemetry::{TARGET, TraceParent};

const TRACEPARENT: &str = "traceparent";

/// The request's span, named in it. The URL's path and query may hold secrets, and are not told.
pub(super) fn span(request: &mut HttpRequest) -> Span {
    let span = info_span!(
        target: TARGET,
        "http.client",
        otel.kind = "client",
        otel.name = %request.method,
        otel.status_code = Empty,
        http.request.method = %request.method,
        http.response.status_code = Empty,
        server.address = host(&request.url),
        error.type = Empty,
    );
    // Without traces of its own, the host passes on what it was handed.
    if let Some(parent) = TraceParent::of_span(&span) {
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(TRACEPARENT));
        request.headers.push((TRACEPARENT.to_owned(), parent.to_string().into_bytes()));
    }
    span
}

/// Notes how it ended.
pub(super) fn end(span: &Span, answer: &Result<HttpResponse, HttpFailure>) {
    if span.is_disabled() {
        return;
    }
    match answer {
        Ok(response) => {
            span.record("http.response.status_code", response.status);
            if response.status >= 400 {
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(failure) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", word(failure));
        }
    }
}

fn word(failure: &HttpFailure) -> &'static str {
    match failure {
        HttpFailure::Denied(_) => "denied",
        HttpFailure::InvalidRequest(_) => "invalid-request",
        HttpFailure::TimedOut(_) => "timed-out",
        HttpFailure::TooLarge(_) => "too-large",
        HttpFailure::Unreachable(_) => "unreachable",
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
