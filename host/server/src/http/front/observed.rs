//! What is told of a request: a span of its trace, and one line of the log for those who ask for it
//! (`WASMLOPS_LOG=wasmlops_requests=info`). Neither has a path, a query, a body or a header but the request's id: the
//! route is told as its pattern.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use tracing::field::Empty;
use tracing::{Level, Span, enabled, info, info_span};

use crate::http::connections::Peer;
use crate::telemetry::{TARGET, TraceParent};

/// Lines of the log with this target are requests.
const REQUESTS: &str = "wasmlops_requests";

/// Who asked for what, for the log: a response's extension that the gate leaves.
#[derive(Clone, Debug)]
pub struct Asker {
    pub actor: String,
    pub project: String,
}

/// A request under way.
pub(super) struct Observed {
    pub span: Span,
    method: Method,
    peer: Option<Peer>,
    trace: Option<TraceParent>,
}

impl Observed {
    pub fn begin(request: &Request<Body>, id: &str) -> Self {
        let span = info_span!(
            target: TARGET,
            "request",
            otel.kind = "server",
            otel.name = Empty,
            otel.status_code = Empty,
            http.request.method = request.method().as_str(),
            http.route = Empty,
            http.response.status_code = Empty,
            wasmlops.request = id,
            wasmlops.project = Empty,
            enduser.id = Empty,
        );
        let told = enabled!(target: REQUESTS, Level::INFO);
        let given = (told || !span.is_disabled()).then(|| TraceParent::of_headers(request.headers())).flatten();
        if let Some(parent) = given {
            parent.adopt(&span);
        }
        let trace = TraceParent::of_span(&span).or(given);
        Self { span, method: request.method().clone(), peer: request.extensions().get().copied(), trace }
    }

    pub fn end(self, response: &mut Response<Body>, route: &'static str, id: &str, took: Duration) {
        let asker = response.extensions_mut().remove::<Asker>();
        let (actor, project) = asker.as_ref().map_or(("", ""), |asker| (asker.actor.as_str(), asker.project.as_str()));
        let status = response.status().as_u16();
        if !self.span.is_disabled() {
            self.span.record("otel.name", format!("{} {route}", self.method));
            self.span.record("http.route", route);
            self.span.record("http.response.status_code", status);
            self.span.record("wasmlops.project", project);
            self.span.record("enduser.id", actor);
            if status >= 500 {
                self.span.record("otel.status_code", "ERROR");
            }
        }
        if enabled!(target: REQUESTS, Level::INFO) {
            let peer = self.peer.map(|peer| peer.0.ip().to_string()).unwrap_or_default();
            let trace = self.trace.map(|trace| trace.trace_id()).unwrap_or_default();
            let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            let method = self.method.as_str();
            info!(
                target: REQUESTS,
                request = id,
                method,
                route,
                status,
                duration_us,
                actor,
                project,
                trace,
                peer,
                "answered"
            );
        }
    }
}
