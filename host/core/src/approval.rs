//! Approvals: what a step asks a person, whether an answer fits its form, and the decision as a document.
//!
//! Knows neither clocks nor who holds which role; when a run waits for a decision is [`crate::run`]'s business. Doors:
//! [`Request::of`], [`Request::check`], [`DecisionDocument`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_package::Digest;

use crate::access::Role;
use crate::config::{Param, ParamType, Spanned, listed, parse_duration};
use crate::diagnostics::{Diagnostic, Diagnostics, Span, suggest};

/// Where the pipeline does not say how long there is to answer.
const EXPIRES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Longer reasons belong into a document.
const MAX_REASON_CHARACTERS: usize = 10_000;

/// What an `approval` step asks.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// For people.
    pub message: String,
    /// The least that whoever decides must hold.
    pub role: Role,
    /// How long there is to answer.
    pub expires: Duration,
    /// In the order of the file.
    pub form: Vec<Field>,
}

/// Something that whoever approves is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    pub param: Param,
    /// Whether an approval must bring a value where there is no default.
    pub required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Approved,
    Rejected,
    /// Nobody decided in time.
    Expired,
}

/// The output `decision` of an `approval` step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DecisionDocument {
    pub run: String,
    pub pipeline: String,
    pub step: String,
    /// What was asked.
    pub message: String,
    pub decision: Verdict,
    /// Who decided; absent where nobody did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// The least role that could.
    pub role: Role,
    /// RFC 3339, as is `decided`.
    pub requested: String,
    pub decided: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// What was said in the form.
    pub input: Map<String, Value>,
    /// What was decided upon, by the name under which it was shown.
    pub shown: BTreeMap<String, Shown>,
}

/// An artifact that whoever decides can look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// The output that it is: `train.model`.
    pub from: String,
    pub digest: Digest,
    pub media_type: String,
}

impl DecisionDocument {
    /// The bytes that are stored: canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).expect("a document of texts, scalars and digests is JSON");
        crate::canonical_json::to_canonical(&value).into_bytes()
    }
}

impl Request {
    /// What a bound step asks. Errors: a configuration that binding has not seen.
    pub fn of(config: &Value) -> Result<Self, String> {
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        let role = text("role").map_or(Ok(Role::Operator), str::parse).map_err(|error| error.to_string())?;
        let form = config.get("form").and_then(Value::as_object).into_iter().flatten();
        Ok(Self {
            message: text("message").unwrap_or_default().to_owned(),
            role,
            expires: text("expires").map_or(Ok(EXPIRES), parse_duration)?,
            form: form.map(|(name, declared)| Field::of(name, declared)).collect::<Result<_, _>>()?,
        })
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.form.iter().find(|field| field.param.name.value == name)
    }

    /// The input as the decision keeps it, with defaults filled in. Errors: every field that is wrong, missing or not
    /// asked for, at once.
    pub fn check(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, Diagnostics> {
        let mut wrong: Vec<Diagnostic> =
            given.keys().filter(|name| self.field(name).is_none()).map(|name| self.unknown(name)).collect();
        let mut input = Map::new();
        for field in &self.form {
            let name = &field.param.name.value;
            match (given.get(name).filter(|value| !value.is_null()), &field.param.default) {
                (Some(value), _) => match field.param.check(value) {
                    Ok(value) => drop(input.insert(name.clone(), value)),
                    Err(why) => wrong.push(
                        Diagnostic::new("invalid-input", format!("field `{name}` {why}"))
                            .hint(format!("give another value: `--input {name}=...`")),
                    ),
                },
                (None, Some(default)) => drop(input.insert(name.clone(), default.clone())),
                (None, None) if field.required => wrong.push(
                    Diagnostic::new("invalid-input", format!("field `{name}` has no value"))
                        .hint(format!("give it one: `--input {name}=...`")),
                ),
                (None, None) => {}
            }
        }
        Diagnostics::check(wrong)?;
        Ok(input)
    }

    fn unknown(&self, name: &str) -> Diagnostic {
        let names = || self.form.iter().map(|field| field.param.name.value.as_str());
        let shown: String = name.chars().take(100).collect();
        let diagnostic = Diagnostic::new("invalid-input", format!("the approval has no field `{shown}`"));
        diagnostic.hint(match suggest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.form.is_empty() => "it asks for no input".to_owned(),
            None => format!("fields are {}", listed(names())),
        })
    }
}

impl Field {
    /// From the declaration in the step's configuration: a map, or the default alone.
    fn of(name: &str, declared: &Value) -> Result<Self, String> {
        let key = |key: &str| declared.get(key).filter(|value| !value.is_null());
        let default = if declared.is_object() { key("default") } else { Some(declared) };
        let kind = match key("type").and_then(Value::as_str) {
            Some(kind) => ParamType::named(kind),
            None => default.and_then(ParamType::of),
        };
        let number = |name: &str| key(name).and_then(Value::as_number).cloned();
        let param = Param {
            name: Spanned::new(name.to_owned(), Span { line: 1, column: 1 }),
            kind: kind.ok_or_else(|| format!("field `{name}` has no type"))?,
            default: default.cloned(),
            choices: key("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
            minimum: number("minimum"),
            maximum: number("maximum"),
            description: key("description").and_then(Value::as_str).map(str::to_owned),
        };
        Ok(Self { param, required: key("required").and_then(Value::as_bool).unwrap_or(true) })
    }
}

/// Refuses a reason that is too long to be kept.
pub fn check_reason(reason: &str) -> Result<(), Diagnostics> {
    if reason.chars().count() <= MAX_REASON_CHARACTERS {
        return Ok(());
    }
    let message = format!("the reason is longer than {MAX_REASON_CHARACTERS} characters");
    Err(Diagnostic::new("invalid-reason", message).hint("give a shorter one, and keep the rest in a document").into())
}

#[cfg(test)]
mod tests;
