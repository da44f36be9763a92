//! One value on its way into a column.

/// A value as a client sent it, before it is known to fit its column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Only what is beyond `i64`.
    Big(u64),
    Float(f64),
    Text(&'a str),
    /// Bytes that may be text, as a tensor's element.
    Bytes(&'a [u8]),
    List,
    Object,
}

/// What becomes of a number that a 32-bit column cannot hold as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// A decimal text: the nearest number is meant.
    Decimal,
    /// A number in a stated type: it fits as it is, or it is refused.
    Exact,
}

impl Cell<'_> {
    /// The cell in a message, short whatever was sent.
    pub fn describe(&self) -> String {
        match self {
            Cell::Null => "null".to_owned(),
            Cell::Bool(value) => format!("`{value}`"),
            Cell::Int(value) => format!("`{value}`"),
            Cell::Big(value) => format!("`{value}`"),
            Cell::Float(value) if value.is_nan() => "NaN".to_owned(),
            Cell::Float(value) => format!("`{value}`"),
            Cell::Text(text) => format!("the text {}", quoted(text)),
            Cell::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => format!("the text {}", quoted(text)),
                Err(_) => "bytes that are no UTF-8".to_owned(),
            },
            Cell::List => "a list".to_owned(),
            Cell::Object => "an object".to_owned(),
        }
    }
}

/// At most 40 characters of what a client wrote, without control characters.
pub(super) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(40).flat_map(shown).collect();
    if text.chars().nth(40).is_some() {
        short.push_str("...");
    }
    format!("`{short}`")
}

fn shown(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = match character.is_control() {
        true => (None, Some(character.escape_default())),
        false => (Some(character), None),
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}
