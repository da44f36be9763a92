//! Names that fit into `NAME@ALIAS`, into a file's name and into a URL as they are.

use crate::error::CatalogError;

/// Longest name of a model or alias, in bytes.
const LONGEST: usize = 64;

/// Refuses what is no model's name: lower-case letters, digits, `-` and `_`, beginning with a letter.
pub fn check_name(name: &str) -> Result<(), CatalogError> {
    check("model", name)
}

/// Refuses what is no alias: like a model's name, so that no alias looks like a version's number.
pub fn check_alias(alias: &str) -> Result<(), CatalogError> {
    check("alias", alias)
}

fn check(what: &'static str, text: &str) -> Result<(), CatalogError> {
    let refuse = |why| Err(CatalogError::BadName { what, text: text.chars().take(LONGEST).collect(), why });
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if !text.as_bytes().first().is_some_and(u8::is_ascii_lowercase) {
        return refuse("it must begin with a lower-case letter");
    }
    if text.len() > LONGEST {
        return refuse("it is longer than 64 characters");
    }
    if !text.bytes().all(allowed) {
        return refuse("only lower-case letters, digits, `-` and `_` may stand in it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_references_files_and_urls() {
        for good in ["breast-cancer", "m", "a_b-c1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "3", "Model", "a/b", "a@b", "../up", "a b", "é", "a.b", &"a".repeat(65)] {
            assert!(check_alias(bad).is_err(), "{bad}");
        }
    }
}
