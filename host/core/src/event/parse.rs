//! Events as they come over HTTP (CloudEvents HTTP protocol binding 1.0.2, JSON event format 1.0.2): binary, structured
//! and batched. Which of them it is, the content type says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{BATCH, Data, Event, SPEC_VERSION, STRUCTURED};
use crate::strict_json;

/// Events in one batch.
pub const MOST_EVENTS: usize = 1000;

/// Bytes of one attribute.
const LONGEST: usize = 4096;

/// Attributes of one event beyond the specification's.
const MOST_EXTENSIONS: usize = 64;

/// Why a request is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// What the content type is.
    #[error("`{0}` is not a content type of CloudEvents")]
    ContentType(String),
    #[error("CloudEvents version `{0}` is not known, only `{SPEC_VERSION}`")]
    Version(String),
    #[error("more than {MOST_EVENTS} events in one batch")]
    TooMany,
    /// All that is wrong.
    #[error("{}", .0.join("; "))]
    Malformed(Vec<String>),
}

/// Reads a request. Names of headers count in any case; each value is the bytes between the colon and the line's end.
///
/// # Errors
/// Everything that is wrong with the request, and no event of a batch in which one is wrong.
pub fn parse(headers: &[(&str, &[u8])], body: &[u8]) -> Result<Vec<Event>, EventError> {
    let content_type = header(headers, "content-type").map(|value| String::from_utf8_lossy(value).into_owned());
    let media_type = content_type.as_deref().map(media_type).unwrap_or_default();
    match media_type.as_str() {
        STRUCTURED => Ok(vec![structured(&read_json(body)?, "the event")?]),
        BATCH => batch(&read_json(body)?),
        other if other.starts_with("application/cloudevents") => Err(EventError::ContentType(other.to_owned())),
        _ if headers.iter().any(|(name, _)| attribute(name).is_some()) => {
            binary(headers, content_type, body).map(|event| vec![event])
        }
        other => Err(EventError::ContentType(other.to_owned())),
    }
}

fn read_json(body: &[u8]) -> Result<Value, EventError> {
    strict_json::parse(body).map_err(|error| EventError::Malformed(vec![format!("the body is not JSON: {error}")]))
}

fn batch(value: &Value) -> Result<Vec<Event>, EventError> {
    let Value::Array(items) = value else {
        return Err(EventError::Malformed(vec!["a batch is a list of events".to_owned()]));
    };
    if items.len() > MOST_EVENTS {
        return Err(EventError::TooMany);
    }
    let mut problems = Vec::new();
    let mut events = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match structured(item, &format!("event {index}")) {
            Ok(event) => events.push(event),
            Err(EventError::Malformed(more)) => problems.extend(more),
            Err(other) => return Err(other),
        }
    }
    if problems.is_empty() { Ok(events) } else { Err(EventError::Malformed(problems)) }
}

/// `what` names the event in messages.
fn structured(value: &Value, what: &str) -> Result<Event, EventError> {
    let Value::Object(map) = value else {
        return Err(EventError::Malformed(vec![format!("{what} is not an object")]));
    };
    let mut attributes = Attributes::new(what);
    for (name, value) in map.iter().filter(|(name, _)| !matches!(name.as_str(), "data" | "data_base64")) {
        attributes.add(name, value.clone());
    }
    let data = structured_data(map, &mut attributes);
    attributes.event(data)
}

fn structured_data(map: &Map<String, Value>, attributes: &mut Attributes) -> Option<Data> {
    match (map.get("data"), map.get("data_base64")) {
        (Some(_), Some(_)) => {
            attributes.wrong("has both `data` and `data_base64`");
            None
        }
        (Some(value), None) => Some(Data::Json(value.clone())),
        (None, Some(Value::String(text))) if is_base64(text) => Some(Data::Base64(text.clone())),
        (None, Some(_)) => {
            attributes.wrong("has a `data_base64` that is not base64");
            None
        }
        (None, None) => None,
    }
}

fn binary(headers: &[(&str, &[u8])], content_type: Option<String>, body: &[u8]) -> Result<Event, EventError> {
    let mut attributes = Attributes::new("the event");
    for (name, value) in headers.iter().filter_map(|(name, value)| Some((attribute(name)?, value))) {
        match decoded(value) {
            Some(text) => attributes.add(&name, Value::String(text)),
            None => attributes.wrong(&format!("has a header `ce-{name}` that is not percent-encoded UTF-8")),
        }
    }
    let data = binary_data(content_type.as_deref(), body, &mut attributes);
    if let Some(content_type) = content_type {
        attributes.found.entry("datacontenttype".to_owned()).or_insert(Value::String(content_type));
    }
    attributes.event(data)
}

/// JSON where the content type says so, or says nothing and it is JSON; then text, then bytes.
fn binary_data(content_type: Option<&str>, body: &[u8], attributes: &mut Attributes) -> Option<Data> {
    if body.is_empty() {
        return None;
    }
    let media_type = content_type.map(media_type);
    let is_json = media_type.as_deref().map(|kind| kind.ends_with("/json") || kind.ends_with("+json"));
    match (is_json, strict_json::parse(body)) {
        (Some(true) | None, Ok(value)) => return Some(Data::Json(value)),
        (Some(true), Err(error)) => {
            attributes.wrong(&format!("has data that is not JSON: {error}"));
            return None;
        }
        _ => {}
    }
    Some(match std::str::from_utf8(body) {
        Ok(text) => Data::Text(text.to_owned()),
        Err(_) => Data::Base64(base64(body)),
    })
}

