//! JSON from clients, read strictly: what one reader may take for this and another for that is refused.
//!
//! Pure. A key that stands twice, nesting beyond [`DEPTH`], a number that no 64-bit float holds and half of a
//! surrogate pair are malformed (400), found in one pass before anything is built. A whole that is JSON, yet not what
//! was asked for (an unknown field, a text for a number) is refused as content (422). Door: [`parse`].

use std::collections::HashSet;
use std::fmt;

use axum::http::StatusCode;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::failure::Failure;

/// Lists and objects within each other.
pub const DEPTH: usize = 64;

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
pub fn check(bytes: &[u8]) -> Result<(), Failure> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict { left: DEPTH }.deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|error| {
        Failure::bad_request("malformed", format!("the body is no JSON that can be taken: {error}"))
            .hint("send one JSON document in UTF-8, each key of an object once")
    })
}

/// Reads a value and forgets it.
struct Strict {
    left: usize,
}

impl Strict {
    fn inner<E: Error>(&self) -> Result<usize, E> {
        self.left.checked_sub(1).ok_or_else(|| E::custom(format!("it is nested deeper than {DEPTH}")))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let left = self.inner()?;
        while items.next_element_seed(Strict { left })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let left = self.inner()?;
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if seen.contains(&key) {
                let shown: String = key.chars().take(100).collect();
                return Err(A::Error::custom(format!("key `{shown}` stands twice")));
            }
            seen.insert(key);
            entries.next_value_seed(Strict { left })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

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
