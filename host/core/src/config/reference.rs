//! How steps refer to each other: `split.train`, and `train[alpha=0.1,depth=3].model` for one cell of a matrix.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

/// Whether a text can name a step, a parameter or an axis: a lower-case letter, then lower-case letters, digits, `_`
/// and `-`; at most 64 characters.
pub fn is_step_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

/// A step, or one cell of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepReference {
    pub step: String,
    /// Axis and value in the form of `cell_text`, in the order written.
    pub cell: Option<Vec<(String, String)>>,
}

/// An output of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputReference {
    pub step: StepReference,
    pub output: String,
}

/// Why a text refers to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("`{0}` is not a step: expected a name such as `train`, or a cell such as `train[alpha=0.1]`")]
    Step(String),
    #[error("`{0}` is not an output: expected `step.output`, such as `split.train`")]
    Output(String),
}

impl FromStr for StepReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = || ReferenceError::Step(text.chars().take(200).collect());
        let (step, cell) = match text.split_once('[') {
            None => (text, None),
            Some((step, rest)) => {
                let inside = rest.strip_suffix(']').ok_or_else(wrong)?;
                (step, Some(parse_cell(inside).ok_or_else(wrong)?))
            }
        };
        if !is_step_name(step) {
            return Err(wrong());
        }
        Ok(Self { step: step.to_owned(), cell })
    }
}

impl FromStr for OutputReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = || ReferenceError::Output(text.chars().take(200).collect());
        // The last dot: values of cells may contain dots.
        let (step, output) = text.rsplit_once('.').ok_or_else(wrong)?;
        if !is_step_name(output) {
            return Err(wrong());
        }
        Ok(Self { step: step.parse().map_err(|_| wrong())?, output: output.to_owned() })
    }
}

impl fmt::Display for StepReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.step)?;
        match &self.cell {
            None => Ok(()),
            Some(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
                write!(f, "[{}]", pairs.join(","))
            }
        }
    }
}

impl fmt::Display for OutputReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.step, self.output)
    }
}

/// `alpha=0.1,kind="a,b"` into pairs. Values in quotes are JSON strings and may hold any character.
fn parse_cell(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    loop {
        let (axis, rest) = text.split_once('=')?;
        let axis = axis.trim();
        let rest = rest.trim_start();
        let end = if rest.starts_with('"') { end_of_quoted(rest)? } else { rest.find(',').unwrap_or(rest.len()) };
        let written = rest[..end].trim();
        let value = match written.starts_with('"') {
            true => cell_text(&serde_json::from_str(written).ok()?),
            false => written.to_owned(),
        };
        if !is_step_name(axis) || value.is_empty() || pairs.iter().any(|(known, _)| known == axis) {
            return None;
        }
        pairs.push((axis.to_owned(), value));
        match rest[end..].trim_start().strip_prefix(',') {
            Some(more) => text = more,
            None if rest[end..].trim().is_empty() => return Some(pairs),
            None => return None,
        }
    }
}

/// The byte behind the closing quote.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A matrix value as it stands in a step's key. Texts that could be taken for something else are in quotes, so that
/// different values are different texts.
pub(crate) fn cell_text(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-./+:".contains(c);
            let other = serde_json::from_str::<Value>(text).is_ok();
            if !text.is_empty() && text.chars().all(plain) && !other {
                text.clone()
            } else {
                Value::from(text.as_str()).to_string()
            }
        }
        other => other.to_string(),
    }
}

/// What follows the step's name in a cell's key: `[alpha=0.1,depth=3]`.
pub(crate) fn cell_suffix(cell: &Map<String, Value>) -> String {
    let pairs: Vec<_> = cell.iter().map(|(axis, value)| format!("{axis}={}", cell_text(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("[{}]", pairs.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_outputs_and_cells() {
        let plain: OutputReference = "split.train".parse().unwrap();
        assert_eq!((plain.step.step.as_str(), plain.output.as_str()), ("split", "train"));
        let cell: OutputReference = r#"train[alpha=0.1, kind="a, b]"].model"#.parse().unwrap();
        assert_eq!(cell.step.cell.as_deref().map(<[_]>::len), Some(2));
        assert_eq!(cell.to_string(), r#"train[alpha=0.1,kind="a, b]"].model"#);
        let quoted: StepReference = r#"train[kind="linear",n="3"]"#.parse().unwrap();
        assert_eq!(quoted.to_string(), r#"train[kind=linear,n="3"]"#);
    }

    #[test]
    fn refuses_what_refers_to_nothing() {
        for text in [
            "",
            "split",
            "split.",
            ".train",
            "Split.train",
            "split.a.b",
            "a[].b",
            "a[x].b",
            "a[x=].b",
            "a[x=1.b",
            "${{ params.x }}",
        ] {
            assert!(text.parse::<OutputReference>().is_err(), "{text}");
        }
    }

    #[test]
    fn different_values_have_different_texts() {
        let values = [
            Value::from(3),
            Value::from("3"),
            Value::from(true),
            Value::from("true"),
            Value::from("a,b"),
            Value::from("a"),
        ];
        let texts: std::collections::HashSet<_> = values.iter().map(cell_text).collect();
        assert_eq!(texts.len(), values.len());
    }
}
