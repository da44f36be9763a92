//! How a pipeline names a plugin: `name@requirement`.

use std::fmt;
use std::str::FromStr;

use semver::VersionReq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A plugin's name: lower-case words joined by `-`, each starting with a letter; at most 64 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PluginName(String);

impl PluginName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text names no plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginRefError {
    #[error("`{0}` is not a plugin name: expected lower-case words joined by `-`, such as `csv-source`")]
    Name(String),
    #[error("`{requirement}` is not a version requirement: {reason}")]
    Requirement { requirement: String, reason: String },
}

impl FromStr for PluginName {
    type Err = PluginRefError;

    fn from_str(text: &str) -> Result<Self, PluginRefError> {
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        if text.len() <= 64 && text.split('-').all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PluginRefError::Name(text.chars().take(100).collect()))
        }
    }
}

/// A plugin as a pipeline asks for it: `csv-source@^0.1`, or `csv-source` for any version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginRef {
    pub name: PluginName,
    pub requirement: VersionReq,
}

impl FromStr for PluginRef {
    type Err = PluginRefError;

    fn from_str(text: &str) -> Result<Self, PluginRefError> {
        let (name, requirement) = text.split_once('@').unwrap_or((text, "*"));
        Ok(Self {
            name: name.parse()?,
            requirement: VersionReq::parse(requirement).map_err(|error| PluginRefError::Requirement {
                requirement: requirement.chars().take(100).collect(),
                reason: error.to_string(),
            })?,
        })
    }
}

impl fmt::Display for PluginRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.requirement)
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

serde_as_text!(PluginName, PluginRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_name_and_requirement() {
        let plugin: PluginRef = "csv-source@^0.1".parse().unwrap();
        assert_eq!(plugin.name.as_str(), "csv-source");
        assert!(plugin.requirement.matches(&semver::Version::new(0, 1, 9)));
        assert!(!plugin.requirement.matches(&semver::Version::new(0, 2, 0)));
        assert_eq!("split".parse::<PluginRef>().unwrap().requirement, VersionReq::STAR);
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "Csv", "csv_source", "-csv", "csv-", "a/b@1", "csv@one", "../csv"] {
            assert!(text.parse::<PluginRef>().is_err(), "{text}");
        }
    }
}
