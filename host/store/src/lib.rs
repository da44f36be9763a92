//! What happened, and the bytes it left: runs, tracking, lineage and audit in SQLite, artifacts in files named by
//! their digest.
//!
//! Knows nothing of pipelines, plugins and engines: events, graphs and reports are opaque JSON here, and every id,
//! time and seed comes from the caller. No caller names a path. Crates of `registry` keep tables in the same database:
//! they bring their migrations ([`StoreOptions`]) and write inside the caller's transaction ([`Tx::connection`]).
//!
//! The door is [`Store`]; its functions are grouped by noun:
//!
//! | module | what |
//! |---|---|
//! | [`store`] | opening a home, the barrier, closing |
//! | [`writer`] | the only way to write: one task that commits what waits in one transaction |
//! | [`blobs`] | artifacts by digest, checked at every read |
//! | [`runs`] | runs, their event log, steps and outputs |
//! | [`queue`] | runs that wait for a server to run them |
//! | [`tracking`] | experiments, params, metrics and tags, with MLflow's semantics and limits |
//! | [`artifacts`] | what a digest is: media type and size |
//! | [`lineage`] | which step used or made which bytes |
//! | [`cache`] | earlier results by key, checkpoints |
//! | [`logs`] | what guests said |
//! | [`inference`] | where the rows of the inference log are |
//! | [`labels`] | what turned out to be true of predictions |
//! | [`monitoring`] | what monitors found, and what was done about it |
//! | [`schedules`] | how far schedules were decided, and what became of each of their times |
//! | [`serving`] | endpoints, their releases, and the history of those |
//! | [`idempotency`] | requests that clients repeat |
//! | [`numbers`] | what is counted for those who watch the process |
//! | [`tokens`] | who may ask, by the hashes of what they show |
//! | [`approvals`] | what runs ask people, and what was decided |
//! | [`secrets`] | named secrets, encrypted before they come here |
//! | [`feed`] | the audit as events: how far readers are, what came in, what triggers started |
//! | [`gc`] | removing what retention lets go, and blobs that nothing names |
//! | [`audit`] | who changed what, in a chain of hashes |
//! | [`resolve`] | short ids and digests as people type them |

pub mod approvals;
pub mod artifacts;
pub mod audit;
pub mod blobs;
pub mod cache;
mod error;
pub mod feed;
pub mod gc;
mod home;
pub mod idempotency;
pub mod inference;
pub mod labels;
pub mod lineage;
pub mod logs;
pub mod monitoring;
pub mod numbers;
pub mod queue;
mod readers;
pub mod resolve;
mod row;
pub mod runs;
pub mod schedules;
mod script;
pub mod secrets;
pub mod serving;
pub mod store;
pub mod tokens;
pub mod tracking;
pub mod writer;

pub use approvals::{
    ApprovalFilter, ApprovalPage, ApprovalRow, ApprovalState, DecideApproval, DecisionAnswer, NewApproval,
};
pub use artifacts::ArtifactRow;
pub use audit::{AuditEntry, AuditRow, AuditVerdict, Stamp};
pub use blobs::{BlobError, BlobReader, BlobWriter, Blobs, StoredBlob};
pub use cache::{CacheEntryRow, KeyPartsRow};
pub use error::StoreError;
pub use feed::{DeliveryRow, FeedRange, SeenEvent, TriggerRunRow};
pub use gc::{Aged, Condemned, Judged, Named, Removed, RetentionRow};
pub use idempotency::{KeptAnswer, KeyState, NewKey};
pub use inference::{Cap, InferenceState, KnownId, NewSegment, Seal, SealedId, SegmentRow};
pub use labels::{LabelConflict, LabelRow, LabelsWritten, NewLabels};
pub use lineage::{Direction, Edge, EdgeRow};
pub use logs::{LogCursor, LogQuery, LogRow};
pub use monitoring::{ActionEnd, ActionRow, ActionState, WindowRow};
pub use numbers::{QueueNumbers, UnfinishedRuns, WriterNumbers};
pub use queue::{Claim, Enqueued, NewQueued, QueueRow, QueueState};
pub use resolve::Resolved;
pub use runs::{
    CacheOutcome, CancelAnswer, EventRow, NewEvents, NewRun, OutputRow, RunChange, RunFilter, RunPage, RunRow,
    RunStatus, SourceState, StepRow, StepStatus,
};
pub use schedules::{BackfillRow, BackfillState, ScheduleRow, ScheduledTimeRow, TimeState};
pub use secrets::{SealedSecret, SecretRow};
pub use serving::{Changes, EndpointRow, ReleaseEventRow, ReleaseRow, ServingState};
pub use store::{Reading, Store, StoreOptions};
pub use tokens::{NewToken, TokenCreated, TokenRevoked, TokenRow};
pub use tracking::{ExperimentRow, MetricPoint};
pub use writer::{Tx, Work};
