//! How roles, areas, levels, permissions and scopes are written: lower-case words, `runs:read` where there are two.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Area, Level, Permission, Role, Scope};

/// A text that is none of the words that were expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {what}: expected {expected}")]
pub struct NameError {
    pub what: &'static str,
    /// The first characters of it.
    pub given: String,
    pub expected: String,
}

impl NameError {
    fn new(what: &'static str, given: &str, expected: impl Into<String>) -> Self {
        Self { what, given: given.chars().take(100).collect(), expected: expected.into() }
    }

    fn one_of(what: &'static str, given: &str, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Self::new(what, given, format!("one of {}", names.join(", ")))
    }
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Editor => "editor",
            Role::Admin => "admin",
        }
    }
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Read => "read",
            Level::Operate => "operate",
            Level::Edit => "edit",
            Level::Administer => "administer",
        }
    }
}

impl Area {
    pub const ALL: [Area; 20] = [
        Area::Pipelines,
        Area::Runs,
        Area::Tracking,
        Area::Artifacts,
        Area::Lineage,
        Area::Plugins,
        Area::Models,
        Area::Endpoints,
        Area::Predictions,
        Area::Labels,
        Area::Monitors,
        Area::Schedules,
        Area::Triggers,
        Area::Approvals,
        Area::Events,
        Area::Access,
        Area::Secrets,
        Area::Audit,
        Area::Storage,
        Area::Operations,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Area::Pipelines => "pipelines",
            Area::Runs => "runs",
            Area::Tracking => "tracking",
            Area::Artifacts => "artifacts",
            Area::Lineage => "lineage",
            Area::Plugins => "plugins",
            Area::Models => "models",
            Area::Endpoints => "endpoints",
            Area::Predictions => "predictions",
            Area::Labels => "labels",
            Area::Monitors => "monitors",
            Area::Schedules => "schedules",
            Area::Triggers => "triggers",
            Area::Approvals => "approvals",
            Area::Events => "events",
            Area::Access => "access",
            Area::Secrets => "secrets",
            Area::Audit => "audit",
            Area::Storage => "storage",
            Area::Operations => "operations",
        }
    }
}

impl FromStr for Role {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let known = Role::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| NameError::one_of("role", text, &Role::ALL.map(Role::as_str)))
    }
}

impl FromStr for Level {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let known = Level::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or_else(|| NameError::one_of("level", text, &Level::ALL.map(Level::as_str)))
    }
}

impl FromStr for Area {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let known = Area::ALL.into_iter().find(|area| area.as_str() == text);
        known.ok_or_else(|| NameError::one_of("area", text, &Area::ALL.map(Area::as_str)))
    }
}

impl FromStr for Permission {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::new("permission", text, "an area and a level, such as `runs:read`");
        let (area, level) = text.split_once(':').ok_or_else(wrong)?;
        Ok(Self { area: area.parse()?, level: level.parse()? })
    }
}

impl FromStr for Scope {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once(':') {
            None => Ok(Self { area: text.parse()?, level: None }),
            Some((area, level)) => Ok(Self { area: area.parse()?, level: Some(level.parse()?) }),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.area, self.level)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            None => write!(f, "{}", self.area),
            Some(level) => write!(f, "{}:{level}", self.area),
        }
    }
}

/// `Display` for what has one word.
macro_rules! shown_as_word {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

/// As text in JSON.
macro_rules! serialized_as_text {
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

shown_as_word!(Role, Level, Area);
serialized_as_text!(Role, Level, Area, Permission, Scope);
