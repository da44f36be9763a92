//! Endpoints: where a model answers requests, and what happens when it does badly.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::pipeline::check_name;
use crate::config::reader::{Fields, Reader};
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{ModelRef, Spanned, keys, parse_size};

/// What a score may be measured in: the higher, the better.
pub(super) const METRICS: [&str; 4] = ["accuracy", "f1", "auc", "r2"];

/// An endpoint of the project file, with defaults filled in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EndpointConfig {
    pub name: Spanned<String>,
    /// An alias is followed: when it moves, so does the traffic.
    pub model: ModelRef,
    /// Of one request, waiting included.
    pub deadline: Duration,
    /// Warm instances of a release.
    pub instances: usize,
    /// Requests that may wait.
    pub queue: usize,
    /// Absent: each request is a call of its own.
    pub batch: Option<BatchConfig>,
    pub canary: CanaryConfig,
    pub rollback: RollbackConfig,
    pub log: LogConfig,
    pub labels: LabelConfig,
}

/// Several requests answered by one call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchConfig {
    /// The most rows of one call.
    pub rows: usize,
    /// How long the first request waits for others.
    pub wait: Duration,
}

/// How a new release gets traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CanaryConfig {
    /// Percent of the traffic, ascending, each 1 to 99.
    pub steps: Vec<u8>,
    /// At each step, at the least.
    pub bake: Duration,
    /// Answered at each step, at the least.
    pub requests: u64,
}

/// When a release is taken back without being asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RollbackConfig {
    /// The share of failed requests above which it is; absent: errors do not matter.
    pub error_rate: Option<f64>,
    /// The 99th percentile of latency above which it is; absent: latency does not matter.
    pub p99: Option<Duration>,
    /// How many requests a verdict needs.
    pub requests: u64,
    pub score: Option<ScoreRule>,
    /// Whether a monitor's `rollback` may take a release back.
    pub on_drift: bool,
}

/// The least score against labels.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScoreRule {
    /// `accuracy`, `f1`, `auc` or `r2`.
    pub metric: String,
    pub min: f64,
    /// How many labelled predictions a verdict needs.
    pub labels: u64,
}

/// How much of the traffic is recorded.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LogConfig {
    /// The share of requests, 0 to 1.
    pub sample: f64,
    /// The most that is kept; the oldest go first.
    pub rows: u64,
    pub bytes: u64,
}

/// The ground truth that arrives later.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LabelConfig {
    /// After its prediction, how long a label is still taken.
    pub lateness: Duration,
}

impl EndpointConfig {
    /// An endpoint that says nothing but its model.
    pub fn new(name: Spanned<String>, model: ModelRef) -> Self {
        Self {
            name,
            model,
            deadline: Duration::from_secs(1),
            instances: 2,
            queue: 256,
            batch: None,
            canary: CanaryConfig::default(),
            rollback: RollbackConfig::default(),
            log: LogConfig::default(),
            labels: LabelConfig::default(),
        }
    }
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self { rows: 32, wait: Duration::from_millis(2) }
    }
}

impl Default for CanaryConfig {
    fn default() -> Self {
        Self { steps: vec![10, 50], bake: Duration::from_secs(600), requests: 100 }
    }
}

impl Default for RollbackConfig {
    fn default() -> Self {
        Self {
            error_rate: Some(0.05),
            p99: Some(Duration::from_millis(250)),
            requests: 20,
            score: None,
            on_drift: true,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { sample: 1.0, rows: 1_000_000, bytes: 1 << 30 }
    }
}

impl Default for LabelConfig {
    fn default() -> Self {
        Self { lateness: Duration::from_secs(30 * 86_400) }
    }
}

/// Reads one entry of `endpoints`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<EndpointConfig> {
    check_name(reader, entry, "endpoint");
    let what = format!("endpoint `{}`", entry.key);
    let fields = reader.fields(&entry.node, &what, entry.key_span, keys::ENDPOINT)?;
    let model =
        fields.get("model").and_then(|node| reader.parsed(node, "`model`", "invalid-model", str::parse::<ModelRef>));
    let unnamed = ModelRef { name: String::new(), selector: crate::config::Selector::Version(1) };
    let name = Spanned::new(entry.key.clone(), entry.key_span);
    let mut endpoint = EndpointConfig::new(name, model.as_ref().map_or(unnamed, |model| model.value.clone()));
    put(&mut endpoint.deadline, fields.get("deadline").and_then(|node| reader.duration(node, "`deadline`")));
    put(&mut endpoint.instances, count(reader, &fields, "instances", 1, 1024).map(small));
    put(&mut endpoint.queue, count(reader, &fields, "queue", 0, 1_000_000).map(small));
    endpoint.batch = fields.entry("batch").and_then(|entry| read_batch(reader, entry));
    put(&mut endpoint.canary, fields.entry("canary").and_then(|entry| read_canary(reader, entry)));
    put(&mut endpoint.rollback, fields.entry("rollback").and_then(|entry| read_rollback(reader, entry)));
    put(&mut endpoint.log, fields.entry("log").and_then(|entry| read_log(reader, entry)));
    if let Some(entry) = fields.entry("labels")
        && let Some(labels) = reader.fields(&entry.node, "`labels`", entry.key_span, keys::LABELS)
    {
        let lateness = labels.get("lateness").and_then(|node| reader.duration(node, "`lateness`"));
        put(&mut endpoint.labels.lateness, lateness);
    }
    if let Some(node) = fields.get("description") {
        reader.text(node, "`description`");
    }
    // Last, so that whatever else is wrong with the endpoint has been said.
    model.map(|_| endpoint)
}

