//! Schedules: which pipeline is run when, and what happens where times overlap or were missed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::pipeline::check_name;
use crate::config::reader::{Fields, Reader};
use crate::config::reference::is_step_name;
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{Spanned, format_duration, keys};
use crate::schedule::{Timing, zone};

/// A schedule of the project file, with defaults filled in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScheduleConfig {
    pub name: Spanned<String>,
    /// The name of a pipeline; whether there is one is for the host to say.
    pub pipeline: Spanned<String>,
    pub timing: Timing,
    /// Of the runs; not yet checked against the pipeline.
    pub params: Map<String, Value>,
    pub policy: SchedulePolicy,
    /// Of the runs, -100 to 100.
    pub priority: i32,
    /// Held by the file, whatever was said on the command line.
    pub paused: bool,
    pub description: Option<String>,
}

/// What becomes of nominal times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SchedulePolicy {
    pub overlap: Overlap,
    pub catch_up: CatchUp,
    /// A run is submitted up to so much later than its nominal time.
    pub jitter: Duration,
}

/// What happens where an earlier run of the schedule is still under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// The time passes without a run.
    #[default]
    Skip,
    /// The run waits until the earlier ones have ended.
    Queue,
    /// The earlier run is cancelled.
    Replace,
}

/// What happens to times that passed while nobody watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatchUp {
    /// Nothing.
    Skip,
    /// The last of them gets a run.
    #[default]
    Latest,
    /// The last so many get a run, one after the other.
    All(u32),
}

impl Overlap {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
            Self::Replace => "replace",
        }
    }
}

/// `skip`, `latest`, `all 100`.
impl std::fmt::Display for CatchUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Skip => f.write_str("skip"),
            Self::Latest => f.write_str("latest"),
            Self::All(most) => write!(f, "all {most}"),
        }
    }
}

/// The most times that `catch_up: { all: N }` may ask for.
const MOST_CAUGHT_UP: u64 = 1000;
const MOST_JITTER: Duration = Duration::from_secs(86_400);
const PRIORITIES: std::ops::RangeInclusive<i64> = -100..=100;

/// Reads one entry of `schedules`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<ScheduleConfig> {
    check_name(reader, entry, "schedule");
    let what = format!("schedule `{}`", entry.key);
    let fields = reader.fields(&entry.node, &what, entry.key_span, keys::SCHEDULE)?;
    let pipeline = fields.get("pipeline").and_then(|node| read_pipeline(reader, node));
    let timing = read_timing(reader, &fields, entry, &what);
    let params = fields.get("params").map_or_else(Map::new, |node| read_params(reader, node));
    let policy = SchedulePolicy {
        overlap: fields.get("overlap").and_then(|node| read_overlap(reader, node)).unwrap_or_default(),
        catch_up: fields.get("catch_up").and_then(|node| read_catch_up(reader, node)).unwrap_or_default(),
        jitter: fields.get("jitter").and_then(|node| read_jitter(reader, node, timing.as_ref())).unwrap_or_default(),
    };
    let priority = fields.get("priority").and_then(|node| read_priority(reader, node)).unwrap_or_default();
    let paused = fields.get("paused").and_then(|node| reader.boolean(node, "`paused`")).unwrap_or_default();
    let description = fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned);
    let name = Spanned::new(entry.key.clone(), entry.key_span);
    // Last, so that whatever else is wrong with the schedule has been said.
    Some(ScheduleConfig { name, pipeline: pipeline?, timing: timing?, params, policy, priority, paused, description })
}

