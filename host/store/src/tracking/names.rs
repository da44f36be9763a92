//! What MLflow allows as a name or a value. Lengths are in characters.

use crate::error::StoreError;

/// Keys of params, metrics and tags.
pub const KEY_MAX: usize = 250;
/// MLflow's server cuts longer ones to this length; who offers its API does so before calling.
pub const PARAM_VALUE_MAX: usize = 6000;
/// As of [`PARAM_VALUE_MAX`].
pub const TAG_VALUE_MAX: usize = 8000;
pub const EXPERIMENT_NAME_MAX: usize = 500;

/// Letters, digits, `_`, `-`, `.`, `/`, `:` and space; as a path, its own normal form.
pub(super) fn check_key(what: &str, key: &str) -> Result<(), StoreError> {
    let refused = |why: &str| {
        let shown: String = key.chars().take(100).collect();
        Err(StoreError::refused(format!("{what} `{shown}`"), why))
    };
    if key.is_empty() {
        return refused("it is empty");
    }
    if key.chars().count() > KEY_MAX {
        return refused("it is longer than 250 characters");
    }
    if !key.chars().all(|c| c.is_alphanumeric() || "_-./: ".contains(c)) {
        return refused("only letters, digits, `_`, `-`, `.`, `/`, `:` and space may be in it");
    }
    if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refused("it may not begin or end with `/`, and have no empty, `.` or `..` part");
    }
    Ok(())
}

pub(super) fn check_length(what: &str, value: &str, max: usize) -> Result<(), StoreError> {
    // Bytes first: they are at least as many, and known without counting.
    if value.len() <= max || value.chars().count() <= max {
        return Ok(());
    }
    Err(StoreError::refused(what, format!("it is longer than {max} characters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_mlflow() {
        for key in ["a", "lr", "val/auc", "größe", "a.b-c_d e:f", "..a", &"k".repeat(250)] {
            assert!(check_key("param", key).is_ok(), "{key}");
        }
        for key in ["", ".", "..", "/a", "a/", "a//b", "a/../b", "./a", "a\n", "a;b", "a\"", &"k".repeat(251)] {
            assert!(check_key("param", key).is_err(), "{key}");
        }
    }

    #[test]
    fn lengths_are_in_characters() {
        assert!(check_length("value", &"ö".repeat(6000), PARAM_VALUE_MAX).is_ok());
        assert!(check_length("value", &"o".repeat(6001), PARAM_VALUE_MAX).is_err());
    }
}
