//! What is wrong with a configuration, in words that somebody who never read the plugin's schema understands.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::config::{describe, listed, plain};
use crate::diagnostics::suggest;

/// One mistake in a configuration.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub code: &'static str,
    /// Where, as a dotted path below `with`; empty for all of it.
    pub path: String,
    pub message: String,
    pub hint: Option<String>,
    /// Of a missing option its path, of an unknown one that of the option that was probably meant.
    about: Option<String>,
}

/// All mistakes behind the validator's errors. `subject` begins each message: `step `x`: `plugin``.
pub(super) fn explain<'e>(
    subject: &str,
    schema: &Value,
    errors: impl IntoIterator<Item = &'e ValidationError<'e>>,
) -> Vec<Wrong> {
    let explainer = Explainer { subject, schema };
    without_echoes(errors.into_iter().flat_map(|error| explainer.explain(error)).collect())
}

/// An option that is there with a slip in its name is not missing as well.
pub(super) fn without_echoes(mut found: Vec<Wrong>) -> Vec<Wrong> {
    let meant: Vec<_> =
        found.iter().filter(|wrong| wrong.code == UNKNOWN).filter_map(|wrong| wrong.about.clone()).collect();
    found.retain(|wrong| wrong.code != MISSING || wrong.about.as_ref().is_none_or(|about| !meant.contains(about)));
    found
}

/// Whether an error is about the content of a text that stands in for a secret: only that it is text is known of it.
pub(super) fn is_of_stand_in(error: &ValidationError<'_>, secrets: &[String]) -> bool {
    let is_type = |kind: &Kind| matches!(kind, Kind::Type { .. });
    let takes_text = match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().any(|form| !form.iter().any(|error| is_type(error.kind())))
        }
        kind => !is_type(kind),
    };
    takes_text && secrets.contains(&dotted(error.instance_path().as_str()))
}

pub(super) const UNKNOWN: &str = "unknown-option";
pub(super) const MISSING: &str = "missing-option";

pub(super) struct Explainer<'a> {
    pub subject: &'a str,
    pub schema: &'a Value,
}

impl Explainer<'_> {
    pub fn explain(&self, error: &ValidationError<'_>) -> Vec<Wrong> {
        let path = dotted(error.instance_path().as_str());
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                let properties = self.object_schema(error).and_then(|object| object.get("properties"));
                let known: Vec<_> =
                    properties.and_then(Value::as_object).into_iter().flat_map(|map| map.keys()).collect();
                unexpected.iter().map(|name| self.unknown(&path, name, &known)).collect()
            }
            Kind::Required { property } => vec![self.missing(&path, &plain(property), error)],
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.forms(&path, error, context),
            Kind::Enum { options } => {
                vec![self.not_one_of(&path, error, options.as_array().map_or(&[], Vec::as_slice))]
            }
            Kind::Constant { expected_value } => {
                vec![self.not_one_of(&path, error, std::slice::from_ref(expected_value))]
            }
            kind => {
                vec![self.invalid(&path, format!("{}, not {}", expectation(kind, error), describe(error.instance())))]
            }
        }
    }

    /// A mistake in the value at `path`: `must be a number, not text `x``.
    pub fn invalid(&self, path: &str, what: String) -> Wrong {
        let place = if path.is_empty() { "with" } else { path };
        let message = format!("{}: `{place}` {what}", self.subject);
        let hint = Some("correct the value; `wasmlops plugin inspect` shows what each option takes".to_owned());
        Wrong { code: "invalid-option", path: path.to_owned(), message, hint, about: None }
    }

    /// A value that is none of those that are allowed.
    pub fn not_one_of(&self, path: &str, error: &ValidationError<'_>, options: &[Value]) -> Wrong {
        let options: Vec<_> = options.iter().map(plain).collect();
        let names = || options.iter().map(String::as_str);
        let must = if options.len() == 1 { "must be" } else { "must be one of" };
        let given = error.instance();
        let mut wrong = self.invalid(path, format!("{must} {}, not {}", listed(names()), describe(given)));
        wrong.hint = suggest(&plain(given), names()).map(|near| format!("did you mean `{near}`?"));
        wrong
    }

    fn unknown(&self, path: &str, name: &str, known: &[&String]) -> Wrong {
        let names = || known.iter().map(|name| name.as_str());
        let near = suggest(name, names());
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it takes no options here".to_owned(),
            None => format!("options are {}", listed(names())),
        };
        Wrong {
            code: UNKNOWN,
            path: join(path, name),
            message: format!("{} has no option `{name}`{}", self.subject, under(path)),
            hint: Some(hint),
            about: near.map(|near| join(path, near)),
        }
    }

    fn missing(&self, path: &str, name: &str, error: &ValidationError<'_>) -> Wrong {
        let schema = self.object_schema(error).and_then(|object| object.get("properties")?.get(name));
        let description = schema.and_then(|schema| schema.get("description")).and_then(Value::as_str);
        let line = description.and_then(|text| text.lines().next()).unwrap_or("").trim().trim_end_matches('.');
        let separator = if line.is_empty() { "" } else { ": " };
        Wrong {
            code: MISSING,
            path: path.to_owned(),
            message: format!("{} needs the option `{name}`{}", self.subject, under(path)),
            hint: Some(format!("add `{name}` to `{}`{separator}{line}", join("with", path).trim_end_matches('.'))),
            about: Some(join(path, name)),
        }
    }

    /// The schema that holds the keyword that failed.
    pub fn object_schema(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let (object, _keyword) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(object)
    }
}

fn under(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" under `{path}`") }
}

fn expectation(kind: &Kind, error: &ValidationError<'_>) -> String {
    let count = |number: &u64, what: &str| format!("{number} {what}{}", if *number == 1 { "" } else { "s" });
    match kind {
        Kind::Type { .. } => format!("must be {}", type_in_words(kind).unwrap_or_default()),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be above {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be below {limit}"),
        Kind::MinLength { limit } => format!("must have at least {}", count(limit, "character")),
        Kind::MaxLength { limit } => format!("must have at most {}", count(limit, "character")),
        Kind::MinItems { limit } => format!("must have at least {}", count(limit, "item")),
        Kind::MaxItems { limit } => format!("must have at most {}", count(limit, "item")),
        Kind::Pattern { pattern } => format!("must match the pattern `{pattern}`"),
        Kind::UniqueItems => "must not have an item twice".to_owned(),
        _ => format!("is not what it takes ({})", error.masked_with("it")),
    }
}

/// The types that a `type` keyword allows, in words; `null` goes without saying.
pub(super) fn type_in_words(kind: &Kind) -> Option<String> {
    let word = |name: &str| match name {
        "string" => Some("text"),
        "integer" => Some("an integer"),
        "number" => Some("a number"),
        "boolean" => Some("`true` or `false`"),
        "array" => Some("a list"),
        "object" => Some("a map"),
        _ => None,
    };
    match kind {
        Kind::Type { kind: TypeKind::Single(kind) } => Some(word(kind.as_str()).unwrap_or("nothing").to_owned()),
        Kind::Type { kind: TypeKind::Multiple(kinds) } => {
            let words: Vec<_> = kinds.iter().filter_map(|kind| word(kind.as_str())).collect();
            Some(words.join(" or "))
        }
        _ => None,
    }
}

/// A JSON pointer as a dotted path.
fn dotted(pointer: &str) -> String {
    let segments = pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    segments.collect::<Vec<_>>().join(".")
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
