//! What happens in a project, behind the surface: counted where it happens, or asked of the store when a page is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmlops_store::{QueueNumbers, StoreError, UnfinishedRuns, WriterNumbers};

use super::text::Text;
use crate::counts::{Counter, Counts, Family, Gauge};
use crate::host::Host;

/// A project at a moment.
pub struct ProjectNumbers {
    name: String,
    counts: Arc<Counts>,
    writer: WriterNumbers,
    /// Whether each endpoint answers.
    endpoints: BTreeMap<String, bool>,
    /// Absent where the store did not answer.
    stored: Option<Stored>,
}

struct Stored {
    runs: Vec<UnfinishedRuns>,
    queue: QueueNumbers,
    now: i64,
}

/// Pipelines that unfinished runs are told apart by; the rest are `other`.
const PIPELINES: usize = 200;

impl ProjectNumbers {
    /// Asks the store, and tells what is known otherwise if it does not answer.
    pub async fn read(host: &Host, endpoints: BTreeMap<String, bool>) -> Self {
        let stored =
            read_stored(host).await.map_err(|error| tracing::warn!("numbers for `/metrics` are missing: {error}"));
        Self {
            name: host.project.name.clone(),
            counts: host.counts.clone(),
            writer: host.store.writer_numbers(),
            endpoints,
            stored: stored.ok(),
        }
    }

    pub(super) fn write(&self, text: &mut Text) {
        self.write_endpoints(text);
        self.write_runs(text);
        self.write_steps(text);
        self.write_services(text);
        self.write_writer(text);
    }

    fn write_endpoints(&self, text: &mut Text) {
        if !self.endpoints.is_empty() {
            text.head("wasmlops_endpoint_ready", "gauge", "Whether an endpoint answers (1) or not yet (0).");
        }
        for (endpoint, ready) in &self.endpoints {
            text.sample("wasmlops_endpoint_ready", &[("endpoint", endpoint)], u8::from(*ready));
        }
    }

    fn write_runs(&self, text: &mut Text) {
        let project = self.name.as_str();
        if let Some(Stored { runs, queue, now }) = &self.stored {
            text.head("wasmlops_runs", "gauge", "Runs without an end, by pipeline and status.");
            for ((pipeline, status), count) in bounded(runs) {
                let labels = [("project", project), ("pipeline", pipeline), ("status", status)];
                text.sample("wasmlops_runs", &labels, count);
            }
            text.head("wasmlops_queue_runs", "gauge", "Runs in the queue: waiting for a place, and taken by a server.");
            for (state, count) in [("queued", queue.queued), ("claimed", queue.claimed)] {
                text.sample("wasmlops_queue_runs", &[("project", project), ("state", state)], count);
            }
            text.head("wasmlops_queue_oldest_seconds", "gauge", "How long the oldest run in the queue has waited.");
            let age = queue.oldest.map_or(0, |oldest| (now - oldest).max(0)) as f64 / 1e6;
            text.sample("wasmlops_queue_oldest_seconds", &[("project", project)], age);
        }
        let ended = ("wasmlops_runs_ended_total", "Runs that ended in this process, by pipeline and status.");
        self.counters(text, ended, ["pipeline", "status"], &self.counts.runs);
        let hits = ("wasmlops_cache_hits_total", "Steps that an earlier result stood in for.");
        self.counters(text, hits, ["pipeline"], &self.counts.cache_hits);
    }

    fn write_steps(&self, text: &mut Text) {
        let name = "wasmlops_step_duration_seconds";
        text.head(name, "histogram", "How long attempts of steps took, by plugin and outcome.");
        for ([plugin, outcome], histogram) in self.counts.steps.read() {
            let labels = [("project", self.name.as_str()), ("plugin", &plugin), ("outcome", &outcome)];
            text.histogram(name, &labels, &histogram.read());
        }
        let calls = ("wasmlops_guest_calls_total", "Calls of plugins in their sandbox, by export and outcome.");
        self.counters(text, calls, ["plugin", "export", "outcome"], &self.counts.guest_calls);
        text.head("wasmlops_guest_cpu_seconds_total", "counter", "Processor time that plugins took in steps.");
        for ([plugin], counter) in self.counts.guest_cpu.read() {
            let labels = [("project", self.name.as_str()), ("plugin", &plugin)];
            text.sample("wasmlops_guest_cpu_seconds_total", &labels, counter.get() as f64 / 1e6);
        }
        let memory = ("wasmlops_guest_memory_peak_bytes", "The most memory that a step of a plugin held.");
        text.head(memory.0, "gauge", memory.1);
        for ([plugin], gauge) in self.counts.guest_memory.read() {
            text.sample(memory.0, &[("project", self.name.as_str()), ("plugin", &plugin)], gauge.get());
        }
    }

