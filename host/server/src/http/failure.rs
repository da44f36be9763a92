//! Why a request is not answered as it hoped, before it is known which client's form the answer takes.
//!
//! A handler gives a [`Failure`]; it travels as an extension of an empty response to the front, which alone writes
//! bodies: problem details (RFC 9457), or `{"error": text}` for clients of the Open Inference Protocol.

mod problem;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;
use wasmlops_core::diagnostics::Diagnostic;
use wasmlops_store::{BlobError, StoreError};

pub use self::problem::{Mistake, Problem};
use super::codec::{ColumnProblem, Refusal};
use crate::error::Error;
use crate::serving::PredictError;

/// How an answer says that there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Problem,
    OpenInference,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub status: StatusCode,
    /// Kebab-case and stable: programs may match on it.
    pub code: Cow<'static, str>,
    pub message: Box<str>,
    pub hint: Option<Box<str>>,
    /// What is wrong where, if there is more than one thing to say.
    pub wrong: Option<Box<Wrong>>,
    pub retry_after: Option<Duration>,
    /// For the log alone: what the client must not see.
    pub detail: Option<Box<str>>,
}

/// Several things that are wrong with one request.
#[derive(Clone, Debug)]
pub enum Wrong {
    Columns(Vec<ColumnProblem>),
    Mistakes(Vec<Diagnostic>),
}

