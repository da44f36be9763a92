//! From ended spans to batches: a bounded queue, and the thread that empties it. The thread is one of its own because
//! the exporter sleeps between its repeats.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Spans in one request.
const BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const GATHER: Duration = Duration::from_secs(1);

static SENT: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

/// What became of the process' spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceCounts {
    pub sent: u64,
    /// The queue was full.
    pub dropped: u64,
    /// The collector did not take them, repeats included.
    pub failed: u64,
}

/// Of the whole process, as its subscriber is.
pub fn counts() -> TraceCounts {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    TraceCounts { sent: read(&SENT), dropped: read(&DROPPED), failed: read(&FAILED) }
}

pub(super) enum Message {
    Span(Box<SpanData>),
    /// Send what came before, answer, and end.
    Close(oneshot::Sender<()>),
}

/// Where spans go when they end.
#[derive(Debug)]
pub(super) struct Queue(SyncSender<Message>);

impl Queue {
    pub fn new(queue: SyncSender<Message>) -> Self {
        Self(queue)
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(Message::Span(Box::new(span))).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends until it is told to close, or until nobody is left who could send spans.
pub(super) fn work(exporter: &impl SpanExporter, messages: &Receiver<Message>, runtime: &Handle) {
    while let Ok(first) = messages.recv() {
        let (batch, close) = gather(first, messages);
        let count = batch.len() as u64;
        if count > 0 {
            let counter = match runtime.block_on(exporter.export(batch)) {
                Ok(()) => &SENT,
                Err(error) => {
                    tracing::warn!("{count} spans of traces are lost: {error}");
                    &FAILED
                }
            };
            counter.fetch_add(count, Ordering::Relaxed);
        }
        if let Some(close) = close {
            // Whoever does not wait any more does not want to know.
            let _ = close.send(());
            return;
        }
    }
}

fn gather(first: Message, messages: &Receiver<Message>) -> (Vec<SpanData>, Option<oneshot::Sender<()>>) {
    let until = Instant::now() + GATHER;
    let mut batch = Vec::new();
    let mut next = Ok(first);
    loop {
        match next {
            Ok(Message::Span(span)) => batch.push(*span),
            Ok(Message::Close(close)) => return (batch, Some(close)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (batch, None),
        }
        if batch.len() >= BATCH {
            return (batch, None);
        }
        next = messages.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    #[test]
    fn spans_beyond_the_queue_are_dropped_and_counted() {
        let (queue, messages) = sync_channel(3);
        let provider = SdkTracerProvider::builder().with_span_processor(Queue::new(queue)).build();
        let before = counts().dropped;
        for _ in 0..5 {
            provider.tracer("test").start("a").end();
        }
        assert_eq!(counts().dropped - before, 2);
        assert_eq!(messages.try_iter().count(), 3);
    }
}
