//! What runs ask people, and what was decided: once, whoever comes first.
//!
//! A row is written with the event by which the step asks, and settled with the event by which the run takes the
//! decision up; in between a decision is a fact of its own, so that the process that runs the run and whoever decides
//! need not meet. Who may decide, and whether an input fits its form, is the caller's business.

mod decide;
mod read;

pub use decide::{DecideApproval, DecisionAnswer, decide_approval, expire_approvals};
pub use read::{ApprovalFilter, ApprovalPage};

use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::row::{parsed, words};
use crate::script::{Insert, Script};

words! {
    pub enum ApprovalState {
        Open = "open",
        Approved = "approved",
        Rejected = "rejected",
        /// Nobody decided in time.
        Expired = "expired",
        /// The run was cancelled before anybody decided.
        Withdrawn = "withdrawn",
    }
}

/// Something that a step asks. It is open from the event on by which it asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewApproval {
    pub step_key: String,
    /// Of the step.
    pub attempt: i64,
    pub pipeline: String,
    pub message: String,
    /// The least that whoever decides must hold.
    pub role: String,
    /// By name the output, its digest and its media type, JSON.
    pub shown: String,
    /// Microseconds since 1970, as all times here.
    pub expires: i64,
}

/// Something that a step asks, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApprovalRow {
    pub run: String,
    pub step_key: String,
    pub attempt: i64,
    pub pipeline: String,
    pub message: String,
    pub role: String,
    /// JSON.
    pub shown: String,
    pub state: ApprovalState,
    pub requested: i64,
    pub expires: i64,
    pub decided: Option<i64>,
    pub decided_by: Option<String>,
    pub reason: Option<String>,
    /// What was said in the form, a JSON object.
    pub input: Option<String>,
    /// When the run took it up.
    pub settled: Option<i64>,
}

const COLUMNS: &str = "run, step_key, attempt, pipeline, message, role, shown, state, requested, expires, decided,
    decided_by, reason, input, settled";

pub(crate) fn insert_approvals(script: &mut Script, run: &str, approvals: Vec<NewApproval>, time: i64) {
    let insert = Insert {
        head: "INSERT INTO step_approvals (run, step_key, attempt, pipeline, message, role, shown, state, requested, expires)",
        row: "(?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)",
        tail: "",
    };
    script.insert(insert, approvals, |values, row| {
        values.bind(run).bind(row.step_key).bind(row.attempt).bind(row.pipeline).bind(row.message);
        values.bind(row.role).bind(row.shown).bind(time).bind(row.expires);
    });
}

/// The run has taken up what was decided of these steps; what is still open is open no longer.
pub(crate) fn settle_approvals(script: &mut Script, run: &str, steps: Vec<String>, time: i64) {
    for step in steps {
        script
            .statement(
                "UPDATE step_approvals SET settled = ?, state = CASE WHEN state = 'open' THEN 'withdrawn' ELSE state END
                 WHERE run = ? AND step_key = ? AND settled IS NULL",
            )
            .bind(time)
            .bind(run)
            .bind(step);
    }
}

/// What the audit says of it: action, subject and details.
pub(crate) fn requested(run: &str, new: &NewApproval) -> (String, String, serde_json::Value) {
    let details = json!({
        "attempt": new.attempt, "role": new.role, "expires": new.expires, "shown": decide::shown_digests(&new.shown),
    });
    ("approval.requested".to_owned(), decide::subject(run, &new.step_key), details)
}

fn approval_row(row: &SqliteRow) -> Result<ApprovalRow, sqlx::Error> {
    Ok(ApprovalRow {
        run: row.try_get("run")?,
        step_key: row.try_get("step_key")?,
        attempt: row.try_get("attempt")?,
        pipeline: row.try_get("pipeline")?,
        message: row.try_get("message")?,
        role: row.try_get("role")?,
        shown: row.try_get("shown")?,
        state: parsed(row, "state")?,
        requested: row.try_get("requested")?,
        expires: row.try_get("expires")?,
        decided: row.try_get("decided")?,
        decided_by: row.try_get("decided_by")?,
        reason: row.try_get("reason")?,
        input: row.try_get("input")?,
        settled: row.try_get("settled")?,
    })
}
