//! `${{ event.… }}` in the parameters of a trigger: `event.subject`, `event.body.commits[0].id`,
//! `event.data["odd key"]`.
//!
//! An expression that is the whole text keeps its value's type; inside a longer text it becomes text.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::config::plain;

/// A text with expressions in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamTemplate {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Value(Vec<Segment>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Segment {
    Key(String),
    Index(usize),
}

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamTemplateError {
    #[error("expression is not closed: `${{{{` without `}}}}`")]
    Open,
    #[error("`{0}` is not an expression: expected a path into the event such as `event.subject` or `event.body.ref`")]
    Unknown(String),
}

/// The event has nothing where an expression looks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event has no `{0}`")]
pub struct MissingValue(pub String);

impl FromStr for ParamTemplate {
    type Err = ParamTemplateError;

    fn from_str(text: &str) -> Result<Self, ParamTemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (inside, after) = after.split_once("}}").ok_or(ParamTemplateError::Open)?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let inside = inside.trim();
            pieces.push(Piece::Value(path(inside).ok_or_else(|| ParamTemplateError::Unknown(inside.to_owned()))?));
            rest = after;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { pieces })
    }
}

impl ParamTemplate {
    /// The value for an event (an object, see [`crate::event::Event::to_json`]).
    ///
    /// # Errors
    /// The event has no such value.
    pub fn fill(&self, event: &Value) -> Result<Value, MissingValue> {
        if let [Piece::Value(path)] = self.pieces.as_slice() {
            return find(event, path).cloned();
        }
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value(path) => text.push_str(&plain(find(event, path)?)),
            }
        }
        Ok(Value::String(text))
    }
}

fn find<'v>(event: &'v Value, path: &[Segment]) -> Result<&'v Value, MissingValue> {
    let step = |value: &'v Value, segment: &Segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
    };
    path.iter().try_fold(event, step).ok_or_else(|| MissingValue(Shown(path).to_string()))
}

/// The path behind `event`; at least one segment.
fn path(text: &str) -> Option<Vec<Segment>> {
    let mut rest = text.strip_prefix("event")?;
    let mut segments = Vec::new();
    while !rest.is_empty() {
        let (segment, after) = if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            (Segment::Key(plain.then(|| name.to_owned())?), after)
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let (name, after) = after.split_once("\"]")?;
            (Segment::Key(name.to_owned()), after)
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            (Segment::Index(index.parse().ok()?), after)
        };
        segments.push(segment);
        rest = after;
    }
    (!segments.is_empty()).then_some(segments)
}

struct Shown<'p>(&'p [Segment]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("event")?;
        for segment in self.0 {
            match segment {
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
