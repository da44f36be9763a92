//! W3C trace context (www.w3.org/TR/trace-context), version 00: which span of whom something is done for. `tracestate`,
//! which is for vendors, is not carried on.

use std::fmt;
use std::str::FromStr;

use axum::http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header, in and out.
pub const TRACEPARENT: &str = "traceparent";

/// A valid `traceparent`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceParent {
    trace: TraceId,
    span: SpanId,
    sampled: bool,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this is no `traceparent` of the W3C trace context")]
pub struct NoTraceParent;

impl TraceParent {
    /// What a request came with; nothing where it is missing, doubled or wrong, as the specification asks.
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(TRACEPARENT).iter();
        match (all.next(), all.next()) {
            (Some(one), None) => one.to_str().ok()?.parse().ok(),
            _ => None,
        }
    }

    /// Of the span that is being worked in; nothing where traces go nowhere.
    pub fn current() -> Option<Self> {
        Self::of_span(&Span::current())
    }

    pub fn of_span(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context();
        let context = context.span().span_context().clone();
        context.is_valid().then(|| Self {
            trace: context.trace_id(),
            span: context.span_id(),
            sampled: context.is_sampled(),
        })
    }

    /// What something that begins with this request belongs to: its span, or, where traces go nowhere, what the caller
    /// said.
    pub fn for_request(headers: &HeaderMap) -> Option<Self> {
        Self::current().or_else(|| Self::of_headers(headers))
    }

    /// Makes a span, which must not have begun, a part of this trace.
    pub fn adopt(self, span: &Span) {
        if span.is_disabled() {
            return;
        }
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let remote = SpanContext::new(self.trace, self.span, flags, true, TraceState::default());
        // It fails where no layer wants the span.
        let _ = span.set_parent(Context::new().with_remote_span_context(remote));
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.trace.to_string()
    }
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let mut parts = text.split('-');
        let mut hex = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length)?;
            part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(part)
        };
        let mut read = || {
            let version = hex(2).filter(|version| *version != "ff")?;
            let trace = TraceId::from_hex(hex(32)?).ok().filter(|trace| *trace != TraceId::INVALID)?;
            let span = SpanId::from_hex(hex(16)?).ok().filter(|span| *span != SpanId::INVALID)?;
            let flags = u8::from_str_radix(hex(2)?, 16).ok()?;
            Some((version == "00", Self { trace, span, sampled: flags & 1 == 1 }))
        };
        let (is_first, parent) = read().ok_or(NoTraceParent)?;
        // Later versions may say more.
        if is_first && parts.next().is_some() { Err(NoTraceParent) } else { Ok(parent) }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_what_is_written() {
        let parent: TraceParent = GOOD.parse().unwrap();
        assert_eq!(parent.to_string(), GOOD);
        assert_eq!(parent.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let later: TraceParent = GOOD.replacen("00", "cc", 1).parse().unwrap();
        assert_eq!(later, parent);
        assert_eq!(format!("cc-{}-more", &GOOD[3..]).parse::<TraceParent>().unwrap(), parent);
    }

    #[test]
    fn what_is_wrong_is_no_parent() {
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert!(wrong.parse::<TraceParent>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_headers_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, GOOD.parse().unwrap());
        assert!(TraceParent::of_headers(&headers).is_some());
        headers.append(TRACEPARENT, GOOD.parse().unwrap());
        assert!(TraceParent::of_headers(&headers).is_none());
    }

    #[test]
    fn without_a_collector_there_is_no_current_one() {
        assert_eq!(TraceParent::current(), None);
    }
}
