//! `${{ params.x }}` and `${{ matrix.x }}` in the texts of a step's configuration.
//!
//! An expression that is the whole text keeps its value's type; inside a longer text it becomes text.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::config::param::plain;
use crate::config::reference::is_step_name;
use crate::config::yaml::{Node, NodeValue};
use crate::diagnostics::Span;

/// Where an expression takes its value from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    Params,
    Matrix,
}

/// A text with expressions in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Debug)]
enum Piece {
    Text(String),
    Value(Root, String),
}

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("expression is not closed: `${{{{` without `}}}}`")]
    Open,
    #[error("`{0}` is not an expression: expected `params.NAME` or `matrix.NAME`")]
    Unknown(String),
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (inside, after) = after.split_once("}}").ok_or(TemplateError::Open)?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (root, name) =
                parse_reference(inside.trim()).ok_or_else(|| TemplateError::Unknown(inside.trim().into()))?;
            pieces.push(Piece::Value(root, name));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { pieces })
    }
}

fn parse_reference(text: &str) -> Option<(Root, String)> {
    let (root, name) = text.split_once('.')?;
    let root = match root {
        "params" => Root::Params,
        "matrix" => Root::Matrix,
        _ => return None,
    };
    is_step_name(name).then(|| (root, name.to_owned()))
}

impl Template {
    /// What it refers to.
    pub fn references(&self) -> impl Iterator<Item = (Root, &str)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(root, name) => Some((*root, name.as_str())),
            Piece::Text(_) => None,
        })
    }

    /// The value. What has no value (reported before) gives null.
    fn fill(&self, params: &Map<String, Value>, matrix: &Map<String, Value>) -> Value {
        let value = |root: Root, name: &str| {
            let values = if root == Root::Params { params } else { matrix };
            values.get(name).cloned().unwrap_or(Value::Null)
        };
        match self.pieces.as_slice() {
            [Piece::Value(root, name)] => value(*root, name),
            pieces => {
                let text = pieces.iter().map(|piece| match piece {
                    Piece::Text(text) => text.clone(),
                    Piece::Value(root, name) => plain(&value(*root, name)),
                });
                Value::String(text.collect())
            }
        }
    }
}

/// The same for a value that has been taken out of its file.
pub(crate) fn fill_value(value: &Value, params: &Map<String, Value>, matrix: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) if text.contains("${{") => match text.parse::<Template>() {
            Ok(template) => template.fill(params, matrix),
            Err(_) => Value::Null,
        },
        Value::Array(items) => items.iter().map(|item| fill_value(item, params, matrix)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), fill_value(value, params, matrix))).collect())
        }
        value => value.clone(),
    }
}

/// The node as JSON with its expressions filled in.
pub(crate) fn fill(node: &Node, params: &Map<String, Value>, matrix: &Map<String, Value>) -> Value {
    match &node.value {
        NodeValue::Text(text) if text.contains("${{") => match text.parse::<Template>() {
            Ok(template) => template.fill(params, matrix),
            Err(_) => Value::Null,
        },
        NodeValue::List(items) => items.iter().map(|item| fill(item, params, matrix)).collect(),
        NodeValue::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), fill(&entry.node, params, matrix)));
            Value::Object(pairs.collect())
        }
        _ => node.to_json(),
    }
}

/// Every expression below a node: well-formed or not, and the place of the text that holds it.
pub(crate) fn templates(node: &Node) -> Vec<(Span, Result<Template, TemplateError>)> {
    let mut found = Vec::new();
    collect(node, &mut found);
    found
}

fn collect(node: &Node, found: &mut Vec<(Span, Result<Template, TemplateError>)>) {
    match &node.value {
        NodeValue::Text(text) if text.contains("${{") => found.push((node.span, text.parse())),
        NodeValue::List(items) => items.iter().for_each(|item| collect(item, found)),
        NodeValue::Map(entries) => entries.iter().for_each(|entry| collect(&entry.node, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Value {
        let values = |json| match json {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let params = values(serde_json::json!({"seed": 7, "name": "x"}));
        let matrix = values(serde_json::json!({"alpha": 0.1}));
        text.parse::<Template>().unwrap().fill(&params, &matrix)
    }

    #[test]
    fn keeps_the_type_of_a_whole_text() {
        assert_eq!(filled("${{ params.seed }}"), Value::from(7));
        assert_eq!(filled("${{matrix.alpha}}"), Value::from(0.1));
        assert_eq!(filled("s${{ params.seed }}-${{ params.name }}"), Value::from("s7-x"));
        assert_eq!(filled("$ { } }}"), Value::from("$ { } }}"));
    }

    #[test]
    fn refuses_other_expressions() {
        for text in ["${{ params.seed", "${{ seed }}", "${{ env.HOME }}", "${{ params.seed + 1 }}", "${{ params. }}"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
