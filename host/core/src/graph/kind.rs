//! What a step is: one of the contract's kinds, or built into the host.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmlops_package::Kind;

/// Written as one word: a kind's name, `model`, `artifact` or `approval`.
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
}

impl StepKind {
    /// Whether the host does it itself, without a component.
    pub fn is_built_in(self) -> bool {
        self.plugin().is_none()
    }

    pub fn plugin(self) -> Option<Kind> {
        match self {
            StepKind::Plugin(kind) => Some(kind),
            StepKind::Model | StepKind::Artifact | StepKind::Approval => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Plugin(kind) => kind.as_str(),
            StepKind::Model => "model",
            StepKind::Artifact => "artifact",
            StepKind::Approval => "approval",
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
