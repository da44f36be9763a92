//! Walks a YAML tree into types and collects every mistake on the way, so that one reading reports them all.
//!
//! Knows what a list, a text and a key are, not what they mean.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::keys::Key;
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{Spanned, parse_duration};
use crate::diagnostics::{Diagnostic, Problems, Source, Span, suggest};

/// Collects mistakes. Each method that fails has said why before it returns `None`.
pub(super) struct Reader<'a> {
    problems: Problems<'a>,
}

/// The keys of a map that stand in the list of known ones.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    known: &'static [Key],
}

impl<'n> Fields<'n> {
    /// A key with its value. A key without a value counts as absent.
    pub fn entry(&self, name: &str) -> Option<&'n Entry> {
        debug_assert!(self.known.iter().any(|key| key.name == name), "`{name}` must stand in the list of keys");
        self.entries.iter().find(|entry| entry.key == name && entry.node.value != NodeValue::Null)
    }

    /// The value under a key.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|entry| &entry.node)
    }
}

impl<'a> Reader<'a> {
    pub fn new(source: &'a Source) -> Self {
        Self { problems: Problems::new(source) }
    }

    pub fn finish(self) -> Vec<Diagnostic> {
        self.problems.found
    }

    pub fn source(&self) -> &'a Source {
        self.problems.source
    }

    pub fn problem(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.problems.add(code, span, message);
    }

    pub fn problem_with_hint(&mut self, code: &str, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.add_with_hint(code, span, message, hint);
    }

    /// Expected something else than what stands there.
    pub fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        self.problem("wrong-type", node.span, format!("{what} must be {expected}, not {}", node.describe()));
    }

    /// A map whose keys are all known and of which none that is required is missing. `span` is blamed for missing keys.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, span: Span, known: &'static [Key]) -> Option<Fields<'n>> {
        let entries = self.entries(node, what)?;
        let mut meant = Vec::new();
        for entry in entries.iter().filter(|entry| !known.iter().any(|key| key.name == entry.key)) {
            let names = || known.iter().map(|key| key.name);
            let near = suggest(&entry.key, names());
            meant.extend(near);
            let hint = match near {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known keys are {}", listed(names())),
            };
            let message = format!("{what} has no key `{}`", entry.key);
            self.problem_with_hint("unknown-key", entry.key_span, message, hint);
        }
        let fields = Fields { entries, known };
        // A key that is there with a slip in its name has been reported.
        let missing = |key: &&Key| key.required && fields.get(key.name).is_none() && !meant.contains(&key.name);
        for key in known.iter().filter(missing) {
            let message = format!("{what} lacks the key `{}`", key.name);
            self.problem_with_hint("missing-key", span, message, format!("`{}`: {}", key.name, key.about));
        }
        Some(fields)
    }

    pub fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            NodeValue::Map(entries) => Some(entries),
            _ => {
                self.wrong_type(node, what, "a map");
                None
            }
        }
    }

    pub fn items<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            NodeValue::List(items) => Some(items),
            _ => {
                self.wrong_type(node, what, "a list");
                None
            }
        }
    }

    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.value {
            NodeValue::Text(text) => Some(text),
            _ => {
                self.wrong_type(node, what, "text");
                None
            }
        }
    }

    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match &node.value {
            NodeValue::Bool(value) => Some(*value),
            _ => {
                self.wrong_type(node, what, "`true` or `false`");
                None
            }
        }
    }

    /// A whole number within bounds.
    pub fn count(&mut self, node: &Node, what: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let number = node.to_json().as_u64().filter(|number| bounds.contains(number));
        if number.is_none() {
            let expected = match *bounds.end() {
                u64::MAX => format!("a whole number from {}", bounds.start()),
                end => format!("a whole number from {} to {end}", bounds.start()),
            };
            self.wrong_type(node, what, &expected);
        }
        number
    }

    /// A number from 0 to 1.
    pub fn share(&mut self, node: &Node, what: &str) -> Option<f64> {
        let number = node.to_json().as_f64().filter(|number| (0.0..=1.0).contains(number));
        if number.is_none() {
            self.wrong_type(node, what, "a number from 0 to 1");
        }
        number
    }

    pub fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        self.parsed(node, what, "wrong-value", parse_duration).map(|duration| duration.value)
    }

    /// Text in a form of its own; what `parse` says is wrong becomes the message.
    pub fn parsed<T, E: ToString>(
        &mut self,
        node: &Node,
        what: &str,
        code: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Spanned<T>> {
        let text = self.text(node, what)?;
        match parse(text) {
            Ok(value) => Some(Spanned::new(value, node.span)),
            Err(error) => {
                self.problem(code, node.span, error.to_string());
                None
            }
        }
    }
}

/// `` `a`, `b` and `c` ``; at most sixteen, then how many more.
pub(crate) fn listed<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    const MOST: usize = 16;
    let mut names = names.into_iter();
    let shown: Vec<_> = names.by_ref().take(MOST).map(|name| format!("`{name}`")).collect();
    match (shown.as_slice(), names.count()) {
        ([], _) => "none".to_owned(),
        ([one], 0) => one.clone(),
        ([start @ .., last], 0) => format!("{} and {last}", start.join(", ")),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
