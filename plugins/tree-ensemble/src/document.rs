//! JSON and UBJSON as one tree of values: what XGBoost writes. Lists of numbers, which are nearly all of a model, are
//! kept as such. Depth is bounded, and memory by the size of the file.

mod json;
mod ubjson;

use crate::ensemble::Problem;

/// Deeper than any model file.
const MOST_DEPTH: usize = 32;

/// A value of a document.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Numbers(Vec<f64>),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// Reads JSON or UBJSON, whichever it is.
///
/// Errors: what is wrong, and at which byte.
pub fn read(bytes: &[u8]) -> Result<Value, Problem> {
    // After the brace, UBJSON gives the length of a key or of the object, JSON a quote.
    let ubjson = matches!(bytes, [b'{', next, ..] if b"iUIlL#$NZTF".contains(next));
    if ubjson { ubjson::read(bytes) } else { json::read(bytes) }
}

impl Value {
    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Result<&Value, Problem> {
        let mut value = self;
        for (depth, key) in path.iter().enumerate() {
            value = value.get(key).ok_or_else(|| format!("`{}` is missing", path[..=depth].join(".")))?;
        }
        Ok(value)
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(entries) => entries.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list of numbers; `true` is 1.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Value::Numbers(numbers) => Some(numbers.clone()),
            Value::List(values) => values.iter().map(Value::number).collect(),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
            _ => None,
        }
    }
}

/// A list, as numbers if all of it is.
struct Elements {
    numbers: Vec<f64>,
    values: Vec<Value>,
}

impl Elements {
    fn new() -> Self {
        Self { numbers: Vec::new(), values: Vec::new() }
    }

    fn push(&mut self, value: Value) {
        match value {
            Value::Number(number) if self.values.is_empty() => self.numbers.push(number),
            value => {
                self.values.extend(self.numbers.drain(..).map(Value::Number));
                self.values.push(value);
            }
        }
    }

    fn finish(self) -> Value {
        if self.values.is_empty() { Value::Numbers(self.numbers) } else { Value::List(self.values) }
    }
}
