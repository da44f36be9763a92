//! Runs: what was asked for, the event log from which a run can go on, and what each step came to.

mod append;
mod cancel;
mod create;
mod list;
mod read;
mod told;

pub(crate) use create::create;

use wasmlops_package::Digest;

use crate::approvals::NewApproval;
use crate::audit::Stamp;
use crate::cache::CacheEntryRow;
use crate::lineage::Edge;
use crate::row::words;
use crate::tracking::MetricPoint;

words! {
    pub enum RunStatus {
        Scheduled = "scheduled",
        Running = "running",
        /// For an approval.
        Waiting = "waiting",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

words! {
    pub enum StepStatus {
        Pending = "pending",
        Running = "running",
        /// Between two attempts.
        Retrying = "retrying",
        /// For an approval.
        Waiting = "waiting",
        Succeeded = "succeeded",
        Failed = "failed",
        Skipped = "skipped",
        Cancelled = "cancelled",
    }
}

words! {
    pub enum CacheOutcome {
        Hit = "hit",
        Miss = "miss",
        Off = "off",
    }
}

impl RunStatus {
    /// Whether the run has ended. A failed or cancelled run can still be resumed.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Success is for ever; failure and cancellation last until a resume.
    fn can_become(self, to: Self) -> bool {
        match self {
            Self::Succeeded => false,
            Self::Failed | Self::Cancelled => !to.is_final(),
            Self::Scheduled | Self::Running | Self::Waiting => true,
        }
    }
}

impl StepStatus {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

/// Whether a run is a trial of a search: an SQL condition on `runs`. Trials come and go with the run that searches.
pub(crate) const TRIAL: &str = "parent IS NOT NULL AND origin >= 'search:' AND origin < 'search;'";

/// A run to be created, in status `scheduled`.
#[derive(Clone, PartialEq, Debug)]
pub struct NewRun {
    pub id: String,
    /// An experiment's id; `0` is the default experiment.
    pub experiment: String,
    pub pipeline: String,
    /// For people; need not be unique.
    pub name: String,
    /// The pipeline's parameters, a JSON object.
    pub params: String,
    /// The exact plan, JSON: all that is needed to go on after a crash.
    pub graph: String,
    /// What guests' clocks say. Microseconds since 1970.
    pub nominal_time: i64,
    pub seed: u64,
    pub parent: Option<String>,
    /// What started it: `cli`, `api`, `schedule:nightly`, `trigger:on-push`, `monitor:drift`, `backfill:ID`.
    pub origin: String,
    /// The parameters as MLflow's clients see them: text.
    pub tracked: Vec<(String, String)>,
    pub source: Option<SourceState>,
    /// When, and in whose name it acts.
    pub stamp: Stamp,
}

/// The state of the project's code when a run was made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SourceState {
    pub git_commit: Option<String>,
    pub branch: Option<String>,
    /// Of the work tree, where it had changes that were not committed.
    pub dirty_digest: Option<Digest>,
    /// The blob with these changes.
    pub patch_digest: Option<Digest>,
}

/// A run without its graph.
#[derive(Clone, PartialEq, Debug)]
pub struct RunRow {
    pub id: String,
    pub project: String,
    pub experiment: String,
    pub pipeline: String,
    pub name: String,
    pub status: RunStatus,
    /// A JSON object.
    pub params: String,
    /// Microseconds since 1970, as all times here.
    pub nominal_time: i64,
    pub seed: u64,
    pub parent: Option<String>,
    pub origin: String,
    pub actor: String,
    pub created: i64,
    pub started: Option<i64>,
    pub ended: Option<i64>,
    pub cancel_requested: Option<i64>,
    /// JSON.
    pub error: Option<String>,
    /// How many events the run has; the next one gets this number.
    pub next_seq: i64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRow {
    /// From 0, without gaps.
    pub seq: i64,
    pub time: i64,
    /// JSON.
    pub event: String,
}

/// What a step of a run came to so far.
#[derive(Clone, PartialEq, Debug)]
pub struct StepRow {
    pub step_key: String,
    /// In the plan's order.
    pub position: i64,
    /// As the pipeline names the plugin: `split@^0.1`.
    pub uses: String,
    pub plugin_name: Option<String>,
    pub plugin_version: Option<String>,
    pub plugin_digest: Option<Digest>,
    pub kind: Option<String>,
    pub status: StepStatus,
    pub cache: CacheOutcome,
    /// Why it was no hit, or why it was skipped.
    pub reason: Option<String>,
    pub attempts: i64,
    pub started: Option<i64>,
    pub ended: Option<i64>,
    pub duration_ms: Option<i64>,
    /// JSON.
    pub usage: Option<String>,
    /// JSON.
    pub error: Option<String>,
    pub cache_key: Option<Digest>,
    /// What the key was made of, JSON.
    pub key_parts: Option<String>,
}

/// An output of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputRow {
    pub step_key: String,
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Of a table.
    pub rows: Option<i64>,
}

/// Events of a run with all that they change.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEvents {
    pub run: String,
    /// The number that the first of these events gets; how many events the run has in the caller's eyes.
    pub expected_next_seq: i64,
    /// JSON, in order.
    pub events: Vec<String>,
    pub change: RunChange,
    pub stamp: Stamp,
}

/// What becomes visible together with events.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RunChange {
    pub status: Option<RunStatus>,
    /// The first one stays.
    pub started: Option<i64>,
    /// Set, or cleared where absent, together with `status`.
    pub ended: Option<i64>,
    /// JSON. Set, or cleared where absent, together with `status`.
    pub error: Option<String>,
    /// Replace the rows of the same steps. Of several for one step the last counts.
    pub steps: Vec<StepRow>,
    /// Replace outputs of the same name; recorded as artifacts as well.
    pub outputs: Vec<OutputRow>,
    pub metrics: Vec<MetricPoint>,
    pub lineage: Vec<Edge>,
    pub cache_entries: Vec<CacheEntryRow>,
    /// What steps ask people.
    pub approvals: Vec<NewApproval>,
    /// Steps whose decision the run has taken up, or that no longer ask.
    pub settled: Vec<String>,
}

/// Which runs to list. Empty: all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunFilter {
    pub pipeline: Option<String>,
    pub status: Option<RunStatus>,
    pub origin: Option<String>,
    pub parent: Option<String>,
    /// Created at this time or later. Microseconds since 1970.
    pub from: Option<i64>,
    /// Created before this time.
    pub to: Option<i64>,
    /// Runs per page, 1 to 1,000; 0 stands for 100.
    pub limit: u32,
    /// Of the page before.
    pub cursor: Option<String>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct RunPage {
    /// Newest first.
    pub runs: Vec<RunRow>,
    /// For the next page; absent on the last.
    pub next: Option<String>,
}

/// What a request to cancel meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelAnswer {
    Requested,
    /// By an earlier request.
    AlreadyRequested,
    AlreadyEnded(RunStatus),
}