fn read_pipeline(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<String>> {
    let text = reader.text(node, "`pipeline`")?;
    if !is_step_name(text) {
        let hint = "write the name of a file under `pipelines/`, without its ending";
        let message = format!("`{text}` is not the name of a pipeline");
        reader.problem_with_hint("invalid-name", node.span, message, hint);
    }
    Some(Spanned::new(text.to_owned(), node.span))
}

fn read_timing(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry, what: &str) -> Option<Timing> {
    match (fields.get("cron"), fields.entry("every")) {
        (Some(node), None) => {
            if let Some(start) = fields.entry("start") {
                let hint = "remove it, or write `every` for `cron`";
                reader.problem_with_hint("wrong-value", start.key_span, "a cron pattern has no `start`", hint);
            }
            read_cron(reader, node, fields.get("zone"))
        }
        (None, Some(every)) => {
            if let Some(zone) = fields.entry("zone") {
                let hint = "remove it, or write `cron` for `every`";
                reader.problem_with_hint("wrong-value", zone.key_span, "an interval has no `zone`", hint);
            }
            read_every(reader, &every.node, fields.get("start"))
        }
        (Some(cron), Some(every)) => {
            let message = format!("{what} has both `cron` and `every`");
            reader.problem_with_hint("wrong-value", every.key_span, message, "remove one of them");
            // What is wrong with each is said all the same.
            let _ = (read_cron(reader, cron, fields.get("zone")), read_every(reader, &every.node, fields.get("start")));
            None
        }
        (None, None) => {
            let message = format!("{what} has neither `cron` nor `every`");
            let hint = "write `cron: \"30 2 * * *\"` or `every: 6h`";
            reader.problem_with_hint("missing-key", entry.key_span, message, hint);
            None
        }
    }
}

fn read_cron(reader: &mut Reader<'_>, node: &Node, zone_node: Option<&Node>) -> Option<Timing> {
    let zone = match zone_node {
        None => Some(jiff::tz::TimeZone::UTC),
        Some(node) => reader.text(node, "`zone`").and_then(|text| match zone(text) {
            Ok(zone) => Some(zone),
            Err(unknown) => {
                reader.problem_with_hint("unknown-zone", node.span, unknown.to_string(), unknown.hint());
                None
            }
        }),
    };
    let text = reader.text(node, "`cron`")?;
    match Timing::cron(text, zone.as_ref().unwrap_or(&jiff::tz::TimeZone::UTC)) {
        Ok(timing) => zone.map(|_| timing),
        Err(error) => {
            reader.problem_with_hint("invalid-cron", node.span, error.to_string(), error.hint());
            None
        }
    }
}

fn read_every(reader: &mut Reader<'_>, node: &Node, start: Option<&Node>) -> Option<Timing> {
    let every = reader.duration(node, "`every`");
    if every.is_some_and(|every| every < Duration::from_secs(1)) {
        reader.problem("wrong-value", node.span, "`every` must be at least `1s`");
    }
    let instant = |text: &str| {
        let wrong = |_| format!("`{text}` is not a time: expected one such as `2026-03-29T00:00:00Z`");
        text.parse::<jiff::Timestamp>().map_err(wrong)
    };
    let start = start.map(|node| reader.parsed(node, "`start`", "wrong-value", instant));
    let start = start.map_or(Some(0), |start| start.map(|start| start.value.as_microsecond()));
    Some(Timing::Every { every: every?, start: start? })
}

fn read_params(reader: &mut Reader<'_>, node: &Node) -> Map<String, Value> {
    let mut params = Map::new();
    for entry in reader.entries(node, "`params`").unwrap_or_default() {
        match entry.node.value {
            NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_) => {
                params.insert(entry.key.clone(), entry.node.to_json());
            }
            _ => reader.wrong_type(&entry.node, &format!("parameter `{}`", entry.key), "text, a number or a boolean"),
        }
    }
    params
}

fn read_overlap(reader: &mut Reader<'_>, node: &Node) -> Option<Overlap> {
    let text = reader.text(node, "`overlap`")?;
    let found = [Overlap::Skip, Overlap::Queue, Overlap::Replace].into_iter().find(|overlap| overlap.as_str() == text);
    if found.is_none() {
        let message = format!("`{text}` is no policy for runs that overlap");
        reader.problem_with_hint("wrong-value", node.span, message, "write `skip`, `queue` or `replace`");
    }
    found
}

fn read_catch_up(reader: &mut Reader<'_>, node: &Node) -> Option<CatchUp> {
    let hint = "write `skip`, `latest` or `{ all: 100 }`";
    match &node.value {
        NodeValue::Map(_) => {
            let fields = reader.fields(node, "`catch_up`", node.span, keys::CATCH_UP)?;
            let most = reader.count(fields.get("all")?, "`all`", 1..=MOST_CAUGHT_UP)?;
            u32::try_from(most).ok().map(CatchUp::All)
        }
        NodeValue::Text(text) if text == "skip" => Some(CatchUp::Skip),
        NodeValue::Text(text) if text == "latest" => Some(CatchUp::Latest),
        _ => {
            let message = format!("{} is no policy for times that were missed", node.describe());
            reader.problem_with_hint("wrong-value", node.span, message, hint);
            None
        }
    }
}

fn read_jitter(reader: &mut Reader<'_>, node: &Node, timing: Option<&Timing>) -> Option<Duration> {
    let jitter = reader.duration(node, "`jitter`")?;
    let most = match timing {
        Some(Timing::Every { every, .. }) => (*every).min(MOST_JITTER),
        _ => MOST_JITTER,
    };
    if jitter > most {
        let message = format!("`jitter` must be at most `{}` here", format_duration(most));
        reader.problem("wrong-value", node.span, message);
    }
    Some(jitter)
}

fn read_priority(reader: &mut Reader<'_>, node: &Node) -> Option<i32> {
    let number = node.to_json().as_i64().filter(|number| PRIORITIES.contains(number));
    if number.is_none() {
        reader.wrong_type(node, "`priority`", "a whole number from -100 to 100");
    }
    number.and_then(|number| i32::try_from(number).ok())
}
