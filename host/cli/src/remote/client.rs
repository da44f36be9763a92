//! One server and one token: asks, and turns what comes back into values or into mistakes with their fix. Knows no
//! command.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH};
use reqwest::{Certificate, Method, Request, Response, StatusCode, Url, redirect};
use serde_json::Value;
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};
use wasmlops_server::error::Error;

const CONNECT: Duration = Duration::from_secs(10);
/// For an answer to begin or to go on; a long download is no mistake.
const SILENCE: Duration = Duration::from_secs(60);

/// Where a server is, and who asks.
pub struct ServerAddress {
    pub url: String,
    /// A bearer token.
    pub token: Option<String>,
    /// Of the authority that signed the server's certificate, PEM; the system's authorities are trusted as well.
    pub authority: Option<Vec<u8>>,
    /// A project that the server serves.
    pub project: Option<String>,
}

pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<HeaderValue>,
    project: Option<String>,
}

impl Client {
    /// Reaches for nothing yet.
    ///
    /// # Errors
    /// The user's: no address, a certificate or a token that cannot be one, a token that would cross a network in the
    /// clear.
    pub fn new(address: ServerAddress) -> Result<Self> {
        let hint = "give the address that `wasmlops serve` prints, such as `http://127.0.0.1:7070`";
        let wrong = |why: String| Error::user("invalid-server", format!("`{}`: {why}", address.url), hint);
        let base: Url = address.url.parse().map_err(|error| wrong(format!("{error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() || base.path() != "/" {
            return Err(wrong("it is no address of a server".to_owned()).into());
        }
        if address.token.is_some() && base.scheme() == "http" && !is_loopback(&base) {
            let message = "a token is not sent to another machine without TLS".to_owned();
            return Err(Error::user("insecure-server", message, "write `https://`").into());
        }
        Ok(Self {
            http: http(address.authority.as_deref())?,
            base,
            token: address.token.map(bearer).transpose()?,
            project: address.project,
        })
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    fn call(&self, method: Method, path: &str) -> Call<'_> {
        let mut url = self.base.clone();
        url.set_path(path);
        let mut request = Request::new(method, url);
        if let Some(token) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        Call { client: self, request }.query_some("project", self.project.as_deref())
    }
}

/// A request that is being put together.
pub struct Call<'a> {
    client: &'a Client,
    request: Request,
}

impl Call<'_> {
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.request.url_mut().query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    /// Left out where there is no value.
    pub fn query_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Only if what is changed has this entity tag (RFC 9110, section 13.1.1).
    pub fn if_match(mut self, tag: &str) -> Self {
        if let Ok(tag) = HeaderValue::from_str(tag) {
            self.request.headers_mut().insert(IF_MATCH, tag);
        }
        self
    }

    pub fn body(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    pub fn bytes(mut self, media_type: &'static str, bytes: Vec<u8>) -> Self {
        self.request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        *self.request.body_mut() = Some(bytes.into());
        self
    }

    /// Whether there is such a thing: `None` for a 404.
    pub async fn value_if_any(self) -> Result<Option<Value>> {
        let server = self.client.base.clone();
        let sent = self.client.http.execute(self.request).await;
        let response = sent.map_err(|error| unreachable(&server, &error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let bytes = success(&server, response).await?.bytes().await.map_err(|error| unreachable(&server, &error))?;
        Ok(Some(json(&server, &bytes)?))
    }

    /// The answer as a value.
    pub async fn value(self) -> Result<Value> {
        let server = self.client.base.clone();
        let bytes = self.send().await?.bytes().await.map_err(|error| unreachable(&server, &error))?;
        json(&server, &bytes)
    }

    /// The answer's bytes as they come, handed to `take`.
    pub async fn stream(self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let server = self.client.base.clone();
        let mut response = self.send().await?;
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&server, &error))? {
            take(&chunk)?;
        }
        Ok(())
    }

    /// # Errors
    /// A server that does not answer, and every answer that is no success.
    async fn send(self) -> Result<Response> {
        let server = &self.client.base;
        let response = self.client.http.execute(self.request).await.map_err(|error| unreachable(server, &error))?;
        success(server, response).await
    }
}

/// An answer that is no success is a mistake or a fault.
async fn success(server: &Url, response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.bytes().await.unwrap_or_default();
    Err(refusal(server, status, &serde_json::from_slice(&body).unwrap_or_default()))
}

/// What says nothing is null.
fn json(server: &Url, bytes: &[u8]) -> Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|_| odd(server, "something that is not JSON"))
}

fn http(authority: Option<&[u8]>) -> Result<reqwest::Client> {
    // Another part of the process may have chosen the same provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("wasmlops/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE);
    if let Some(pem) = authority {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|error| {
            Error::user("invalid-certificate", format!("the authority's file: {error}"), "give PEM certificates")
        })?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().context("cannot make an HTTP client")
}

fn bearer(token: String) -> Result<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {}", token.trim())).map_err(|_| {
        Error::user("invalid-token", "the token has characters that no token has", "copy it again, without line breaks")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn unreachable(server: &Url, error: &reqwest::Error) -> anyhow::Error {
    // The innermost cause says what happened; the outer ones repeat the address.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let hint = "start the server with `wasmlops serve`, or name another with `--server URL`";
    Error::user("no-answer", format!("no answer from `{}`: {cause}", shown(server)), hint).into()
}

fn odd(server: &Url, what: &str) -> anyhow::Error {
    let message = format!("`{}` answered with {what}", shown(server));
    Error::user("odd-answer", message, "is it a `wasmlops serve` of this version?").into()
}

/// Problem details (RFC 9457): the user's mistakes, all of them; what is the server's fault stays its fault.
fn refusal(server: &Url, status: StatusCode, problem: &Value) -> anyhow::Error {
    let text = |key: &str| problem[key].as_str();
    let Some(message) = text("detail").or(text("title")) else {
        return odd(server, &format!("status {status} and no reason"));
    };
    if status.is_server_error() {
        let id = text("request_id").map_or_else(String::new, |id| format!(" (request {id})"));
        return anyhow::anyhow!("`{}` answered {status}: {message}{id}", shown(server));
    }
    if let Some(errors) = problem["errors"].as_array().filter(|errors| !errors.is_empty()) {
        let all = errors.iter().filter_map(|error| serde_json::from_value::<Diagnostic>(error.clone()).ok());
        let all: Vec<Diagnostic> = all.collect();
        if !all.is_empty() {
            return Error::User(Diagnostics(all)).into();
        }
    }
    let hint = match (status, text("hint")) {
        (_, Some(hint)) => hint,
        (StatusCode::UNAUTHORIZED, None) => "put a token into the environment variable `WASMLOPS_TOKEN`",
        (StatusCode::FORBIDDEN, None) => "ask an admin of the project for a token with that right",
        (_, None) => "see what is there with the `list` and `show` commands",
    };
    Error::user(text("code").unwrap_or("refused"), message, hint).into()
}

fn shown(server: &Url) -> String {
    server.origin().ascii_serialization()
}

/// A segment of a path, whatever the user wrote into it (RFC 3986, section 3.3).
pub fn segment(text: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'@' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    match text {
        // These would climb.
        "." | ".." => text.replace('.', "%2E"),
        text => text.bytes().map(escaped).collect(),
    }
}
