//! Lists, page by page.
//!
//! A page says where the next one begins. Clients keep that text and do not read it, so that what is in it may change.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::failure::Failure;

/// Items of a page where the client does not say.
pub const DEFAULT_LIMIT: u32 = 100;
/// Items of a page at the most.
pub const MAX_LIMIT: u32 = 1000;

/// Part of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// What to give as `cursor` for the items after these; null on the last page.
    pub next: Option<String>,
}

/// Which part of a list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    #[serde(default)]
    pub limit: Limit,
    pub cursor: Option<Cursor>,
}

/// How many items.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub u32);

/// Where a page begins, as the page before said.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cursor(String);

impl<T> Page<T> {
    /// Everything at once: a list that is as long as the project file.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// Part of a list that is in memory, in the order of `key`, which no two items share.
    pub fn of(
        list: &'static str,
        items: Vec<T>,
        query: &PageQuery,
        key: impl Fn(&T) -> String,
    ) -> Result<Self, Failure> {
        let after = query.cursor.as_ref().map(|cursor| cursor.open(list)).transpose()?;
        let mut items: Vec<T> = match after {
            Some(after) => {
                let last = items.iter().position(|item| key(item) == after).ok_or_else(bad_cursor)?;
                items.into_iter().skip(last + 1).collect()
            }
            None => items,
        };
        let more = items.len() > query.limit.0 as usize;
        items.truncate(query.limit.0 as usize);
        let next = items.last().filter(|_| more).map(|last| Cursor::seal(list, &key(last)));
        Ok(Self { items, next })
    }

    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(view).collect(), next: self.next }
    }
}

impl Cursor {
    /// The text for clients. `list` keeps the cursor of one list from being used on another.
    pub fn seal(list: &'static str, inner: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{list}\n{inner}"))
    }

    pub fn open(&self, list: &'static str) -> Result<String, Failure> {
        let text = URL_SAFE_NO_PAD.decode(&self.0).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let inner = text.as_deref().and_then(|text| text.strip_prefix(list)?.strip_prefix('\n'));
        inner.map(str::to_owned).ok_or_else(bad_cursor)
    }
}

/// The cursor is none that this list gave.
pub(super) fn bad_cursor() -> Failure {
    Failure::bad_request("bad-cursor", "`cursor` is none that this list gave")
        .hint("give the `next` of the page before, or none for the first page")
}

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            limit @ 1..=MAX_LIMIT => Ok(Self(limit)),
            limit => Err(serde::de::Error::custom(format!("`limit` is {limit} and not 1 to {MAX_LIMIT}"))),
        }
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT,
            "description": "Items of the page at the most.",
        })
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cursor".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "The `next` of the page before." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: u32, cursor: Option<String>) -> Page<u32> {
        let query = PageQuery { limit: Limit(limit), cursor: cursor.map(Cursor) };
        Page::of("numbers", (1..=5).collect(), &query, u32::to_string).unwrap()
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let (mut seen, mut next) = (Vec::new(), None);
        loop {
            let page = page(2, next);
            seen.extend(page.items);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
        assert_eq!(page(5, None).next, None);
    }

    #[test]
    fn cursors_of_other_lists_and_made_up_ones_are_refused() {
        for text in [Cursor::seal("runs", "1"), "x".to_owned(), String::new(), "ü".to_owned(), "AAAA".to_owned()] {
            assert_eq!(Cursor(text).open("numbers").unwrap_err().code, "bad-cursor");
        }
    }
}
