//! Mistakes of users, as data and as text: what is wrong, where, and how to put it right.
//!
//! Knows nothing of what it reports on. Doors: [`Diagnostics`] (what parsing and binding return) and [`suggest`].

mod suggest;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use suggest::suggest;

/// A place in a text file. Both numbers count from 1; columns count characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Span {
    pub line: u32,
    pub column: u32,
}

/// One mistake. Serialised, it is the body of `{"error": {...}}` in every `--json` output and API answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Kebab-case and stable: programs may match on it.
    pub code: String,
    /// Lower-case, no final period, values in backticks.
    pub message: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The line of the file, for the caret.
    #[serde(skip)]
    pub source_line: Option<String>,
}

impl Diagnostic {
    /// A mistake without a place.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: harmless(&message.into()),
            file: None,
            line: None,
            column: None,
            hint: None,
            source_line: None,
        }
    }

    /// Puts the mistake at a place of a file whose text is at hand.
    pub fn at(mut self, source: &Source, span: Span) -> Self {
        self.file = Some(source.file.clone());
        self.line = Some(span.line);
        self.column = Some(span.column);
        self.source_line = source.line(span.line).map(str::to_owned);
        self
    }

    /// Names the file, where no line is to blame.
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(harmless(&hint.into()));
        self
    }
}

/// Messages quote what users wrote: control characters must not reach a terminal.
fn harmless(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
}

/// `error: message`, the place, the line with a caret, the hint. No final line break.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(file) = &self.file {
            write!(f, "\n  --> {file}")?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, ":{line}:{column}")?;
            }
        }
        if let (Some(text), Some(line), Some(column)) = (&self.source_line, self.line, self.column) {
            let number = line.to_string();
            let (excerpt, column) = crop(text, column as usize);
            let gutter = " ".repeat(number.len());
            write!(f, "\n {number} | {excerpt}\n {gutter} | {}^", " ".repeat(column.saturating_sub(1)))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// A line short enough for a terminal, and where the column went. Control characters would move the caret or the
/// reader's cursor: they become spaces.
fn crop(text: &str, column: usize) -> (String, usize) {
    const WIDTH: usize = 110;
    const BEFORE: usize = 60;
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let length = text.chars().count();
    if length <= WIDTH {
        return (text.chars().map(clean).collect(), column);
    }
    let start = column.saturating_sub(BEFORE).min(length - WIDTH.min(length));
    let mut excerpt: String = text.chars().skip(start).take(WIDTH).map(clean).collect();
    if start + WIDTH < length {
        excerpt.push_str("...");
    }
    if start > 0 { (format!("...{excerpt}"), column - start + 3) } else { (excerpt, column) }
}

/// A file's name and text, kept so that later checks can still show the line they complain about.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    pub file: String,
    pub text: String,
    /// The byte at which each line starts.
    starts: Vec<usize>,
}

impl Source {
    pub fn new(file: &str, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { file: file.to_owned(), text: text.to_owned(), starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// A line without its line break.
    pub fn line(&self, number: u32) -> Option<&str> {
        let index = (number as usize).checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        Some(self.text[start..end].trim_end_matches(['\n', '\r']))
    }
}

/// The name alone: a whole file helps nobody in a debug print.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.file).finish()
    }
}

/// Collects mistakes in one file.
pub(crate) struct Problems<'a> {
    pub source: &'a Source,
    pub found: Vec<Diagnostic>,
}

impl<'a> Problems<'a> {
    pub fn new(source: &'a Source) -> Self {
        Self { source, found: Vec::new() }
    }

    /// Whether there are so many that looking for the nearest name for each would take long.
    pub fn crowded(&self) -> bool {
        self.found.len() >= 200
    }

    pub fn add(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.found.push(Diagnostic::new(code, message).at(self.source, span));
    }

    pub fn add_with_hint(&mut self, code: &str, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.found.push(Diagnostic::new(code, message).at(self.source, span).hint(hint));
    }
}

/// One mistake or more, in the order of their places.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// `Err` with all mistakes if there are any: sorted by place, each said once.
    pub fn check(mut found: Vec<Diagnostic>) -> Result<(), Self> {
        if found.is_empty() {
            return Ok(());
        }
        let place = |d: &Diagnostic| (d.line.is_none(), d.line, d.column);
        found.sort_by_key(place);
        let mut seen = std::collections::HashSet::new();
        found.retain(|d| seen.insert((d.code.clone(), d.message.clone(), d.line, d.column)));
        Err(Self(found))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// The first mistake: the one to show where there is room for one.
    pub fn first(&self) -> &Diagnostic {
        self.0.first().expect("made from at least one mistake")
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_line_with_a_caret_and_the_hint() {
        let source = Source::new("a.yaml", "first\nstpes: 1\n");
        let diagnostic = Diagnostic::new("unknown-key", "a pipeline has no key `stpes`")
            .at(&source, Span { line: 2, column: 1 })
            .hint("did you mean `steps`?");
        let expected = [
            "error: a pipeline has no key `stpes`",
            "  --> a.yaml:2:1",
            " 2 | stpes: 1",
            "   | ^",
            "  hint: did you mean `steps`?",
        ];
        assert_eq!(diagnostic.to_string(), expected.join("\n"));
    }

    #[test]
    fn keeps_the_caret_on_its_character_in_a_long_line() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let (excerpt, column) = crop(&text, 501);
        assert_eq!(excerpt.chars().nth(column - 1), Some('X'));
    }

    #[test]
    fn json_has_the_published_fields() {
        let json = serde_json::to_value(Diagnostic::new("a", "b")).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["code", "message", "file", "line", "column", "hint"]);
    }
}
