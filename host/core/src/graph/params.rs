//! The values of a run's parameters.

use serde_json::{Map, Value};

use crate::config::{Pipeline, listed};
use crate::diagnostics::{Diagnostic, Problems, suggest};

/// Every parameter with its value, in the order of the file; those without a usable value are missing and reported.
pub(super) fn resolve(
    pipeline: &Pipeline,
    given: &Map<String, Value>,
    problems: &mut Problems<'_>,
) -> Map<String, Value> {
    for name in given.keys().filter(|name| pipeline.param(name).is_none()) {
        problems.found.push(unknown(pipeline, name));
    }
    let mut values = Map::new();
    for param in &pipeline.params {
        let name = &param.name.value;
        match (given.get(name), &param.default) {
            (Some(value), _) => match param.check(value) {
                Ok(value) => drop(values.insert(name.clone(), value)),
                // The value comes from outside the file: it has no place there.
                Err(wrong) => {
                    let diagnostic = Diagnostic::new("invalid-param", format!("parameter `{name}` {wrong}"));
                    problems.found.push(diagnostic.hint(format!("give another value: `--param {name}=...`")));
                }
            },
            (None, Some(default)) => drop(values.insert(name.clone(), default.clone())),
            (None, None) => {
                let message = format!("parameter `{name}` has no value");
                let hint = format!("give it one, `--param {name}=...`, or write a `default`");
                problems.add_with_hint("missing-param", param.name.span, message, hint);
            }
        }
    }
    values
}

fn unknown(pipeline: &Pipeline, name: &str) -> Diagnostic {
    let names = || pipeline.params.iter().map(|param| param.name.value.as_str());
    let message = format!("pipeline `{}` has no parameter `{name}`", pipeline.name.value);
    Diagnostic::new("unknown-param", message).hint(match suggest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if pipeline.params.is_empty() => "it has no parameters".to_owned(),
        None => format!("parameters are {}", listed(names())),
    })
}
