//! Traces: one from a request or trigger through the run, its steps and their host calls, or through the queue and the
//! guest that predicts, sent over OTLP (HTTP, protobuf) to the collector that the operator names.
//!
//! Whoever does something makes a span with [`TARGET`]; without a collector no layer wants it, and it costs a look at a
//! flag. Nothing here knows what the spans are about. Doors: [`Telemetry`] (sending), [`TraceParent`] (W3C trace
//! context, in and out), [`counts`].

mod client;
mod context;
mod export;

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanExporter as _};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use self::client::Client;
pub use self::context::TraceParent;
use self::export::{Message, Queue};
pub use self::export::{TraceCounts, counts};
use crate::error::{Error, Result};

/// Spans with this target are what traces consist of.
pub const TARGET: &str = "wasmlops_trace";

/// Spans that wait to be sent. Beyond it they are dropped and counted: work does not wait for its description.
const QUEUE: usize = 8_192;
/// For a batch to be sent, repeats included.
const SEND: Duration = Duration::from_secs(4);

/// Where traces go and what they say of this process.
#[derive(Clone)]
pub struct TelemetryOptions {
    /// The whole URL, such as `http://127.0.0.1:4318/v1/traces`. Its address may be a private one.
    pub endpoint: String,
    /// Sent along with every batch; may hold credentials.
    pub headers: Vec<(String, String)>,
    pub service: String,
    /// Further attributes of the resource.
    pub attributes: Vec<(String, String)>,
}

/// Sends spans from a thread of its own until it is shut down.
pub struct Telemetry {
    provider: SdkTracerProvider,
    queue: SyncSender<Message>,
    thread: JoinHandle<()>,
}

impl Telemetry {
    /// Call it inside a tokio runtime, whose clients it uses.
    ///
    /// # Errors
    /// The user's: an endpoint that is no HTTP URL.
    pub fn start(options: TelemetryOptions) -> Result<Self> {
        let wrong = |why: String| {
            let message = format!("`{}` cannot be sent traces: {why}", options.endpoint);
            Error::user("trace-endpoint", message, "set OTEL_EXPORTER_OTLP_ENDPOINT to a URL such as http://host:4318")
        };
        let runtime = Handle::current();
        let client = Client::new(&options.endpoint, runtime.clone()).map_err(&wrong)?;
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(options.endpoint.clone())
            .with_timeout(SEND)
            .with_headers(options.headers.iter().cloned().collect::<HashMap<_, _>>())
            .with_http_client(client)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let resource = resource(&options);
        exporter.set_resource(&resource);
        let (queue, messages) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || export::work(&exporter, &messages, &runtime))
            .map_err(Error::io("start the thread that sends traces"))?;
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_span_processor(Queue::new(queue.clone())).build();
        Ok(Self { provider, queue, thread })
    }

    /// What turns spans with [`TARGET`] into traces.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("wasmlops"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET))
    }

    /// Sends what has been gathered, for as long as `patience` lasts.
    pub async fn shutdown(self, patience: Duration) {
        let (reply, flushed) = tokio::sync::oneshot::channel();
        let Self { provider, queue, thread } = self;
        let sent = tokio::task::spawn_blocking(move || queue.send(Message::Close(reply)));
        let ended = async {
            let closed = sent.await.is_ok_and(|sent| sent.is_ok());
            closed && flushed.await.is_ok()
        };
        match tokio::time::timeout(patience, ended).await {
            Ok(true) => drop(thread.join()),
            Ok(false) | Err(_) => tracing::warn!("the last traces could not be sent in time"),
        }
        drop(provider);
    }
}

fn resource(options: &TelemetryOptions) -> Resource {
    let further = options.attributes.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(further)
        .with_service_name(options.service.clone())
        .build()
}
