//! What a step is: one of the contract's kinds, or built into the host.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmlops_package::Kind;

/// Written as one word: a kind's name, `model`, `artifact`, `approval` or `search`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StepKind {
    /// Runs a component.
    Plugin(Kind),
    /// Registers a model.
    Model,
    /// Brings in an artifact that is there already.
    Artifact,
    /// Waits for a person's decision.
    Approval,
    /// Runs another pipeline with many values of its parameters.
    Search,
}

impl StepKind {
    /// Whether the host does it itself, without a component.
    pub fn is_built_in(self) -> bool {
        self.plugin().is_none()
    }

    /// Whether the step gives what it gave before, wherever its key is the same. What registers, brings in or asks is
    /// not known by a key.
    pub fn is_function(self) -> bool {
        matches!(self, StepKind::Plugin(_) | StepKind::Search)
    }

    pub fn plugin(self) -> Option<Kind> {
        match self {
            StepKind::Plugin(kind) => Some(kind),
            StepKind::Model | StepKind::Artifact | StepKind::Approval | StepKind::Search => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Plugin(kind) => kind.as_str(),
            StepKind::Model => "model",
            StepKind::Artifact => "artifact",
            StepKind::Approval => "approval",
            StepKind::Search => "search",
        }
    }
}

impl From<Kind> for StepKind {
    fn from(kind: Kind) -> Self {
        StepKind::Plugin(kind)
    }
}

impl PartialEq<Kind> for StepKind {
    fn eq(&self, kind: &Kind) -> bool {
        self.plugin() == Some(*kind)
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StepKind {
    type Err = <Kind as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "model" => Ok(StepKind::Model),
            "artifact" => Ok(StepKind::Artifact),
            "approval" => Ok(StepKind::Approval),
            "search" => Ok(StepKind::Search),
            kind => kind.parse().map(StepKind::Plugin),
        }
    }
}

impl Serialize for StepKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for StepKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
