//! Events that systems tell each other: CloudEvents 1.0 (cloudevents.io), what of them a trigger takes, and how their
//! senders sign them.
//!
//! Text and bytes come in, types or all mistakes at once come out. Knows neither connections nor keys: what is to be
//! signed is said here, the computing of a MAC is the caller's. Doors: [`parse`], [`Event`], [`Glob`],
//! [`ParamTemplate`], [`Signature`].

mod glob;
mod parse;
mod signature;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use glob::Glob;
pub use parse::{EventError, MOST_EVENTS, parse};
pub use signature::{Signature, SignatureError, TOLERANCE, github_mac, signed_bytes, written_signature};
pub use template::{MissingValue, ParamTemplate, ParamTemplateError};

/// The only version of CloudEvents there is a server for.
pub const SPEC_VERSION: &str = "1.0";

/// The media type of one event in structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// The media type of a list of events.
pub const BATCH: &str = "application/cloudevents-batch+json";

/// An event. [`Event::source`] and [`Event::id`] together say which one it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    pub id: String,
    /// A URI reference.
    pub source: String,
    /// The attribute `type`: `dev.wasmlops.run.succeeded`.
    pub kind: String,
    pub subject: Option<String>,
    /// RFC 3339, as the sender wrote it.
    pub time: Option<String>,
    pub data_schema: Option<String>,
    /// The media type of the data.
    pub data_content_type: Option<String>,
    pub data: Option<Data>,
    /// Attributes beyond the specification's: text, a whole number or a boolean.
    pub extensions: BTreeMap<String, Value>,
}

/// What an event carries.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    Json(Value),
    Text(String),
    /// Bytes, in base64 (RFC 4648, section 4).
    Base64(String),
}

impl Event {
    /// The event as one JSON object: the structured mode, and what `${{ event.… }}` looks into.
    pub fn to_json(&self) -> Value {
        let mut event: Map<String, Value> = self.extensions.clone().into_iter().collect();
        event.insert("specversion".to_owned(), SPEC_VERSION.into());
        event.insert("id".to_owned(), self.id.as_str().into());
        event.insert("source".to_owned(), self.source.as_str().into());
        event.insert("type".to_owned(), self.kind.as_str().into());
        let optional = [
            ("subject", &self.subject),
            ("time", &self.time),
            ("dataschema", &self.data_schema),
            ("datacontenttype", &self.data_content_type),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                event.insert(name.to_owned(), value.as_str().into());
            }
        }
        match &self.data {
            Some(Data::Json(value)) => event.insert("data".to_owned(), value.clone()),
            Some(Data::Text(text)) => event.insert("data".to_owned(), text.as_str().into()),
            Some(Data::Base64(text)) => event.insert("data_base64".to_owned(), text.as_str().into()),
            None => None,
        };
        Value::Object(event)
    }

    /// The trace that the event is part of (W3C trace context): the extension `traceparent`.
    pub fn trace(&self) -> Option<&str> {
        self.extensions.get("traceparent").and_then(Value::as_str).filter(|text| is_traceparent(text))
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, with ids that are not all zeros.
fn is_traceparent(text: &str) -> bool {
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let some = |text: &str| text.bytes().any(|byte| byte != b'0');
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [version, trace, span, flags] => {
            hex(version, 2)
                && *version != "ff"
                && hex(trace, 32)
                && some(trace)
                && hex(span, 16)
                && some(span)
                && hex(flags, 2)
        }
        _ => false,
    }
}
