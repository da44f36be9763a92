//! Values that may have one of several forms (`anyOf`, `oneOf`), and fit none.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::config::{describe, listed};
use crate::graph::options::errors::{Explainer, MISSING, UNKNOWN, Wrong, type_in_words, without_echoes};

/// What is wrong with each form.
type Context = [Vec<ValidationError<'static>>];

impl Explainer<'_> {
    /// Says what the value comes nearest to, as far as that is clear.
    pub(super) fn forms(&self, path: &str, error: &ValidationError<'_>, context: &Context) -> Vec<Wrong> {
        let here = error.instance_path().as_str();
        if let Some(options) = constants(here, context) {
            return vec![self.not_one_of(path, error, &options)];
        }
        // A form of another type is not what was meant, if there is one of this type.
        let this_type: Vec<_> = context.iter().filter(|form| !is_other_type(here, form)).collect();
        if this_type.is_empty() {
            let types = context.iter().flatten().filter(|error| error.instance_path().as_str() == here);
            let mut expected: Vec<_> = types.filter_map(|error| type_in_words(error.kind())).collect();
            expected.retain(|name| name != "nothing");
            expected.dedup();
            return vec![
                self.invalid(path, format!("must be {}, not {}", expected.join(" or "), describe(error.instance()))),
            ];
        }
        let explained =
            this_type.iter().map(|form| without_echoes(form.iter().flat_map(|error| self.explain(error)).collect()));
        let mut forms: Vec<Vec<Wrong>> = explained.collect();
        forms.sort_by_key(|form| distance(form));
        let clear = match forms.as_slice() {
            [] => return Vec::new(),
            [_] => true,
            [first, second, ..] => distance(first) < distance(second) && !is_another_form(path, first),
        };
        if clear { forms.swap_remove(0) } else { vec![self.no_form(path, error)] }
    }

    fn no_form(&self, path: &str, error: &ValidationError<'_>) -> Wrong {
        let given = match error.instance().as_ref() {
            Value::Object(map) => format!("a map with {}", listed(map.keys().map(String::as_str))),
            other => describe(other),
        };
        let mut wrong = self.invalid(path, format!("has none of the forms that it may have: it is {given}"));
        let forms = self.schema.pointer(error.schema_path().as_str()).and_then(Value::as_array);
        let needs: Vec<_> = forms.into_iter().flatten().filter_map(|form| self.required(form)).collect();
        wrong.hint = (!needs.is_empty()).then(|| format!("it needs {}", needs.join(", or ")));
        wrong
    }

    /// The options that a form cannot do without.
    fn required(&self, form: &Value) -> Option<String> {
        let reference = form.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        let form = reference.and_then(|pointer| self.schema.pointer(pointer)).unwrap_or(form);
        let names: Vec<_> = form.get("required")?.as_array()?.iter().filter_map(Value::as_str).collect();
        (!names.is_empty()).then(|| listed(names))
    }
}

/// The allowed values, if every form is one value or a list of them, or `null`.
fn constants(here: &str, context: &Context) -> Option<Vec<Value>> {
    let values = context.iter().flatten().map(|error| match error.kind() {
        _ if error.instance_path().as_str() != here => None,
        Kind::Constant { expected_value } => Some(vec![expected_value.as_ref().clone()]),
        Kind::Enum { options } => options.as_array().cloned(),
        Kind::Type { kind: TypeKind::Single(_) } => Some(vec![]),
        _ => None,
    });
    let values = values.collect::<Option<Vec<_>>>()?.concat();
    (!values.is_empty()).then_some(values)
}

fn is_other_type(here: &str, form: &[ValidationError<'_>]) -> bool {
    form.iter().any(|error| matches!(error.kind(), Kind::Type { .. }) && error.instance_path().as_str() == here)
}

/// Few mistakes, and deep ones, mean that most of the form fits.
fn distance(form: &[Wrong]) -> usize {
    let depth: usize = form.iter().map(|wrong| wrong.path.matches('.').count()).sum();
    form.len() * 8 - depth.min(form.len() * 7)
}

/// Whether a form's own options are missing and others are there: then it is not the form that was meant.
fn is_another_form(path: &str, form: &[Wrong]) -> bool {
    form.iter().any(|wrong| wrong.code == MISSING && wrong.path == path)
        && form.iter().any(|wrong| wrong.code == UNKNOWN)
}
