//! YAML text into a tree in which every key and value knows its place.
//!
//! Budgets stand here: a file comes from a person, and perhaps from a stranger through the API. Door: [`parse`].

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Location, MessageFormatter, Options};

use crate::diagnostics::{Diagnostic, Diagnostics, Source, Span};

/// Larger than any file that a person writes, smaller than what would slow a server down.
const MAX_BYTES: usize = 1 << 20;

/// How a message about a repeated key begins.
const DUPLICATE: &str = "duplicate key";

/// A value and where it starts.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub value: NodeValue,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum NodeValue {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; no key twice.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub node: Node,
}

impl Node {
    /// The value without its places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            NodeValue::Null => serde_json::Value::Null,
            NodeValue::Bool(value) => (*value).into(),
            NodeValue::Number(value) => value.clone().into(),
            NodeValue::Text(value) => value.as_str().into(),
            NodeValue::List(items) => items.iter().map(Node::to_json).collect(),
            NodeValue::Map(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json()));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }

    /// What it is and what it says, for messages: `text `seven``, `a list`.
    pub fn describe(&self) -> String {
        describe(&self.to_json())
    }

    /// Where the keys (of maps) and items (of lists) below this node stand, by dotted path: `rules.0.column`.
    pub fn spans(&self) -> BTreeMap<String, Span> {
        let mut spans = BTreeMap::new();
        self.collect_spans("", &mut spans);
        spans
    }

    fn collect_spans(&self, path: &str, spans: &mut BTreeMap<String, Span>) {
        let mut add = |segment: &str, span: Span, node: &Node| {
            let path = if path.is_empty() { segment.to_owned() } else { format!("{path}.{segment}") };
            node.collect_spans(&path, spans);
            spans.insert(path, span);
        };
        match &self.value {
            NodeValue::Map(entries) => entries.iter().for_each(|entry| add(&entry.key, entry.key_span, &entry.node)),
            NodeValue::List(items) => {
                items.iter().enumerate().for_each(|(index, item)| add(&index.to_string(), item.span, item));
            }
            _ => {}
        }
    }
}

/// A JSON value in words, short: `text `seven``, `the number 7`, `a list`.
pub(crate) fn describe(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(value) => format!("the number `{value}`"),
        Value::String(text) if text.chars().count() > 60 => {
            format!("text `{}...`", text.chars().take(57).collect::<String>())
        }
        Value::String(text) => format!("text `{text}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// Reads one YAML document.
pub(crate) fn parse(source: &Source) -> Result<Node, Diagnostics> {
    if source.text.len() > MAX_BYTES {
        let message = format!("file is larger than {} KiB", MAX_BYTES >> 10);
        return Err(Diagnostic::new("file-too-large", message).in_file(&source.file).into());
    }
    serde_saphyr::from_str_with_options(&source.text, options()).map_err(|error| explain(source, &error).into())
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            flow_nesting_limit: 32,
            max_documents: 1,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_merge_keys: 100,
            max_recorded_anchor_events: 100_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        emit_comments: false,
        // YAML 1.2 as editors read it: `no` is text, and so are `007` and `1_000`, which would lose characters as
        // numbers.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn explain(source: &Source, error: &Error) -> Diagnostic {
    let mut cause = error;
    while let Error::AliasError { error, .. } | Error::WithSnippet { error, .. } = cause {
        cause = error;
    }
    let message = match cause {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("{DUPLICATE} `{key}`"),
        _ => one_line(&serde_saphyr::DefaultMessageFormatter.format_message(cause)),
    };
    let code = if message.starts_with(DUPLICATE) { "duplicate-key" } else { "invalid-yaml" };
    let diagnostic = Diagnostic::new(code, message);
    match error.location() {
        Some(location) if location != Location::UNKNOWN => diagnostic.at(source, span(&location)),
        _ => diagnostic.in_file(&source.file),
    }
}

/// The parser's message in this project's manner: one line, lower-case, no final period.
fn one_line(text: &str) -> String {
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let text = text.trim().trim_end_matches('.');
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if !text.starts_with("YAML") => first.to_lowercase().chain(characters).collect(),
        _ => text.to_owned(),
    }
}

fn span(location: &Location) -> Span {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    Span { line: number(location.line()), column: number(location.column()) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<NodeValue>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, span: span(&spanned.referenced) })
    }
}

impl<'de> Deserialize<'de> for NodeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = NodeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, a boolean, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Null)
    }

    fn visit_none<E>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<NodeValue, D::Error> {
        NodeValue::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeValue, E> {
        Ok(NodeValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<NodeValue, E> {
        let number = serde_json::Number::from_f64(value);
        number.map(NodeValue::Number).ok_or_else(|| E::custom("infinity and not-a-number have no place in a file"))
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeValue, E> {
        Ok(NodeValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<NodeValue, E> {
        Ok(NodeValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NodeValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(NodeValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<NodeValue, A::Error> {
        let mut entries = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = pairs.next_key::<serde_saphyr::Spanned<String>>()? {
            let node = pairs.next_value()?;
            // The parser compares keys as YAML values, in which `1` and `"1"` differ. As names they do not.
            if !seen.insert(key.value.clone()) {
                return Err(A::Error::custom(format!("{DUPLICATE} `{}`", key.value)));
            }
            entries.push(Entry { key: key.value, key_span: span(&key.referenced), node });
        }
        Ok(NodeValue::Map(entries))
    }
}
