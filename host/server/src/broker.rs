//! The one way out: every HTTP request of a guest, a webhook or the host itself passes here.
//!
//! A request goes only to an origin (scheme, host and port) that was granted, and only to an address that is public,
//! unless the grant names the private address itself. Redirects are not followed, sizes and times are capped, and
//! nothing is taken from the environment. Knows nothing of runs and endpoints.

mod address;
mod credentials;
mod traced;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Method, Response, redirect};
use tracing::{Instrument, Span};
use wasmlops_core::call::{Http, HttpFailure, HttpRequest, HttpResponse, Reply};
use wasmlops_core::config::Origin;

use crate::host::Host;
pub use credentials::Credentials;

/// Until the whole answer is there.
const LONGEST: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer's body.
const LARGEST: u64 = 16 << 20;

/// Sends requests. Clones share connections.
#[derive(Clone, Default)]
pub struct Broker {
    /// Made when first used: it reads the system's certificates.
    client: Arc<OnceLock<Client>>,
    /// Names may lead to private addresses.
    anywhere: bool,
}

/// A broker together with what one caller was granted.
struct Granted {
    broker: Broker,
    origins: Vec<Origin>,
    credentials: Credentials,
    /// The caller's, who asks from threads of its own.
    span: Span,
}

/// The door for a guest that was granted these origins, such as `https://api.example.com`. A text that is no origin
/// grants nothing. `credentials` go into its requests, and never to it.
pub fn http(host: &Host, origins: Vec<String>, credentials: Credentials) -> Arc<dyn Http> {
    let origins = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    Arc::new(Granted { broker: host.broker.clone(), origins, credentials, span: Span::current() })
}

impl Http for Granted {
    fn send(&self, request: HttpRequest) -> Reply<'_, Result<HttpResponse, HttpFailure>> {
        let origin = request.url.parse().ok().and_then(|url| origin_of(&url).ok());
        let request = self.credentials.put_into(origin.as_ref(), request);
        let answer = async move { self.credentials.check(self.broker.send(&self.origins, request).await?) };
        Box::pin(answer.instrument(self.span.clone()))
    }
}

impl Broker {
    /// For origins that the operator of this process names, whatever address they lead to.
    pub fn for_operator() -> Self {
        Self { anywhere: true, ..Self::default() }
    }

    /// Sends a request if it goes to one of `granted`, as a part of the trace that is being worked in.
    ///
    /// # Errors
    /// [`HttpFailure::Denied`] for another origin or a private address; the rest as their names say.
    pub async fn send(&self, granted: &[Origin], mut request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let span = traced::span(&mut request);
        let answer = self.send_untraced(granted, request).instrument(span.clone()).await;
        traced::end(&span, &answer);
        answer
    }

    /// The same outside all traces.
    pub(crate) async fn send_untraced(
        &self,
        granted: &[Origin],
        request: HttpRequest,
    ) -> Result<HttpResponse, HttpFailure> {
        let url: reqwest::Url =
            request.url.parse().map_err(|error| HttpFailure::InvalidRequest(format!("`{}`: {error}", request.url)))?;
        let origin = origin_of(&url)?;
        if !granted.contains(&origin) {
            return Err(HttpFailure::Denied(format!("requests to `{}` are not granted", origin.as_str())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpFailure::InvalidRequest("credentials in the URL end up in logs".to_owned()));
        }
        let limit = request.timeout.map_or(LONGEST, |asked| asked.min(LONGEST));
        match tokio::time::timeout(limit, self.exchange(url, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpFailure::TimedOut(limit)),
        }
    }

    async fn exchange(&self, url: reqwest::Url, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let invalid = |what: &str| HttpFailure::InvalidRequest(what.to_owned());
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| invalid("the method is no token"))?;
        let mut builder = self.client()?.request(method, url).body(request.body);
        for (name, value) in request.headers.iter().filter(|(name, _)| !is_ours(name)) {
            builder = builder.header(name, value.as_slice());
        }
        let response = builder.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        Ok(HttpResponse { status, headers, body: body(response).await? })
    }

    fn client(&self) -> Result<&Client, HttpFailure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another part of the process may have chosen the same provider before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(concat!("wasmlops/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT);
        let builder = if self.anywhere { builder } else { builder.dns_resolver(PublicAddresses) };
        let client = builder
            .build()
            .map_err(|error| HttpFailure::Unreachable(format!("the HTTP client cannot start: {error}")))?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The origin that a request goes to.
fn origin_of(url: &reqwest::Url) -> Result<Origin, HttpFailure> {
    let invalid = |what: &str| HttpFailure::InvalidRequest(format!("`{}`: {what}", url.scheme()));
    let host = url.host_str().ok_or_else(|| invalid("the URL names no host"))?;
    let port = url.port_or_known_default().ok_or_else(|| invalid("the URL names no port"))?;
    format!("{}://{host}:{port}", url.scheme())
        .parse()
        .map_err(|_| invalid("the URL leads to no origin of `http` or `https`"))
}

/// Headers that describe the connection, which is the broker's.
fn is_ours(name: &str) -> bool {
    const OURS: [&str; 8] = [
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

async fn body(mut response: Response) -> Result<Vec<u8>, HttpFailure> {
    if response.content_length().is_some_and(|length| length > LARGEST) {
        return Err(HttpFailure::TooLarge(LARGEST));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() as u64 + chunk.len() as u64 > LARGEST {
            return Err(HttpFailure::TooLarge(LARGEST));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The first cause that says something: reqwest's own text repeats the URL, which may hold a secret.
fn failure(error: reqwest::Error) -> HttpFailure {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        if let Some(refused) = deeper.downcast_ref::<address::NotPublic>() {
            return HttpFailure::Denied(refused.to_string());
        }
        cause = deeper;
    }
    if error.is_builder() {
        return HttpFailure::InvalidRequest(cause.to_string());
    }
    HttpFailure::Unreachable(format!("{error}: {cause}"))
}

/// Resolves names to public addresses only. Names of this machine itself (`localhost`) resolve to loopback: who grants
/// them means it. Addresses written as such in a grant never come here.
struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let local = name == "localhost" || name.ends_with(".localhost");
            let allowed = |address: &SocketAddr| match local {
                true => address.ip().is_loopback(),
                false => address::is_public(address.ip()),
            };
            match found.iter().find(|address| !allowed(address)) {
                // One bad answer among good ones is how rebinding begins.
                Some(refused) => Err(address::NotPublic { name, address: refused.ip() }.into()),
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests;
