//! Deciding: who may, with which input, in time, and once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wasmlops_core::access::{Area, Permission, Rights, Role};
use wasmlops_core::approval::check_reason;
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};
use wasmlops_store::queue::requeue;
use wasmlops_store::{
    ApprovalFilter, ApprovalRow, ApprovalState, AuditEntry, DecideApproval, DecisionAnswer, RunStatus, Stamp,
};

use super::{known, request, view};
use crate::approvals::ApprovalView;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs;

/// What somebody decides.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// `false` rejects.
    pub approve: bool,
    /// A rejection needs one.
    #[serde(default)]
    pub reason: Option<String>,
    /// The form's fields by name; a rejection has none.
    #[serde(default)]
    pub input: Map<String, Value>,
    /// Which time the step asks, as it was looked at; where it has asked again since, the decision is refused.
    #[serde(default)]
    pub attempt: Option<u32>,
}

/// Who decides.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// For the audit: `token:NAME`, `cli:ann`.
    pub actor: &'a str,
    pub rights: &'a Rights,
    pub goes_on: GoesOn,
}

/// Who goes on with a run that waits for nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoesOn {
    /// A server: the run is put into the queue.
    Server,
    /// Whoever decides, unless the run is a server's.
    Decider,
}

/// Records a decision. Durable when it returns; it counts once, and only while the approval is open.
///
/// # Errors
/// The user's: `unknown-approval`; `forbidden` for a role that is too low; `approval-decided` and `approval-expired`;
/// `invalid-input` for each field that is wrong; `missing-reason`.
pub async fn decide(host: &Host, run: &str, step: &str, decision: Decision, by: Decider<'_>) -> Result<ApprovalView> {
    let stamp = Stamp { time: host.clock.now(), actor: by.actor.to_owned() };
    let row = known(host, run, step).await?;
    if let Err(refused) = allowed(&row, by.rights) {
        return Err(denied(host, &row, stamp, refused).await?);
    }
    let expired = host.store.expire_approvals(Some(run), stamp.time).await?;
    let row = expired.into_iter().find(|other| other.step_key == step).unwrap_or(row);
    if row.state != ApprovalState::Open {
        let_go_on(host, run, by.goes_on, stamp).await?;
        return Err(closed(&row));
    }
    if decision.attempt.is_some_and(|attempt| i64::from(attempt) != row.attempt) {
        return Err(asked_again(&row));
    }
    let input = checked(host, &row, &decision).await?;
    let new = DecideApproval {
        run: run.to_owned(),
        step_key: step.to_owned(),
        attempt: row.attempt,
        approve: decision.approve,
        reason: decision.reason,
        input: Value::Object(input).to_string(),
        stamp: stamp.clone(),
    };
    let queues = queues(host, run, by.goes_on).await?;
    let answer = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let run = new.run.clone();
            let answer = wasmlops_store::approvals::decide_approval(tx, new).await?;
            if queues && matches!(&answer, DecisionAnswer::Decided { run: RunStatus::Waiting, .. }) {
                requeue(tx, &run, stamp).await?;
            }
            Ok(answer)
        })
    });
    let answer = answer.await?;
    host.store.barrier().await?;
    if queues {
        runs::wake(host);
    }
    match answer {
        DecisionAnswer::Decided { approval, .. } => view::approval(&approval),
        DecisionAnswer::Closed(row) => Err(closed(&row)),
        DecisionAnswer::Unknown => Err(asked_again(&row)),
    }
}

/// The step of a run that waits for a decision, where it is the only one.
///
/// # Errors
/// The user's: none is, or several are.
pub async fn the_one_open(host: &Host, run: &str) -> Result<String> {
    let filter = ApprovalFilter { only_open: true, run: Some(run.to_owned()), ..ApprovalFilter::default() };
    let open = host.store.approvals(&filter).await?.approvals;
    match open.as_slice() {
        [one] => Ok(one.step_key.clone()),
        [] => {
            let message = format!("run `{run}` waits for no approval");
            Err(Error::user("unknown-approval", message, "`wasmlops approvals list` shows what is open"))
        }
        several => {
            let steps: Vec<String> = several.iter().map(|row| format!("`{}`", row.step_key)).collect();
            let message = format!("run `{run}` waits for several approvals");
            Err(Error::user("ambiguous", message, format!("name one of the steps {}", steps.join(", "))))
        }
    }
}

