//! JSON from clients. What [`strict_json`] refuses is malformed (400), found in one pass before anything is built. A
//! whole that is JSON, yet not what was asked for (an unknown field, a text for a number) is refused as content (422).
//! Door: [`parse`].

use std::fmt;

use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use wasmlops_core::strict_json;

use super::failure::Failure;

/// A body as what the route takes.
///
/// Errors: 400 `malformed`, 422 `invalid-body`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    check(bytes)?;
    // A list would be taken for the fields of an object in their order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(other(&"it is no object"));
    }
    serde_json::from_slice(bytes).map_err(|error| other(&error))
}

fn other(why: &dyn fmt::Display) -> Failure {
    let message = format!("the body is not what this route takes: {why}");
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", message).hint("`/openapi.json` says what it takes")
}

/// Refuses what is no JSON, or not to everybody the same.
fn check(bytes: &[u8]) -> Result<(), Failure> {
    strict_json::check(bytes).map_err(|error| {
        Failure::bad_request("malformed", format!("the body is no JSON that can be taken: {error}"))
            .hint("send one JSON document in UTF-8, each key of an object once")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use wasmlops_core::strict_json::DEPTH;

    use super::*;

    fn status(body: &str) -> Option<u16> {
        check(body.as_bytes()).err().map(|failure| failure.status.as_u16())
    }

    #[test]
    fn json_is_taken() {
        for body in ["null", "[]", r#"{"a": {"a": [1, -2.5e3, "\ud83d\ude00"]}, "b": {"a": true}}"#, "1e300"] {
            assert_eq!(status(body), None, "{body}");
        }
        let deep = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
        assert_eq!(status(&deep), None);
    }

    #[test]
    fn what_readers_differ_in_is_refused() {
        let deep = "[".repeat(DEPTH + 1) + &"]".repeat(DEPTH + 1);
        let bottomless = "{\"a\":".repeat(1_000_000);
        for body in [
            "",
            "{",
            "nul",
            "[1,]",
            "{'a': 1}",
            "1 2",
            "NaN",
            "1e400",
            "-1e999",
            "01",
            r#""\ud83d""#,
            r#""\udc00 ""#,
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"[{"x": {"b": 1, "c": 2, "b": 3}}]"#,
            "\u{feff}{}",
            &deep,
            &bottomless,
        ] {
            assert_eq!(status(body), Some(400), "{}", body.chars().take(40).collect::<String>());
        }
        assert_eq!(check(b"\"\xff\"").unwrap_err().status.as_u16(), 400);
    }

    #[test]
    fn other_content_is_told_from_what_is_no_json() {
        #[derive(Deserialize, Debug)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[serde(default)]
            _numbers: BTreeMap<String, i64>,
        }

        let refused = |body: &str| parse::<Body>(body.as_bytes()).unwrap_err();
        assert_eq!(refused(r#"{"other": 1}"#).status.as_u16(), 422);
        assert_eq!(refused(r#"{"_numbers": {"a": "b"}}"#).code, "invalid-body");
        assert_eq!(refused("[1").code, "malformed");
        assert_eq!(refused("[]").code, "invalid-body");
        parse::<Body>(b"{}").unwrap();
    }
}
