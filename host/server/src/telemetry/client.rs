//! The exporter's way out: the broker, as for everything else that leaves this process. What the operator names is a
//! grant of its own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;
use wasmlops_core::call::HttpRequest;
use wasmlops_core::config::Origin;

use crate::broker::Broker;

pub(super) struct Client {
    broker: Broker,
    origin: Origin,
    runtime: Handle,
}

impl Client {
    /// For requests to `endpoint` alone.
    pub fn new(endpoint: &str, runtime: Handle) -> Result<Self, String> {
        let url: reqwest::Url = endpoint.parse().map_err(|error| format!("{error}"))?;
        let origin = url.origin().ascii_serialization().parse().map_err(|_| "it is no `http` or `https` URL")?;
        Ok(Self { broker: Broker::for_operator(), origin, runtime })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What `async fn` in the trait stands for.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(&'life0 self, request: Request<Bytes>) -> Answer<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let (broker, origin) = (self.broker.clone(), self.origin.clone());
        // The exporter's thread is none of the runtime's, where the broker's connections live.
        let exchange = self.runtime.spawn(async move { exchange(&broker, origin, request).await });
        Box::pin(async move { exchange.await? })
    }
}

async fn exchange(broker: &Broker, origin: Origin, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    let request = HttpRequest {
        method: parts.method.to_string(),
        url: parts.uri.to_string(),
        headers: headers.collect(),
        body: body.to_vec(),
        timeout: None,
    };
    // Traces of sending traces would never end.
    let answer = broker.send_untraced(&[origin], request).await.map_err(|failure| format!("{failure:?}"))?;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Bytes::from(answer.body))?)
}
