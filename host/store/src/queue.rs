//! Runs that wait for a server to run them: put in with the run itself, claimed before they begin, done with its end.
//!
//! Which of them is next is for the caller to say; whether the process that claimed one still
//! lives, for the lock of the run. Here stand the rows alone.

mod enqueue;
mod read;
mod turns;

pub use enqueue::{Enqueued, NewQueued, enqueue, requeue};
pub use turns::Claim;

use crate::row::words;

words! {
    pub enum QueueState {
        /// For a process that takes it.
        Queued = "queued",
        Claimed = "claimed",
        /// The run has ended; a resume makes it wait again.
        Done = "done",
    }
}

/// A run's place in the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueRow {
    pub run: String,
    pub pipeline: String,
    /// Higher ones first.
    pub priority: i32,
    pub use_cache: bool,
    /// W3C's `traceparent` of what submitted it.
    pub trace: Option<String>,
    pub state: QueueState,
    /// Microseconds since 1970, as all times here.
    pub enqueued: i64,
    pub claimed_by: Option<String>,
    pub claimed: Option<i64>,
    /// How often a process began to run it and did not come to a good end.
    pub attempts: i64,
    /// Of the run.
    pub origin: String,
    pub actor: String,
}
