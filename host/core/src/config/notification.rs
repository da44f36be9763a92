//! Notifications: who is told of what happens.

use crate::config::monitor::webhook;
use crate::config::pipeline::check_name;
use crate::config::reader::Reader;
use crate::config::step::one_or_many;
use crate::config::trigger::{read_glob, read_secret};
use crate::config::yaml::{Entry, NodeValue};
use crate::config::{Origin, Spanned, keys, listed};
use crate::diagnostics::Span;
use crate::event::Glob;

/// A subscription to events of the project, from its file.
#[derive(Clone, PartialEq, Debug)]
pub struct NotificationConfig {
    pub name: Spanned<String>,
    /// Its origin is among those of the policy.
    pub url: String,
    /// An event that fits one of these is sent.
    pub types: Vec<Glob>,
    /// The name of the secret that messages are signed with.
    pub secret: Option<String>,
    pub description: Option<String>,
}

/// Reads one entry of `notifications`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry, policy: &[Origin]) -> Option<NotificationConfig> {
    check_name(reader, entry, "notification");
    let what = format!("notification `{}`", entry.key);
    let fields = reader.fields(&entry.node, &what, entry.key_span, keys::NOTIFICATION)?;
    let url = fields.get("url").and_then(|node| reader.parsed(node, "`url`", "wrong-value", webhook));
    if let Some(url) = &url {
        known_origin(reader, &url.value, url.span, policy);
    }
    let types = fields.get("types").map(|node| {
        let items = one_or_many(node);
        if matches!(&node.value, NodeValue::List(items) if items.is_empty()) {
            let hint = "write `types: [\"*\"]` for all";
            reader.problem_with_hint("wrong-value", node.span, format!("{what} has no types of events"), hint);
        }
        items.iter().filter_map(|node| read_glob(reader, node, "an item of `types`")).collect()
    });
    let secret = fields.get("secret").and_then(|node| read_secret(reader, node));
    let description = fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned);
    Some(NotificationConfig {
        name: Spanned::new(entry.key.clone(), entry.key_span),
        url: url?.value,
        types: types?,
        secret,
        description,
    })
}

/// Reports a URL that the broker would not let out.
fn known_origin(reader: &mut Reader<'_>, url: &str, span: Span, policy: &[Origin]) {
    let Some(origin) = origin(url) else { return };
    if policy.contains(&origin) {
        return;
    }
    let message = format!("the policy does not allow requests to `{origin}`");
    let known = match policy {
        [] => String::new(),
        known => format!("; it allows {}", listed(known.iter().map(Origin::as_str))),
    };
    reader.problem_with_hint("not-granted", span, message, format!("add it to `policy.http`{known}"));
}

fn origin(url: &str) -> Option<Origin> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    url[..end].parse().ok()
}
