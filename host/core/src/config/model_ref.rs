//! How files and people name a version of a registered model: `breast-cancer@champion`, `breast-cancer@3`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::reference::is_step_name;

/// A version of a registered model.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModelRef {
    /// The registered model's name.
    pub name: String,
    pub selector: Selector,
}

/// Which of a model's versions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Selector {
    /// The version that the alias points at when it is looked up.
    Alias(String),
    /// From 1.
    Version(u64),
}

/// Why a text names no model version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelRefError {
    #[error("`{0}` names no model version: expected `NAME@ALIAS` or `NAME@3`")]
    Form(String),
    #[error("`{0}` cannot name a model: expected a lower-case letter, then letters, digits, `_` and `-`, at most 64")]
    Name(String),
    #[error("`{0}` is neither an alias nor a version: expected a name such as `champion`, or a number from 1")]
    Selector(String),
}

impl FromStr for ModelRef {
    type Err = ModelRefError;

    fn from_str(text: &str) -> Result<Self, ModelRefError> {
        let shown = |text: &str| text.chars().take(200).collect::<String>();
        let (name, selector) = text.split_once('@').ok_or_else(|| ModelRefError::Form(shown(text)))?;
        if !is_step_name(name) {
            return Err(ModelRefError::Name(shown(name)));
        }
        Ok(Self { name: name.to_owned(), selector: selector.parse()? })
    }
}

impl FromStr for Selector {
    type Err = ModelRefError;

    fn from_str(text: &str) -> Result<Self, ModelRefError> {
        let wrong = || ModelRefError::Selector(text.chars().take(200).collect());
        if is_step_name(text) {
            return Ok(Self::Alias(text.to_owned()));
        }
        let digits = !text.starts_with('0') && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().map(Self::Version).ok_or_else(wrong)
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.selector)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Alias(alias) => f.write_str(alias),
            Selector::Version(version) => write!(f, "{version}"),
        }
    }
}

macro_rules! serde_as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(ModelRef, Selector);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_aliases_and_versions() {
        for text in ["breast-cancer@champion", "churn@3", "m@v2"] {
            assert_eq!(text.parse::<ModelRef>().unwrap().to_string(), text);
        }
        assert_eq!("churn@12".parse::<ModelRef>().unwrap().selector, Selector::Version(12));
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "m", "m@", "@champion", "m@0", "m@03", "m@-1", "M@champion", "m@a@b", "m@99999999999999999999"]
        {
            assert!(text.parse::<ModelRef>().is_err(), "{text}");
        }
    }
}
