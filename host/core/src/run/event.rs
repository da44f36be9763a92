//! What can happen to a run, and what then has to be done.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use wasmlops_package::Digest;

use super::{Micros, RunStatus};
use crate::artifact::OutputRecord;
use crate::graph::StepKey;

/// Something that happened. Durable before it is applied.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    Started,
    /// An earlier result stands for the step.
    Hit {
        step: StepKey,
        key: Digest,
        from_run: String,
        outputs: BTreeMap<String, OutputRecord>,
        metrics: Metrics,
    },
    AttemptStarted {
        step: StepKey,
    },
    AttemptSucceeded {
        step: StepKey,
        outputs: BTreeMap<String, OutputRecord>,
        metrics: Metrics,
    },
    /// `outputs`: what is kept all the same, such as a validator's report.
    AttemptFailed {
        step: StepKey,
        failure: Failure,
        outputs: BTreeMap<String, OutputRecord>,
        #[serde(default)]
        metrics: Metrics,
    },
    /// The process that ran the attempt is gone.
    AttemptLost {
        step: StepKey,
    },
    /// The time to start the next attempt has come.
    BackoffEnded {
        step: StepKey,
    },
    AttemptCancelled {
        step: StepKey,
    },
    /// A person was asked; from `expires` on it is too late to answer.
    ApprovalRequested {
        step: StepKey,
        expires: Micros,
    },
    /// `outputs`: the decision.
    Approved {
        step: StepKey,
        outputs: BTreeMap<String, OutputRecord>,
    },
    Rejected {
        step: StepKey,
        failure: Failure,
        outputs: BTreeMap<String, OutputRecord>,
    },
    /// Nobody answered in time.
    Expired {
        step: StepKey,
        failure: Failure,
        outputs: BTreeMap<String, OutputRecord>,
    },
    CancelRequested,
    /// Goes on with everything that did not succeed.
    Resumed,
}

/// What the driver has to do next.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Look the step up in the cache; else start an attempt, or ask a person.
    Start { step: StepKey },
    /// Send [`Event::BackoffEnded`] at `until`.
    Wait { step: StepKey, until: Micros },
    /// Stop the running attempt.
    Abort { step: StepKey },
    /// The step ended without an event of its own: skipped or cancelled. Only to be recorded.
    Ended { step: StepKey },
    /// All steps have ended.
    Finish { status: RunStatus },
}

/// Why an attempt failed.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// Stable, kebab-case: `invalid-input`, `timed-out`, `gate-failed`.
    pub code: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The configuration key or input at fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// Whether another attempt may go better.
    pub retryable: bool,
}

/// The latest value of each metric. As JSON, what is no finite number is text: `NaN`, `Infinity`, `-Infinity`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Metrics(pub BTreeMap<String, f64>);

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            match *value {
                value if value.is_finite() => map.serialize_entry(name, &value)?,
                value if value.is_nan() => map.serialize_entry(name, "NaN")?,
                value => map.serialize_entry(name, if value > 0.0 { "Infinity" } else { "-Infinity" })?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number(f64);

        impl<'de> Deserialize<'de> for Number {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct NumberVisitor;

                impl Visitor<'_> for NumberVisitor {
                    type Value = Number;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a number, or `NaN`, `Infinity` or `-Infinity`")
                    }

                    fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
                        Ok(Number(value))
                    }

                    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
                        Ok(Number(value as f64))
                    }

                    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
                        Ok(Number(value as f64))
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                        match text {
                            "NaN" => Ok(Number(f64::NAN)),
                            "Infinity" => Ok(Number(f64::INFINITY)),
                            "-Infinity" => Ok(Number(f64::NEG_INFINITY)),
                            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                        }
                    }
                }

                deserializer.deserialize_any(NumberVisitor)
            }
        }

        let map = BTreeMap::<String, Number>::deserialize(deserializer)?;
        Ok(Self(map.into_iter().map(|(name, Number(value))| (name, value)).collect()))
    }
}
