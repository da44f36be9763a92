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
//! | [`tracking`] | experiments, params, metrics and tags, with MLflow's semantics and limits |
//! | [`artifacts`] | what a digest is: media type and size |
//! | [`lineage`] | which step used or made which bytes |
//! | [`cache`] | earlier results by key, checkpoints |
//! | [`logs`] | what guests said |
//! | [`inference`] | where the rows of the inference log are |
//! | [`labels`] | what turned out to be true of predictions |
//! | [`monitoring`] | what monitors found, and what was done about it |
//! | [`serving`] | endpoints, their releases, and the history of those |
//! | [`audit`] | who changed what, in a chain of hashes |
//! | [`resolve`] | short ids and digests as people type them |

pub mod artifacts;
pub mod audit;
pub mod blobs;
pub mod cache;
mod error;
mod home;
pub mod inference;
pub mod labels;
pub mod lineage;
pub mod logs;
pub mod monitoring;
mod readers;
pub mod resolve;
mod row;
pub mod runs;
mod script;
pub mod serving;
pub mod store;
pub mod tracking;
pub mod writer;

pub use artifacts::ArtifactRow;
pub use audit::{AuditEntry, AuditRow, AuditVerdict, Stamp};
pub use blobs::{BlobError, BlobReader, Blobs};
pub use cache::{CacheEntryRow, KeyPartsRow};
pub use error::StoreError;
pub use inference::{Cap, InferenceState, KnownId, NewSegment, Seal, SealedId, SegmentRow};
pub use labels::{LabelConflict, LabelRow, LabelsWritten, NewLabels};
pub use lineage::{Direction, Edge, EdgeRow};
pub use logs::{LogCursor, LogQuery, LogRow};
pub use monitoring::{ActionEnd, ActionRow, ActionState, WindowRow};
pub use resolve::Resolved;
pub use runs::{
    CacheOutcome, CancelAnswer, EventRow, NewEvents, NewRun, OutputRow, RunChange, RunFilter, RunPage, RunRow,
    RunStatus, SourceState, StepRow, StepStatus,
};
pub use serving::{Changes, EndpointRow, ReleaseEventRow, ReleaseRow, ServingState};
pub use store::{Reading, Store, StoreOptions};
pub use tracking::{ExperimentRow, MetricPoint};
pub use writer::{Tx, Work};