fn allowed(row: &ApprovalRow, rights: &Rights) -> Result<(), Error> {
    let role: Role = row.role.parse().map_err(Error::bug)?;
    if rights.may(Permission::new(Area::Approvals, role.level())) {
        return Ok(());
    }
    let message = format!("step `{}` of run `{}` is for the role `{role}` to decide", row.step_key, row.run);
    let hint = format!("ask somebody with the role `{role}` or above, whose scopes cover `approvals`");
    Err(Error::user("forbidden", message, hint))
}

/// The refusal, once the audit has it.
async fn denied(host: &Host, row: &ApprovalRow, stamp: Stamp, refused: Error) -> Result<Error> {
    let entry = AuditEntry {
        stamp,
        action: "access.denied".to_owned(),
        subject: format!("approval:{}/{}", row.run, row.step_key),
        details: json!({ "role": row.role }).to_string(),
    };
    let recorded = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            tx.audit(entry);
            Ok(())
        })
    });
    recorded.await?;
    Ok(refused)
}

/// The input as it is kept. Errors: everything that is wrong with the decision.
async fn checked(host: &Host, row: &ApprovalRow, decision: &Decision) -> Result<Map<String, Value>> {
    let reason = decision.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    check_reason(reason.unwrap_or_default())?;
    if decision.approve {
        let graph = runs::graph_of(host, &row.run).await?;
        return Ok(request(&graph, row)?.check(&decision.input)?);
    }
    let mut wrong = Vec::new();
    if reason.is_none() {
        let missing = Diagnostic::new("missing-reason", "a rejection needs a reason");
        wrong.push(missing.hint("say what has to change: `--reject --reason TEXT`"));
    }
    if !decision.input.is_empty() {
        let unwanted = Diagnostic::new("invalid-input", "a rejection takes a reason, and no input");
        wrong.push(unwanted.hint("leave the input out"));
    }
    Diagnostics::check(wrong)?;
    Ok(Map::new())
}

/// Whether the run is for a server to go on with.
async fn queues(host: &Host, run: &str, goes_on: GoesOn) -> Result<bool> {
    Ok(goes_on == GoesOn::Server || host.store.queue_row(run).await?.is_some())
}

/// An approval that expired just now, or was decided by somebody whose process died, has a run that waits for it.
async fn let_go_on(host: &Host, run: &str, goes_on: GoesOn, stamp: Stamp) -> Result<()> {
    let waits = host.store.load_run(run).await?.is_some_and(|row| row.status == RunStatus::Waiting);
    if waits && !host.store.unsettled_decisions(run).await?.is_empty() && queues(host, run, goes_on).await? {
        host.store.requeue(run, stamp).await?;
        runs::wake(host);
    }
    Ok(())
}

fn closed(row: &ApprovalRow) -> Error {
    let (step, run) = (&row.step_key, &row.run);
    let by = row.decided_by.as_deref().unwrap_or("nobody");
    match row.state {
        ApprovalState::Expired => {
            let message = format!("the time to decide on step `{step}` of run `{run}` is over");
            Error::user("approval-expired", message, "`wasmlops runs resume` asks again")
        }
        ApprovalState::Withdrawn => {
            let message = format!("run `{run}` was cancelled before anybody decided on step `{step}`");
            Error::user("approval-decided", message, "start the run again, if it is still wanted")
        }
        state => {
            let message = format!("step `{step}` of run `{run}` is {state} already, by `{by}`");
            Error::user("approval-decided", message, "`wasmlops approvals show` has the decision")
        }
    }
}

fn asked_again(row: &ApprovalRow) -> Error {
    let message = format!("step `{}` of run `{}` has asked again since", row.step_key, row.run);
    Error::user("approval-conflict", message, "look at what it shows now, and decide on that")
}
