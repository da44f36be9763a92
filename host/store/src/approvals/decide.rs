//! The decision, in the caller's transaction: compare and set.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::{ApprovalRow, ApprovalState, COLUMNS, approval_row};
use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::runs::RunStatus;
use crate::store::Store;
use crate::writer::Tx;

/// A decision on something that a step asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecideApproval {
    pub run: String,
    pub step_key: String,
    /// That was looked at.
    pub attempt: i64,
    pub approve: bool,
    pub reason: Option<String>,
    /// A JSON object.
    pub input: String,
    pub stamp: Stamp,
}

/// What a decision meets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DecisionAnswer {
    /// It counts. `run`: the run's status, which is `waiting` where nobody is at work on the run.
    Decided { approval: ApprovalRow, run: RunStatus },
    /// Somebody was faster, or it is too late.
    Closed(ApprovalRow),
    /// The step has not asked, or not in this attempt.
    Unknown,
}

/// Records a decision with its audit record, if the approval is open and its time is not over. One whose time is over
/// is recorded as expired.
pub async fn decide_approval(tx: &mut Tx, decision: DecideApproval) -> Result<DecisionAnswer, StoreError> {
    expire_approvals(tx, Some(&decision.run), Stamp { actor: EXPIRY.to_owned(), ..decision.stamp.clone() }).await?;
    let Some(approval) = set(tx, &decision).await? else {
        let known = current(tx, &decision).await?;
        return Ok(known.map_or(DecisionAnswer::Unknown, DecisionAnswer::Closed));
    };
    let run = run_status(tx, &decision.run).await?;
    tx.audit(record(&approval, decision.stamp));
    Ok(DecisionAnswer::Decided { approval, run })
}

/// Who the audit names for what time alone decides.
const EXPIRY: &str = "system:approvals";

async fn set(tx: &mut Tx, decision: &DecideApproval) -> Result<Option<ApprovalRow>, StoreError> {
    let state = if decision.approve { ApprovalState::Approved } else { ApprovalState::Rejected };
    let sql = format!(
        "UPDATE step_approvals SET state = $1, decided = $2, decided_by = $3, reason = $4, input = $5
         WHERE run = $6 AND step_key = $7 AND attempt = $8 AND state = 'open' RETURNING {COLUMNS}"
    );
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(state.as_str())
        .bind(decision.stamp.time)
        .bind(&decision.stamp.actor)
        .bind(&decision.reason)
        .bind(&decision.input)
        .bind(&decision.run)
        .bind(&decision.step_key)
        .bind(decision.attempt);
    let row = query.fetch_optional(tx.connection().await?).await?;
    Ok(row.as_ref().map(approval_row).transpose()?)
}

async fn current(tx: &mut Tx, decision: &DecideApproval) -> Result<Option<ApprovalRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM step_approvals WHERE run = $1 AND step_key = $2 AND attempt = $3");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(&decision.run).bind(&decision.step_key).bind(decision.attempt);
    let row = query.fetch_optional(tx.connection().await?).await?;
    Ok(row.as_ref().map(approval_row).transpose()?)
}

async fn run_status(tx: &mut Tx, run: &str) -> Result<RunStatus, StoreError> {
    let query = sqlx::query_scalar("SELECT status FROM runs WHERE id = $1").bind(run);
    let status: Option<String> = query.fetch_optional(tx.connection().await?).await?;
    let status = status.ok_or_else(|| StoreError::RunNotFound(run.to_owned()))?;
    Ok(status.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?)
}

/// Closes what is open though its time is over, of one run or of all, with an audit record for each.
pub async fn expire_approvals(tx: &mut Tx, run: Option<&str>, stamp: Stamp) -> Result<Vec<ApprovalRow>, StoreError> {
    let sql = format!(
        "UPDATE step_approvals SET state = 'expired', decided = $1
         WHERE state = 'open' AND expires <= $1 AND ($2 IS NULL OR run = $2) RETURNING {COLUMNS}"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(stamp.time).bind(run);
    let rows = query.fetch_all(tx.connection().await?).await?;
    let expired: Vec<ApprovalRow> = rows.iter().map(approval_row).collect::<Result<_, _>>()?;
    for approval in &expired {
        tx.audit(record(approval, stamp.clone()));
    }
    Ok(expired)
}

/// What was said in a form stays in the decision's artifact: it may be personal.
fn record(approval: &ApprovalRow, stamp: Stamp) -> AuditEntry {
    let details = json!({
        "attempt": approval.attempt, "role": approval.role, "reason": approval.reason,
        "shown": shown_digests(&approval.shown),
    });
    AuditEntry {
        stamp,
        action: format!("approval.{}", approval.state),
        subject: subject(&approval.run, &approval.step_key),
        details: details.to_string(),
    }
}

pub(super) fn subject(run: &str, step: &str) -> String {
    format!("approval:{run}/{step}")
}

/// The digests of what was shown, by name.
pub(super) fn shown_digests(shown: &str) -> Value {
    let shown: serde_json::Map<String, Value> = serde_json::from_str(shown).unwrap_or_default();
    shown.into_iter().map(|(name, artifact)| (name, artifact["digest"].clone())).collect()
}

impl Store {
    /// Closes what is open though its time is over, of one run or of all.
    pub async fn expire_approvals(&self, run: Option<&str>, now: i64) -> Result<Vec<ApprovalRow>, StoreError> {
        let run = run.map(str::to_owned);
        let stamp = Stamp { time: now, actor: EXPIRY.to_owned() };
        self.with_tx(move |tx| Box::pin(async move { expire_approvals(tx, run.as_deref(), stamp).await })).await
    }
}
