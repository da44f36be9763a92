//! Which step's metric is meant: `gate.auc`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A metric of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetricRef {
    /// The step's key; that of a matrix has its cell in it.
    pub step: String,
    pub metric: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no metric: expected `STEP.METRIC`, such as `gate.auc`")]
pub struct MetricRefError(String);

impl FromStr for MetricRef {
    type Err = MetricRefError;

    /// The first dot behind the step's cell divides: metrics have dots in their names as well.
    fn from_str(text: &str) -> Result<Self, MetricRefError> {
        let wrong = || MetricRefError(text.chars().take(100).collect());
        let behind = text.rfind(']').map_or(0, |at| at + 1);
        let dot = text[behind..].find('.').map(|at| at + behind).ok_or_else(wrong)?;
        let (step, metric) = (&text[..dot], &text[dot + 1..]);
        if step.is_empty() || metric.is_empty() {
            return Err(wrong());
        }
        Ok(Self { step: step.to_owned(), metric: metric.to_owned() })
    }
}

impl fmt::Display for MetricRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.step, self.metric)
    }
}

impl Serialize for MetricRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MetricRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
