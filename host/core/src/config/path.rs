//! Paths inside a project, as configuration names them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A file or folder of the project: relative, `/` between names, never leading out. Normalised, so that equal places
/// are equal texts; `.` is the project folder itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProjectPath(String);

impl ProjectPath {
    /// The project folder.
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this place or lies below it.
    pub fn covers(&self, other: &ProjectPath) -> bool {
        self.0 == "." || other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Why a text is no path inside a project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectPathError {
    #[error("path is empty")]
    Empty,
    #[error("path `{0}` is longer than 1024 characters")]
    TooLong(String),
    #[error("path `{0}` is absolute: paths are relative to the project folder")]
    Absolute(String),
    #[error("path `{0}` leaves the project folder: `..` is not allowed")]
    Outside(String),
    #[error("path `{0}` contains a backslash: names are separated by `/`")]
    Backslash(String),
    #[error("path `{0}` contains a control character")]
    Control(String),
}

impl FromStr for ProjectPath {
    type Err = ProjectPathError;

    fn from_str(text: &str) -> Result<Self, ProjectPathError> {
        let quoted = || text.to_owned();
        let drive = text.chars().nth(1) == Some(':') && text.starts_with(|c: char| c.is_ascii_alphabetic());
        if text.is_empty() {
            return Err(ProjectPathError::Empty);
        } else if text.chars().count() > 1024 {
            return Err(ProjectPathError::TooLong(text.chars().take(40).chain("...".chars()).collect()));
        } else if text.chars().any(char::is_control) {
            return Err(ProjectPathError::Control(quoted()));
        } else if text.contains('\\') {
            return Err(ProjectPathError::Backslash(quoted()));
        } else if text.starts_with('/') || drive {
            return Err(ProjectPathError::Absolute(quoted()));
        } else if text.split('/').any(|name| name == "..") {
            return Err(ProjectPathError::Outside(quoted()));
        }
        let names: Vec<_> = text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        Ok(if names.is_empty() { Self::root() } else { Self(names.join("/")) })
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ProjectPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProjectPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ProjectPath {
        text.parse().unwrap()
    }

    #[test]
    fn normalises() {
        for (text, normal) in
            [("data/", "data"), ("./data//a.csv", "data/a.csv"), (".", "."), ("./", "."), ("a b", "a b")]
        {
            assert_eq!(path(text).as_str(), normal);
        }
    }

    #[test]
    fn refuses_what_leads_out() {
        for text in ["", "/etc", "..", "data/../../etc", "a/..", "C:/x", "C:x", "a\\b", "a\0b", "a\nb"] {
            assert!(text.parse::<ProjectPath>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn covers_itself_and_what_is_below() {
        assert!(path("data").covers(&path("data")));
        assert!(path("data").covers(&path("data/a/b.csv")));
        assert!(path(".").covers(&path("anything")));
        assert!(!path("data").covers(&path("database.csv")));
        assert!(!path("data/a").covers(&path("data")));
        assert!(!path("data").covers(&path(".")));
    }
}