impl Failure {
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            hint: None,
            wrong: None,
            retry_after: None,
            detail: None,
        }
    }

    pub fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub fn bad_request(code: impl Into<Cow<'static, str>>, message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn not_found(code: impl Into<Cow<'static, str>>, message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// A fault of the server: the client gets a fixed text.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        let mut failure = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed");
        failure.detail = Some(detail.to_string().into());
        failure
    }

    /// The answer's status, headers and body. `request` is the id that the log has beside a fault's detail.
    pub fn render(&self, form: Form, request: &str) -> Response<Body> {
        let message = match self.detail {
            Some(_) => format!("{}; its log has the detail under request `{request}`", self.message),
            None => self.message.to_string(),
        };
        let (media_type, body) = match form {
            Form::OpenInference => {
                let hint = self.hint.as_ref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
                ("application/json", json!({ "error": format!("{message}{hint}") }))
            }
            Form::Problem => ("application/problem+json", self.problem(&message, request)),
        };
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        if let Some(wait) = self.retry_after {
            // Whole seconds, and never "at once".
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn problem(&self, message: &str, request: &str) -> serde_json::Value {
        let (columns, mistakes): (&[_], &[_]) = match self.wrong.as_deref() {
            None => (&[], &[]),
            Some(Wrong::Columns(columns)) => (columns, &[]),
            Some(Wrong::Mistakes(mistakes)) => (&[], mistakes),
        };
        json!(Problem {
            kind: format!("urn:wasmlops:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: message.to_owned(),
            code: self.code.to_string(),
            request_id: request.to_owned(),
            hint: self.hint.as_deref().map(str::to_owned),
            columns: columns.iter().map(|column| json!(column)).collect(),
            errors: mistakes.iter().map(Mistake::new).collect(),
        })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Malformed(_) => Self::bad_request("malformed", message),
            Refusal::TooManyCells => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-values", message)
                .hint("send the rows in several requests"),
            Refusal::Columns(columns, _) => {
                let hint = "the endpoint's own page lists the columns it takes";
                let wrong = Some(Box::new(Wrong::Columns(columns)));
                Self { wrong, ..Self::bad_request("invalid-columns", message).hint(hint) }
            }
        }
    }
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Self {
        let message = error.to_string().lines().next().unwrap_or_default().to_owned();
        match error {
            PredictError::UnknownEndpoint => Self::not_found("unknown-endpoint", message),
            PredictError::UnknownVersion => Self::not_found("unknown-version", message),
            PredictError::InvalidInput { .. } => Self::bad_request("invalid-input", message),
            PredictError::NotReady => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", message)
                .hint("its model is being loaded; try again")
                .retry_after(Duration::from_secs(1)),
            PredictError::Overloaded { retry_after } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
                    .hint("send fewer requests at a time, or give the endpoint more `instances`")
                    .retry_after(retry_after)
            }
            PredictError::DeadlineExceeded => Self::new(StatusCode::GATEWAY_TIMEOUT, "deadline-exceeded", message)
                .hint("the endpoint's `deadline` says how long a request may take"),
            PredictError::Model { .. } => {
                let text = "the model failed on this request";
                let failure = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "model-failed", text);
                Self { detail: Some(message.into()), ..failure }
            }
            PredictError::Internal { .. } => Self::internal(message),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::User(diagnostics) => Self::mistakes(diagnostics.0),
            Error::Store(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl Failure {
    /// The caller's mistakes: the first gives the status and the code, all are told.
    fn mistakes(mistakes: Vec<Diagnostic>) -> Self {
        let Some(first) = mistakes.first() else { return Self::internal("a refusal without a reason (this is a bug)") };
        let failure = Self::new(status_of(&first.code), first.code.clone(), first.message.as_str());
        let failure = Self { hint: first.hint.clone().map(Into::into), ..failure };
        let failure = match failure.status {
            StatusCode::TOO_MANY_REQUESTS => failure.retry_after(Duration::from_secs(1)),
            _ => failure,
        };
        Self { wrong: (mistakes.len() > 1).then(|| Box::new(Wrong::Mistakes(mistakes))), ..failure }
    }
}

/// What a path can name and is not there. Other words that begin with `unknown-` are about a body.
const UNKNOWN: [&str; 16] = [
    "unknown-alias",
    "unknown-approval",
    "unknown-artifact",
    "unknown-backfill",
    "unknown-endpoint",
    "unknown-experiment",
    "unknown-model",
    "unknown-monitor",
    "unknown-pipeline",
    "unknown-project",
    "unknown-run",
    "unknown-schedule",
    "unknown-secret",
    "unknown-token",
    "unknown-trigger",
    "unknown-version",
];

/// What the caller's mistake of this code means to an HTTP client.
fn status_of(code: &str) -> StatusCode {
    match code {
        "not-found" | "no-such-file" => StatusCode::NOT_FOUND,
        "queue-full" => StatusCode::TOO_MANY_REQUESTS,
        "forbidden" => StatusCode::FORBIDDEN,
        "alias-moved" | "conflict" | "no-evidence" | "not-approved" | "nothing-before" | "rollback-refused"
        | "approval-decided" | "approval-expired" | "run-active" | "run-ended" | "run-succeeded" | "lock-changed" => {
            StatusCode::CONFLICT
        }
        code if UNKNOWN.contains(&code) => StatusCode::NOT_FOUND,
        code if code.ends_with("-conflict") || code.ends_with("-exists") => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (status, code) = match &error {
            StoreError::RunNotFound(_) => (StatusCode::NOT_FOUND, "unknown-run"),
            StoreError::ExperimentNotFound(_) => (StatusCode::NOT_FOUND, "unknown-experiment"),
            StoreError::NothingResolved(_) | StoreError::BadPrefix(_) => (StatusCode::NOT_FOUND, "not-found"),
            StoreError::Ambiguous { .. } => (StatusCode::CONFLICT, "ambiguous"),
            StoreError::Blob(BlobError::Missing(_)) => (StatusCode::NOT_FOUND, "unknown-artifact"),
            StoreError::RunExists(_) => (StatusCode::CONFLICT, "run-exists"),
            StoreError::EventConflict { .. } | StoreError::StatusConflict { .. } => (StatusCode::CONFLICT, "conflict"),
            StoreError::ParamChanged { .. } => (StatusCode::CONFLICT, "param-conflict"),
            StoreError::Refused { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "not-allowed"),
            StoreError::BadCursor(_) => return super::page::bad_cursor(),
            StoreError::Busy | StoreError::Closed => (StatusCode::SERVICE_UNAVAILABLE, "store-busy"),
            StoreError::Full | StoreError::Blob(BlobError::Full) => (StatusCode::SERVICE_UNAVAILABLE, "disk-full"),
            _ => return Self::internal(error),
        };
        let failure = Self::new(status, code, error.to_string());
        let failure = match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        match status {
            StatusCode::SERVICE_UNAVAILABLE => failure.retry_after(Duration::from_secs(1)),
            _ => failure,
        }
    }
}
