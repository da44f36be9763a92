//! The limits that a step or a policy chooses.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::config::reader::{Fields, Reader};
use crate::config::{keys, parse_duration, parse_size};
use crate::diagnostics::Span;
use crate::limits::Limits;

/// Limits that somebody chose; what is `None` is left to others.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LimitChoices {
    pub memory: Option<u64>,
    pub timeout: Option<Duration>,
    pub host_calls: Option<u64>,
    pub host_bytes: Option<u64>,
    pub log_bytes: Option<u64>,
    pub output_bytes: Option<u64>,
    pub metric_points: Option<u64>,
    pub fuel: Option<u64>,
}

impl LimitChoices {
    /// What a plugin's manifest advises. What it does not say in a form that is known is passed over.
    pub fn from_manifest(limits: &BTreeMap<String, Value>) -> Self {
        let mut choices = Self::default();
        for (name, value) in limits {
            // An advice that cannot be read is no reason to refuse the plugin.
            let _ = choices.set(name, value);
        }
        choices
    }

    /// Sets a limit by its name in files. Errors: what is wrong with the value.
    pub(in crate::config) fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let count =
            || value.as_u64().filter(|n| *n > 0).ok_or_else(|| format!("`{name}` must be a whole number above 0"));
        let size = || match value {
            Value::String(text) => parse_size(text),
            _ => count().map_err(|_| format!("`{name}` must be a size, such as `512MiB`")),
        };
        match name {
            "memory" => self.memory = Some(size()?),
            "timeout" => {
                let text = value.as_str().ok_or("`timeout` must be a duration, such as `30s`")?;
                self.timeout = Some(parse_duration(text)?);
            }
            "host-calls" => self.host_calls = Some(count()?),
            "host-bytes" => self.host_bytes = Some(size()?),
            "log-bytes" => self.log_bytes = Some(size()?),
            "output-bytes" => self.output_bytes = Some(size()?),
            "metric-points" => self.metric_points = Some(count()?),
            "fuel" => self.fuel = Some(count()?),
            _ => return Err(format!("`{name}` is not a limit")),
        }
        Ok(())
    }

    /// Puts the chosen limits in place of those in `limits`.
    pub fn apply(&self, limits: &mut Limits) {
        fn put<T: Copy>(choice: Option<T>, place: &mut T) {
            if let Some(value) = choice {
                *place = value;
            }
        }
        put(self.memory, &mut limits.memory);
        put(self.timeout, &mut limits.timeout);
        put(self.host_calls, &mut limits.host_calls);
        put(self.host_bytes, &mut limits.host_bytes);
        put(self.log_bytes, &mut limits.log_bytes);
        put(self.output_bytes, &mut limits.output_bytes);
        put(self.metric_points, &mut limits.metric_points);
        limits.fuel = self.fuel.or(limits.fuel);
    }
}

pub(super) fn read_limits(reader: &mut Reader<'_>, fields: &Fields<'_>) -> (LimitChoices, BTreeMap<String, Span>) {
    let (mut choices, mut spans) = (LimitChoices::default(), BTreeMap::new());
    let Some(entry) = fields.entry("limits") else {
        return (choices, spans);
    };
    let Some(limits) = reader.fields(&entry.node, "`limits`", entry.key_span, keys::LIMITS) else {
        return (choices, spans);
    };
    for key in keys::LIMITS {
        if let Some(entry) = limits.entry(key.name) {
            spans.insert(key.name.to_owned(), entry.key_span);
            if let Err(wrong) = choices.set(key.name, &entry.node.to_json()) {
                reader.problem("wrong-value", entry.node.span, wrong);
            }
        }
    }
    (choices, spans)
}