fn read_batch(reader: &mut Reader<'_>, entry: &Entry) -> Option<BatchConfig> {
    let fields = reader.fields(&entry.node, "`batch`", entry.key_span, keys::BATCH)?;
    let mut batch = BatchConfig::default();
    put(&mut batch.rows, count(reader, &fields, "rows", 1, 1_000_000).map(small));
    put(&mut batch.wait, fields.get("wait").and_then(|node| reader.duration(node, "`wait`")));
    Some(batch)
}

fn read_canary(reader: &mut Reader<'_>, entry: &Entry) -> Option<CanaryConfig> {
    let fields = reader.fields(&entry.node, "`canary`", entry.key_span, keys::CANARY)?;
    let mut canary = CanaryConfig::default();
    if let Some(node) = fields.get("steps") {
        canary.steps = read_shares(reader, node);
    }
    put(&mut canary.bake, fields.get("bake").and_then(|node| reader.duration(node, "`bake`")));
    put(&mut canary.requests, count(reader, &fields, "requests", 1, u64::MAX));
    Some(canary)
}

fn read_shares(reader: &mut Reader<'_>, node: &Node) -> Vec<u8> {
    let items = reader.items(node, "`steps` of a canary").unwrap_or_default();
    let shares: Vec<u8> = items
        .iter()
        .filter_map(|item| reader.count(item, "an item of `steps`", 1..=99))
        .filter_map(|share| u8::try_from(share).ok())
        .collect();
    let whole = matches!(&node.value, NodeValue::List(_)) && shares.len() == items.len();
    if whole && (shares.is_empty() || shares.len() > 20 || !shares.is_sorted_by(|a, b| a < b)) {
        let message = "`steps` of a canary must be 1 to 20 shares of the traffic, each larger than the one before";
        reader.problem_with_hint("wrong-value", node.span, message, "write percentages such as `[10, 50]`");
    }
    shares
}

fn read_rollback(reader: &mut Reader<'_>, entry: &Entry) -> Option<RollbackConfig> {
    let fields = reader.fields(&entry.node, "`rollback`", entry.key_span, keys::ROLLBACK)?;
    let mut rollback = RollbackConfig::default();
    if let Some(node) = fields.get("error_rate") {
        rollback.error_rate = reader.share(node, "`error_rate`");
    }
    if let Some(node) = fields.get("p99") {
        rollback.p99 = reader.duration(node, "`p99`");
    }
    put(&mut rollback.requests, count(reader, &fields, "requests", 1, u64::MAX));
    rollback.score = fields.entry("score").and_then(|entry| read_score(reader, entry));
    put(&mut rollback.on_drift, fields.get("on_drift").and_then(|node| reader.boolean(node, "`on_drift`")));
    Some(rollback)
}

fn read_score(reader: &mut Reader<'_>, entry: &Entry) -> Option<ScoreRule> {
    let fields = reader.fields(&entry.node, "`score`", entry.key_span, keys::SCORE)?;
    let known = |text: &str| match METRICS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not a score: scores are {}", crate::config::listed(METRICS))),
    };
    let metric = fields.get("metric").and_then(|node| reader.parsed(node, "`metric`", "wrong-value", known));
    let min = fields.get("min").and_then(|node| {
        let number = node.to_json().as_f64();
        if number.is_none() {
            reader.wrong_type(node, "`min`", "a number");
        }
        number
    });
    let labels = count(reader, &fields, "labels", 1, u64::MAX).unwrap_or(30);
    Some(ScoreRule { metric: metric?.value, min: min?, labels })
}

fn read_log(reader: &mut Reader<'_>, entry: &Entry) -> Option<LogConfig> {
    let fields = reader.fields(&entry.node, "`log`", entry.key_span, keys::LOG)?;
    let mut log = LogConfig::default();
    put(&mut log.sample, fields.get("sample").and_then(|node| reader.share(node, "`sample`")));
    put(&mut log.rows, count(reader, &fields, "rows", 1, u64::MAX));
    if let Some(node) = fields.get("bytes") {
        let size = match node.to_json() {
            serde_json::Value::Number(_) => reader.count(node, "`bytes`", 1..=u64::MAX),
            _ => reader.parsed(node, "`bytes`", "wrong-value", parse_size).map(|size| size.value),
        };
        put(&mut log.bytes, size);
    }
    Some(log)
}

fn count(reader: &mut Reader<'_>, fields: &Fields<'_>, name: &str, least: u64, most: u64) -> Option<u64> {
    fields.get(name).and_then(|node| reader.count(node, &format!("`{name}`"), least..=most))
}

/// Bounds were checked: it fits.
fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