    fn write_services(&self, text: &mut Text) {
        let project = [("project", self.name.as_str())];
        let gauges: [(&str, &str, &Gauge); 2] = [
            ("wasmlops_dispatcher_slots", "Runs that may go on at a time.", &self.counts.slots),
            ("wasmlops_dispatcher_slots_taken", "Runs that the dispatcher runs.", &self.counts.slots_taken),
        ];
        for (name, help, gauge) in gauges {
            text.head(name, "gauge", help);
            text.sample(name, &project, gauge.get());
        }
        let name = "wasmlops_schedule_lateness_seconds";
        text.head(name, "histogram", "How long after their nominal time, jitter included, schedules gave runs.");
        text.histogram(name, &project, &self.counts.lateness.read());
        let tries = ("wasmlops_deliveries_total", "Tries to tell a subscriber of an event.");
        self.counters(text, tries, ["outcome"], &self.counts.deliveries);
        let triggered = ("wasmlops_triggers_total", "What triggers made of events that came in.");
        self.counters(text, triggered, ["trigger", "outcome"], &self.counts.triggered);
    }

    fn write_writer(&self, text: &mut Text) {
        let labels = [("project", self.name.as_str())];
        let writer = &self.writer;
        let counters: [(&str, &str, f64); 7] = [
            ("wasmlops_store_commits_total", "Transactions of the store's writer.", writer.commits as f64),
            (
                "wasmlops_store_commit_failures_total",
                "Transactions that could not be committed.",
                writer.failures as f64,
            ),
            ("wasmlops_store_submissions_total", "Changes in all transactions.", writer.submissions as f64),
            ("wasmlops_store_answers_total", "Changes that were answered.", writer.answered as f64),
            (
                "wasmlops_store_wait_seconds_total",
                "Time that changes took from submission to answer.",
                writer.answering_seconds,
            ),
            ("wasmlops_store_syncs_total", "Barriers against power loss.", writer.syncs as f64),
            ("wasmlops_store_sync_seconds_total", "Time that barriers took.", writer.syncing_seconds),
        ];
        for (name, help, value) in counters {
            text.head(name, "counter", help);
            text.sample(name, &labels, value);
        }
        text.head("wasmlops_store_waiting", "gauge", "Changes that wait for the writer.");
        text.sample("wasmlops_store_waiting", &labels, writer.waiting);
        text.head("wasmlops_store_writable", "gauge", "Whether the store takes changes (1), or is closed or full (0).");
        text.sample("wasmlops_store_writable", &labels, u8::from(!writer.closed && !writer.full));
    }

    fn counters<const N: usize>(
        &self,
        text: &mut Text,
        (name, help): (&str, &str),
        labels: [&str; N],
        family: &Family<N, Counter>,
    ) {
        text.head(name, "counter", help);
        for (values, counter) in family.read() {
            let pairs = labels.iter().copied().zip(values.iter().map(String::as_str));
            let labels: Vec<_> = [("project", self.name.as_str())].into_iter().chain(pairs).collect();
            text.sample(name, &labels, counter.get());
        }
    }
}

async fn read_stored(host: &Host) -> Result<Stored, StoreError> {
    let runs = host.store.unfinished_runs().await?;
    Ok(Stored { runs, queue: host.store.queue_numbers().await?, now: host.clock.now() })
}

/// The first pipelines by name; the others together.
fn bounded(runs: &[UnfinishedRuns]) -> BTreeMap<(&str, &str), u64> {
    let mut pipelines: Vec<&str> = runs.iter().map(|row| row.pipeline.as_str()).collect();
    pipelines.dedup();
    let last = pipelines.get(PIPELINES).copied();
    let mut counts = BTreeMap::new();
    for row in runs {
        let pipeline = if last.is_some_and(|last| row.pipeline.as_str() >= last) { "other" } else { &row.pipeline };
        *counts.entry((pipeline, row.status.as_str())).or_default() += row.count;
    }
    counts
}

#[cfg(test)]
impl ProjectNumbers {
    /// Something of everything.
    pub(super) fn example() -> Self {
        let counts = Counts::default();
        counts.steps.of(["split", "failed"]).observe(std::time::Duration::from_millis(30));
        counts.guest_calls.of(["split", "processor", "ok"]).add(1);
        counts.guest_cpu.of(["split"]).add(1_500);
        counts.guest_memory.of(["split"]).raise(1 << 20);
        counts.runs.of(["train", "succeeded"]).add(1);
        counts.cache_hits.of(["train"]).add(3);
        counts.deliveries.of(["delivered"]).add(1);
        counts.triggered.of(["on-push", "started"]).add(1);
        let run = |pipeline: &str, count| UnfinishedRuns {
            pipeline: pipeline.to_owned(),
            status: "running".to_owned(),
            count,
        };
        let queue = QueueNumbers { queued: 1, claimed: 0, oldest: Some(1_000_000) };
        Self {
            name: "p".to_owned(),
            counts: Arc::new(counts),
            writer: WriterNumbers::default(),
            endpoints: BTreeMap::from([("churn".to_owned(), true)]),
            stored: Some(Stored { runs: vec![run("check", 1), run("train", 2)], queue, now: 3_500_000 }),
        }
    }
}
