//! JSON from strangers, read strictly: what one reader may take for this and another for that is refused.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Lists and objects within each other.
pub const DEPTH: usize = 64;

/// Looks through one JSON document without building anything.
///
/// # Errors
/// What is wrong with it and where: no JSON, a key that stands twice in an object, more than [`DEPTH`] levels, a number
/// that no 64-bit float holds, half of a surrogate pair.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict { left: DEPTH }.deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|error| error.to_string())
}

/// Reads one JSON document.
///
/// # Errors
/// As [`check`].
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    check(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
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
