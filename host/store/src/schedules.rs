//! Schedules: how far each was decided, what became of each of its times, and backfills.
//!
//! When a time is due, and what is to become of it, is for the caller to say. A time that gets a run, the run, the
//! schedule's cursor and the audit records are one transaction of the caller's: the functions that take a
//! [`Tx`](crate::Tx) are its parts.

mod backfills;
mod decide;
mod read;

pub use backfills::{advance_backfill, end_backfill};
pub use decide::{advance, claim, leave_out, let_wait, release, settle};

use crate::row::words;

words! {
    /// What became of a nominal time.
    pub enum TimeState {
        /// For the schedule's earlier runs.
        Waiting = "waiting",
        Started = "started",
        /// Its run has come to an end.
        Ended = "ended",
        /// There was none.
        Skipped = "skipped",
    }
}

words! {
    pub enum BackfillState {
        Running = "running",
        Done = "done",
        Cancelled = "cancelled",
    }
}

/// A schedule's state. Times are microseconds since 1970-01-01T00:00:00Z, as all times here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleRow {
    pub name: String,
    /// Its times in words.
    pub timing: String,
    /// The last nominal time that was decided.
    pub cursor: i64,
    /// By a person.
    pub paused: bool,
    /// When to look at it again; absent where it is held or no longer in the file.
    pub next_due: Option<i64>,
    pub created: i64,
    pub changed: i64,
}

/// A nominal time and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduledTimeRow {
    pub schedule: String,
    pub nominal_time: i64,
    pub state: TimeState,
    pub run: Option<String>,
    pub backfill: Option<String>,
    /// Why there is no run.
    pub reason: Option<String>,
    pub decided: i64,
    /// Of the run, where it is still known.
    pub status: Option<crate::runs::RunStatus>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackfillRow {
    pub id: String,
    pub schedule: String,
    /// Nominal times from this one on,
    pub from_time: i64,
    /// and before this one.
    pub to_time: i64,
    /// Runs at once.
    pub parallelism: i64,
    pub state: BackfillState,
    /// The last nominal time that was looked at.
    pub cursor: i64,
    /// How many runs it has submitted.
    pub submitted: i64,
    pub actor: String,
    pub created: i64,
    pub ended: Option<i64>,
}
