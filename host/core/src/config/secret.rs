//! Secrets as files name them: `with: { password: { secret: NAME } }`, and headers that the broker puts in. Names only:
//! no value is ever part of a configuration.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Origin;
use crate::config::keys;
use crate::config::reader::Reader;
use crate::config::step::one_or_many;
use crate::config::yaml::{Node, NodeValue};
use crate::config::{Spanned, listed};

/// The one key of a map that stands for a secret.
const KEY: &str = "secret";

/// Where a credential's value takes the secret's place.
const PLACE: &str = "{secret}";

/// What a configuration is checked with in the place of a secret.
const STAND_IN: &str = "secret";

/// A header that the broker puts into requests to one origin. The guest neither sets nor sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Credential {
    pub origin: Origin,
    /// In lower case.
    pub header: String,
    /// Visible ASCII with one `{secret}` in it: `Bearer {secret}`.
    pub value: String,
    /// The secret's name.
    pub secret: String,
}

impl Credential {
    /// The header's value.
    pub fn filled(&self, secret: &str) -> String {
        self.value.replacen(PLACE, secret, 1)
    }
}

impl std::fmt::Display for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} from secret {})", self.origin, self.header, self.secret)
    }
}

/// What may be called, and with which headers of the host's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct HttpItems {
    pub origins: Vec<Spanned<Origin>>,
    pub credentials: Vec<Spanned<Credential>>,
}

/// Whether a text can name a secret: a letter, then letters, digits, `_` and `-`, at most 64.
pub fn is_secret_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    first && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The secret that a value stands for: `{"secret": NAME}` and nothing else.
pub fn secret_reference(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get(KEY)?.as_str()
}

/// Every secret that a configuration names, with its place as a dotted path.
pub fn secret_references(config: &Value) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    collect(config, &mut Vec::new(), &mut found);
    found
}

/// The configuration with secrets in the places of their names. `value` gives a secret; a name that it does not know
/// stays as it is.
pub fn with_secrets(config: &Value, value: &dyn Fn(&str) -> Option<String>) -> Value {
    if let Some(secret) = secret_reference(config).and_then(value) {
        return Value::String(secret);
    }
    match config {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, member)| (key.clone(), with_secrets(member, value))).collect())
        }
        Value::Array(items) => items.iter().map(|item| with_secrets(item, value)).collect(),
        other => other.clone(),
    }
}

/// The configuration with some text in the place of each secret, for a schema to check.
pub(crate) fn with_stand_ins(config: &Value) -> Value {
    with_secrets(config, &|_| Some(STAND_IN.to_owned()))
}

fn collect<'c>(value: &'c Value, path: &mut Vec<String>, found: &mut Vec<(String, &'c str)>) {
    if let Some(name) = secret_reference(value) {
        found.push((path.join("."), name));
        return;
    }
    let mut below = |key: String, value: &'c Value| {
        path.push(key);
        collect(value, path, found);
        path.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, member)| below(key.clone(), member)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| below(at.to_string(), item)),
        _ => {}
    }
}

/// One name or a list of them.
pub(super) fn read_secrets(reader: &mut Reader<'_>, node: &Node) -> Vec<Spanned<String>> {
    let parse = |reader: &mut Reader<'_>, node| reader.parsed(node, "an item of `secrets`", "invalid-name", name);
    one_or_many(node).iter().filter_map(|node| parse(reader, node)).collect()
}

/// Origins, and origins with a header that carries a secret.
pub(super) fn read_http(reader: &mut Reader<'_>, node: &Node) -> HttpItems {
    let mut items = HttpItems::default();
    for node in one_or_many(node) {
        if matches!(node.value, NodeValue::Map(_)) {
            if let Some(credential) = read_credential(reader, node) {
                items.origins.push(Spanned::new(credential.origin.clone(), node.span));
                items.credentials.push(Spanned::new(credential, node.span));
            }
        } else if let Some(origin) = reader.parsed(node, "an origin under `http`", "invalid-origin", str::parse) {
            items.origins.push(origin);
        }
    }
    items
}

fn read_credential(reader: &mut Reader<'_>, node: &Node) -> Option<Credential> {
    let fields = reader.fields(node, "an item of `http`", node.span, keys::CREDENTIAL)?;
    let origin = fields.get("origin").and_then(|node| reader.parsed(node, "`origin`", "invalid-origin", str::parse));
    let header = fields.get("header").and_then(|node| reader.parsed(node, "`header`", "invalid-header", header));
    let value = match fields.get("value") {
        Some(node) => reader.parsed(node, "`value`", "invalid-header", template).map(|value| value.value),
        None => Some(PLACE.to_owned()),
    };
    let secret = fields.get("secret").and_then(|node| reader.parsed(node, "`secret`", "invalid-name", name));
    Some(Credential { origin: origin?.value, header: header?.value, value: value?, secret: secret?.value })
}

fn name(text: &str) -> Result<String, String> {
    match is_secret_name(text) {
        true => Ok(text.to_owned()),
        false => {
            Err("this is not the name of a secret: expected a letter, then letters, digits, `_` and `-`, at most 64"
                .to_owned())
        }
    }
}

/// The name of a header that a credential may set: a token (RFC 9110, section 5.1) that does not steer the connection.
fn header(text: &str) -> Result<String, String> {
    const REFUSED: [&str; 8] =
        ["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let lower = text.to_ascii_lowercase();
    if text.is_empty() || text.len() > 100 || !text.bytes().all(is_token) {
        return Err(format!("`{}` is not the name of a header", text.chars().take(100).collect::<String>()));
    }
    match REFUSED.contains(&lower.as_str()) {
        true => {
            Err(format!("`{lower}` belongs to the connection; headers for secrets are others than {}", listed(REFUSED)))
        }
        false => Ok(lower),
    }
}

fn template(text: &str) -> Result<String, String> {
    // What stands there may be a secret written in the wrong place: it is not repeated.
    match text.matches(PLACE).count() == 1
        && text.len() <= 1000
        && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
    {
        true => Ok(text.to_owned()),
        false => Err(format!("`value` must hold `{PLACE}` once, such as `Bearer {PLACE}`, and visible ASCII besides")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_and_fills_names() {
        let config =
            json!({"url": "x", "login": {"user": "ann", "password": {"secret": "DB"}}, "keys": [{"secret": "K-1"}]});
        let found = secret_references(&config);
        assert_eq!(found, [("login.password".to_owned(), "DB"), ("keys.0".to_owned(), "K-1")]);
        let filled = with_secrets(&config, &|name| (name == "DB").then(|| "pw".to_owned()));
        assert_eq!(filled["login"]["password"], "pw");
        assert_eq!(filled["keys"][0], json!({"secret": "K-1"}));
        assert_eq!(secret_reference(&json!({"secret": "A", "other": 1})), None);
    }

    #[test]
    fn names_headers_and_values() {
        for good in ["A", "api_token", "DB-1"] {
            assert!(is_secret_name(good), "{good}");
        }
        for bad in ["", "1a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(!is_secret_name(bad), "{bad}");
        }
        assert_eq!(header("Authorization"), Ok("authorization".to_owned()));
        assert!(header("Host").is_err() && header("a b").is_err() && header("").is_err());
        assert!(template("Bearer {secret}").is_ok());
        let said = template("Bearer hunter2-hunter2").unwrap_err();
        assert!(!said.contains("hunter2"), "{said}");
        assert!(template("{secret}\n").is_err() && template("{secret}{secret}").is_err());
    }
}
