//! From columns to types that cannot be wrong.

use std::str::FromStr;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use wasmlops_package::{Algorithm, Digest};

/// Enums whose variants are words in the database.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::row::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err($crate::row::UnknownWord { what: stringify!($name), word: word.chars().take(100).collect() }),
                }
            }
        }
    };
}

pub(crate) use words;

/// The text is none of the enum's words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{word}` is no {what}")]
pub struct UnknownWord {
    pub(crate) what: &'static str,
    pub(crate) word: String,
}

/// A digest as text. A step has a dozen of them, and `Display` writes byte by byte.
pub(crate) fn text(digest: &Digest) -> String {
    let algorithm = match digest.algorithm() {
        Algorithm::Blake3 => "blake3:",
        Algorithm::Sha256 => "sha256:",
    };
    // Any 32 bytes: only the conversion to hex is of use here.
    let hex = blake3::Hash::from_bytes(*digest.bytes()).to_hex();
    let mut text = String::with_capacity(algorithm.len() + hex.len());
    text.push_str(algorithm);
    text.push_str(&hex);
    text
}

/// The first bytes of a digest, for a small index.
pub(crate) fn head(digest: &Digest) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest.bytes();
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// `?, ?, ?` for an `IN`.
pub(crate) fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// A text column as what it stands for.
pub(crate) fn parsed<T>(row: &SqliteRow, column: &'static str) -> Result<T, sqlx::Error>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.try_get::<&str, _>(column)?.parse().map_err(|error| decode(column, error))
}

/// A digest column that may be null.
pub(crate) fn optional_digest(row: &SqliteRow, column: &'static str) -> Result<Option<Digest>, sqlx::Error> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|error| decode(column, error))).transpose()
}

fn decode(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_display_writes() {
        for digest in [Digest::blake3(b"rows"), Digest::sha256(b"rows")] {
            assert_eq!(text(&digest), digest.to_string());
        }
    }
}
