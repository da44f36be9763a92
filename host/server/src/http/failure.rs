//! Why a request is not answered as it hoped, before it is known which client's form the answer takes.
//!
//! A handler gives a [`Failure`]; it travels as an extension of an empty response to the front, which alone writes
//! bodies: problem details (RFC 9457), or `{"error": text}` for clients of the Open Inference Protocol.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

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
    pub columns: Vec<ColumnProblem>,
    pub retry_after: Option<Duration>,
    /// For the log alone: what the client must not see.
    pub detail: Option<Box<str>>,
}

impl Failure {
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            hint: None,
            columns: Vec::new(),
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
        let mut problem = json!({
            "type": format!("urn:wasmlops:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": message,
            "code": self.code,
            "request_id": request,
        });
        if let Some(hint) = &self.hint {
            problem["hint"] = json!(hint);
        }
        if !self.columns.is_empty() {
            problem["columns"] = json!(self.columns);
        }
        problem
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
                Self { columns, ..Self::bad_request("invalid-columns", message).hint(hint) }
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
        let Error::User(diagnostics) = &error else { return Self::internal(error) };
        let Some(first) = diagnostics.0.first() else { return Self::internal(error) };
        let status = match first.code.as_str() {
            code if code.starts_with("unknown-") || code == "not-found" => StatusCode::NOT_FOUND,
            code if code.ends_with("-conflict") => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        let failure = Self::new(status, first.code.clone(), first.message.as_str());
        Self { hint: first.hint.clone().map(Into::into), ..failure }
    }
}
