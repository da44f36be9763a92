//! How long a project keeps what happened.

use std::time::Duration;

use crate::config::keys;
use crate::config::reader::Reader;
use crate::config::yaml::Entry;

/// The project file's `retention`. What has no time is kept for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Of runs, from their end.
    pub runs: Option<Duration>,
    /// Of the log lines of runs that stay, from the run's end.
    pub logs: Option<Duration>,
    /// Of the inference log's rows.
    pub inference: Option<Duration>,
    /// Of the metric points of runs that stay, from the run's end; the last value of each metric stays with its run.
    pub metrics: Option<Duration>,
    /// So many of the newest runs of each pipeline stay whatever their age.
    pub keep_last: u64,
}

impl Default for Retention {
    /// Everything is kept.
    fn default() -> Self {
        Self { runs: None, logs: None, inference: None, metrics: None, keep_last: 10 }
    }
}

/// Shorter times are a slip of the pen: runs would go while people still look at them.
const SHORTEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<Retention> {
    let fields = reader.fields(&entry.node, "`retention`", entry.key_span, keys::RETENTION)?;
    let mut time = |name: &str| {
        let node = fields.get(name)?;
        let time = reader.duration(node, &format!("`{name}`"))?;
        if time < SHORTEST {
            let message = format!("`{name}` keeps for less than a day");
            reader.problem_with_hint("wrong-value", node.span, message, "write a time such as `30d`; at least `1d`");
            return None;
        }
        Some(time)
    };
    let (runs, logs, inference, metrics) = (time("runs"), time("logs"), time("inference"), time("metrics"));
    let keep_last = fields.get("keep_last").and_then(|node| reader.count(node, "`keep_last`", 0..=1_000_000));
    let keep_last = keep_last.unwrap_or(Retention::default().keep_last);
    Some(Retention { runs, logs, inference, metrics, keep_last })
}
