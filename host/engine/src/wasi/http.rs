//! `wasi:http`, outgoing requests only: each goes as a whole to the call's broker, and the answer comes back as one.
//!
//! Nothing is sent from here. Where a call was granted no HTTP, or the broker refuses, the guest gets WASI's
//! `HTTP-request-denied`; WASI's codes carry no text, so the reason goes to the step's log.

mod purse;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use wasmlops_core::call::{Http, HttpFailure, HttpRequest, HttpResponse, LogLevel};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks};

use self::purse::{Held, Purse};
use crate::home::Home;
use crate::log_sink::LogSink;
use crate::state::State;
use crate::watch::Watch;

/// Bytes of one set of headers, with what they take in memory. Servers commonly take 8 to 16 KiB.
const HEADERS: usize = 32 << 10;

/// What `wasi:http` needs of a call's state.
pub(crate) struct Outgoing {
    context: WasiHttpCtx,
    broker: Broker,
}

impl Outgoing {
    pub fn new(http: Option<Arc<dyn Http>>, home: Home, watch: &Arc<Watch>, log: &LogSink) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(HEADERS);
        Self { context, broker: Broker { http, home, watch: watch.clone(), log: log.clone(), purse: Purse::default() } }
    }
}

impl State {
    pub(super) fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.watch.note_call();
        let Outgoing { context, broker } = &mut self.http;
        WasiHttpCtxView { hooks: broker, table: &mut self.handles, ctx: context }
    }
}

/// The way to the broker.
#[derive(Clone)]
struct Broker {
    http: Option<Arc<dyn Http>>,
    home: Home,
    watch: Arc<Watch>,
    log: LogSink,
    purse: Purse,
}

/// What wasmtime-wasi-http calls the answer to a request: with it comes the work that its body needs, here none.
type Sent = wasmtime_wasi_http::Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>)>;

impl WasiHttpHooks for Broker {
    /// The broker sets it, from the address that it has checked.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let broker = self.clone();
        Box::new(async move {
            let answer = broker.send(request, options.unwrap_or_default()).await?;
            let nothing: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((answer, nothing))
        })
    }
}

impl Broker {
    async fn send(
        self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<http::Response<WasiBody>, Error> {
        let (parts, body) = request.into_parts();
        let Some(http) = self.http.clone() else {
            let (method, url) = (parts.method, parts.uri);
            return Err(
                self.explain(Error::HttpRequestDenied, &format!("{method} {url}: the step was granted no HTTP"))
            );
        };
        let mut body = self.collect(body).await?;
        let RequestOptions { connect_timeout, first_byte_timeout, between_bytes_timeout } = options;
        let request = HttpRequest {
            method: parts.method.as_str().to_ascii_uppercase(),
            url: parts.uri.to_string(),
            headers: parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().into())).collect(),
            body: body.give(),
            // The broker knows one timeout for all of it.
            timeout: connect_timeout.max(first_byte_timeout).max(between_bytes_timeout),
        };
        let shown = format!("{} {}", request.method, request.url);
        self.watch.note_bytes(head_bytes(&request.headers) + request.url.len());
        let answer = self.home.run(async move { http.send(request).await }).await;
        drop(body);
        match answer {
            Some(Ok(response)) => self.response(response),
            Some(Err(failure)) => {
                let reason = format!("{shown}: {failure}");
                Err(self.explain(code(failure), &reason))
            }
            None => Err(Error::InternalError(Some("the host failed while it sent the request".into()))),
        }
    }

    async fn collect(&self, mut body: WasiBody) -> Result<Held, Error> {
        let mut held = self.purse.open();
        while let Some(frame) = body.frame().await {
            // What is no data is a trailer.
            let data = frame?.into_data().unwrap_or_default();
            self.watch.note_bytes(data.len());
            if !held.push(&data) {
                return Err(self.explain(Error::HttpRequestBodySize(None), purse::EMPTY));
            }
        }
        Ok(held)
    }

    fn response(&self, response: HttpResponse) -> Result<http::Response<WasiBody>, Error> {
        let HttpResponse { status, headers, body } = response;
        self.watch.note_bytes(head_bytes(&headers) + body.len());
        let size = body.len() as u64;
        let Some(body) = self.purse.hold(body) else {
            return Err(self.explain(Error::HttpResponseBodySize(Some(size)), purse::EMPTY));
        };
        let mut builder = http::Response::builder().status(status);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let body = Full::new(Bytes::from_owner(body)).map_err(|never| match never {}).boxed_unsync();
        builder.body(body).map_err(|error| self.explain(Error::HttpProtocolError, &error.to_string()))
    }

    /// Says in the step's log what the code leaves out.
    fn explain(&self, code: Error, reason: &str) -> Error {
        let because = code.source().map_or_else(String::new, |source| format!(": {source}"));
        self.log.write(LogLevel::Warn, &format!("{code}{because}: {reason}"), &[]);
        code
    }
}

fn head_bytes(headers: &[(String, Vec<u8>)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn code(failure: HttpFailure) -> Error {
    match failure {
        HttpFailure::Denied(_) => Error::HttpRequestDenied,
        HttpFailure::InvalidRequest(_) => Error::HttpRequestUriInvalid,
        HttpFailure::Unreachable(_) => Error::DestinationUnavailable,
        HttpFailure::TimedOut(Duration { .. }) => Error::ConnectionTimeout,
        HttpFailure::TooLarge(size) => Error::HttpResponseBodySize(Some(size)),
    }
}
