//! Placeholders: `{{name}}` in URLs, headers and JSON bodies.

use std::collections::BTreeMap;

use serde_json::Value;
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Deployment, Release, http};

use crate::config::Request;

/// What placeholders stand for.
#[derive(Clone, PartialEq, Debug)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    pub fn of_release(release: &Release) -> Self {
        let text = |text: &str| Value::from(text);
        Self(BTreeMap::from([
            ("model".to_owned(), text(&release.model)),
            ("version".to_owned(), Value::from(release.version)),
            ("digest".to_owned(), text(&release.digest)),
            ("endpoint".to_owned(), text(&release.endpoint)),
            ("key".to_owned(), text(&release.key)),
        ]))
    }

    /// Those that `deploy` kept.
    pub fn of_deployment(deployment: &Deployment) -> Result<Self> {
        let values = serde_json::from_str(&deployment.details);
        values.map(Self).map_err(|error| Error::invalid_input(format!("the deployment is not one of mine: {error}")))
    }

    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.0.insert("id".to_owned(), id.into());
        self
    }

    pub fn to_json(&self) -> String {
        serde_json::json!(self.0).to_string()
    }
}

/// The request with every placeholder filled in; `at` is its place in the configuration.
///
/// Errors: `invalid-config` for a placeholder that stands for nothing here, or a body and a file at once.
pub fn fill(request: &Request, at: &str, values: &Values) -> Result<http::Request> {
    let url = text(&request.url, &format!("{at}.url"), values, percent_encoded)?;
    let mut filled = http::Request::new(request.method.as_str(), url);
    for (name, value) in &request.headers {
        filled = filled.header(name.as_str(), text(value, &format!("{at}.headers.{name}"), values, str::to_owned)?);
    }
    match (&request.body, &request.file) {
        (Some(_), Some(_)) => Err(Error::invalid_config(at, "a request has either a `body` or a `file`")),
        (Some(body), None) => filled.json(&json(body, &format!("{at}.body"), values)?),
        (None, _) => Ok(filled),
    }
}

fn json(template: &Value, at: &str, values: &Values) -> Result<Value> {
    Ok(match template {
        Value::String(whole) => match sole_placeholder(whole) {
            // The value itself, so that a number stays one.
            Some(name) => value(name, at, values)?.clone(),
            None => text(whole, at, values, str::to_owned)?.into(),
        },
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| json(item, &format!("{at}.{index}"), values));
            items.collect::<Result<_>>()?
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, field)| {
                Ok((text(key, at, values, str::to_owned)?, json(field, &format!("{at}.{key}"), values)?))
            });
            fields.collect::<Result<serde_json::Map<_, _>>>()?.into()
        }
        other => other.clone(),
    })
}

fn sole_placeholder(text: &str) -> Option<&str> {
    let name = text.strip_prefix("{{")?.strip_suffix("}}")?;
    (!name.contains("{{") && !name.contains("}}")).then(|| name.trim())
}

fn text(template: &str, at: &str, values: &Values, written: impl Fn(&str) -> String) -> Result<String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            return Err(Error::invalid_config(at, format!("`{template}` opens a placeholder and does not close it")));
        };
        filled.push_str(&rest[..start]);
        filled.push_str(&written(&plain(value(rest[start + 2..start + length].trim(), at, values)?)));
        rest = &rest[start + length + 2..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value<'v>(name: &str, at: &str, values: &'v Values) -> Result<&'v Value> {
    values.0.get(name).ok_or_else(|| {
        let known: Vec<String> = values.0.keys().map(|name| format!("`{{{{{name}}}}}`")).collect();
        let message = format!("`{{{{{name}}}}}` stands for nothing here\nhint: there is {}", known.join(", "));
        Error::invalid_config(at, message)
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Everything but RFC 3986's unreserved characters, so that a value never adds a part to a URL.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