/// The attributes of an event, and what is wrong with them.
struct Attributes<'w> {
    what: &'w str,
    found: BTreeMap<String, Value>,
    problems: Vec<String>,
}

impl<'w> Attributes<'w> {
    fn new(what: &'w str) -> Self {
        Self { what, found: BTreeMap::new(), problems: Vec::new() }
    }

    fn wrong(&mut self, how: &str) {
        self.problems.push(format!("{} {how}", self.what));
    }

    fn add(&mut self, name: &str, value: Value) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let shown: String = name.chars().take(50).collect();
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            self.wrong(&format!("has an attribute `{shown}`: names are lower-case letters and digits"));
            return;
        }
        match &value {
            Value::String(text) if text.len() > LONGEST => {
                self.wrong(&format!("has an attribute `{shown}` of more than {LONGEST} bytes"));
            }
            Value::String(text) if text.chars().any(char::is_control) => {
                self.wrong(&format!("has control characters in the attribute `{shown}`"));
            }
            Value::Array(_) | Value::Object(_) => {
                self.wrong(&format!("has an attribute `{shown}` that is neither text, number nor boolean"));
            }
            // The same as if it were not there.
            Value::Null => {}
            _ if self.found.contains_key(name) => self.wrong(&format!("has the attribute `{shown}` twice")),
            _ => {
                self.found.insert(name.to_owned(), value);
            }
        }
    }

    fn event(mut self, data: Option<Data>) -> Result<Event, EventError> {
        // What another version means by its attributes is not for us to say.
        match self.found.remove("specversion") {
            Some(Value::String(version)) if version == SPEC_VERSION => {}
            Some(Value::String(version)) => return Err(EventError::Version(version.chars().take(20).collect())),
            Some(_) => self.wrong("has a `specversion` that is not text"),
            None => self.wrong("lacks `specversion`"),
        }
        let (id, source, kind) = (self.required("id"), self.required("source"), self.required("type"));
        if source.as_deref().is_some_and(|source| source.contains(char::is_whitespace)) {
            self.wrong("has a `source` that is not a URI");
        }
        let (subject, time) = (self.optional("subject"), self.optional("time"));
        if time.as_deref().is_some_and(|time| time.parse::<jiff::Timestamp>().is_err()) {
            self.wrong("has a `time` that is not an RFC 3339 time with its offset");
        }
        let (data_schema, data_content_type) = (self.optional("dataschema"), self.optional("datacontenttype"));
        if self.found.len() > MOST_EXTENSIONS {
            self.wrong(&format!("has more than {MOST_EXTENSIONS} further attributes"));
        }
        let (Some(id), Some(source), Some(kind), true) = (id, source, kind, self.problems.is_empty()) else {
            return Err(EventError::Malformed(self.problems));
        };
        let extensions = self.found;
        Ok(Event { id, source, kind, subject, time, data_schema, data_content_type, data, extensions })
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let known = self.found.contains_key(name);
        let text = self.optional(name);
        if !known {
            self.wrong(&format!("lacks `{name}`"));
        }
        text
    }

    /// A text that is not empty, as the specification asks of all its attributes.
    fn optional(&mut self, name: &str) -> Option<String> {
        match self.found.remove(name)? {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::String(_) => {
                self.wrong(&format!("has an empty `{name}`"));
                None
            }
            _ => {
                self.wrong(&format!("has a `{name}` that is not text"));
                None
            }
        }
    }
}

/// The attribute that a header holds.
fn attribute(header: &str) -> Option<String> {
    let (prefix, name) = header.split_at_checked(3)?;
    prefix.eq_ignore_ascii_case("ce-").then(|| name.to_ascii_lowercase())
}

fn header<'h>(headers: &[(&str, &'h [u8])], wanted: &str) -> Option<&'h [u8]> {
    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
}

/// Lower-case, without parameters.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The text of a header's value: an optional pair of quotes is taken off, then percent-encoding (HTTP binding, 3.1.3.2).
fn decoded(value: &[u8]) -> Option<String> {
    let value = value.trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).map(unescaped);
    let value = unquoted.unwrap_or_else(|| value.to_vec());
    let mut bytes = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        if value[at] == b'%' {
            let hex = std::str::from_utf8(value.get(at + 1..at + 3)?).ok()?;
            let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            bytes.push(u8::from_str_radix(hex, 16).ok().filter(|_| digits)?);
            at += 3;
        } else {
            bytes.push(value[at]);
            at += 1;
        }
    }
    String::from_utf8(bytes).ok()
}

fn unescaped(quoted: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted.iter();
    while let Some(byte) = rest.next() {
        bytes.push(if *byte == b'\\' { *rest.next().unwrap_or(byte) } else { *byte });
    }
    bytes
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let number = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for place in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
