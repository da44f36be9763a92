//! HTTP requests to the origins that the step was granted. The manifest must ask for the capability `http`.
//!
//! Requests and answers travel whole, at most 64 MiB at once. The host checks where each request goes, follows no
//! redirects, and keeps time and size limits. In native tests [`crate::testing::answer_http`] stands
//! for the network.

#[cfg(target_family = "wasm")]
mod outgoing;
mod url;

use std::time::Duration;

use crate::error::Result;

/// A request in the making:
///
/// ```text
/// let answer = http::send(&Request::post("https://api.example.com/v1/models").json(&model)?)?;
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub method: String,
    /// Absolute, `http` or `https`.
    pub url: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Until the whole answer is there; absent: as long as the host waits.
    pub timeout: Option<Duration>,
}

impl Request {
    /// `method` as HTTP writes it: `GET`, `PATCH`.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: Vec::new(), timeout: None }
    }

    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header; one that was there stays. `host`, `connection` and the like are the host's to set.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A JSON body with its content type.
    ///
    /// Errors: `internal` for a value that JSON cannot hold.
    pub fn json(self, value: &impl serde::Serialize) -> Result<Self> {
        let body = serde_json::to_vec(value)
            .map_err(|error| crate::Error::internal(format!("the body is no JSON: {error}")))?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// What came back, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Sends a request and waits for the whole answer. An answer of any status is `Ok`.
///
/// Errors: `denied` for what was not granted, `unavailable` where no answer came (the host retries a step that passes
/// this on), `exhausted` for bodies beyond the limit, `invalid-input` for what is no request.
pub fn send(request: &Request) -> Result<Response> {
    let parts = url::parts(&request.url)?;
    #[cfg(target_family = "wasm")]
    return outgoing::send(request, &parts);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = parts;
        crate::testing::send(request)
    }
}
