//! Approvals at the door: what runs wait for, what there is to look at, and the decision, which is made once.
//!
//! A decision is a row and an audit record in one transaction; where nobody is at work on the run, the same transaction
//! puts it into the queue, if a server is to go on with it. The run takes the decision up as its own next event (see
//! `driver::approvals`), so it makes no difference which process decides, and whether the run's own is alive. Doors:
//! [`list`], [`show`], [`decide`], and [`Approvals`], which watches the time.

mod decide;
mod evidence;
mod service;
#[cfg(test)]
mod tests;
mod view;

pub use decide::{Decider, Decision, GoesOn, decide, the_one_open};
pub use service::Approvals;
pub use view::{
    ApprovalDetail, ApprovalView, ApprovalsPage, CheckView, DifferenceView, FieldView, JudgementView, MetricView,
    ModelDiffView, ShownView,
};

use wasmlops_core::approval::Request;
use wasmlops_core::graph::Graph;
use wasmlops_store::{ApprovalFilter, ApprovalRow};

use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs;

/// Which approvals to list.
#[derive(Clone, Debug, Default)]
pub struct ApprovalQuery {
    /// Also those that are decided.
    pub all: bool,
    pub run: Option<String>,
    /// 1 to 1,000; 0 stands for 100.
    pub limit: u32,
    /// Of the page before.
    pub cursor: Option<String>,
}

/// Approvals, the newest first. Before it lists, what is too late is recorded as such.
///
/// # Errors
/// A cursor that is none.
pub async fn list(host: &Host, query: ApprovalQuery) -> Result<ApprovalsPage> {
    host.store.expire_approvals(None, host.clock.now()).await?;
    let filter = ApprovalFilter { only_open: !query.all, run: query.run, limit: query.limit, cursor: query.cursor };
    let page = host.store.approvals(&filter).await?;
    let approvals = page.approvals.iter().map(view::approval).collect::<Result<_>>()?;
    Ok(ApprovalsPage { approvals, next: page.next })
}

/// What a step asks, or asked last, with all that there is to look at before deciding.
///
/// # Errors
/// The user's: the run or step is not known, or has not asked.
pub async fn show(host: &Host, run: &str, step: &str) -> Result<ApprovalDetail> {
    host.store.expire_approvals(Some(run), host.clock.now()).await?;
    let row = known(host, run, step).await?;
    let graph = runs::graph_of(host, run).await?;
    let request = request(&graph, &row)?;
    let evidence = evidence::of(host, &graph, &row).await?;
    Ok(ApprovalDetail {
        approval: view::approval(&row)?,
        form: request.form.iter().map(view::field).collect(),
        shown: view::shown(&row)?,
        judgements: evidence.judgements,
        model: evidence.model,
    })
}

async fn known(host: &Host, run: &str, step: &str) -> Result<ApprovalRow> {
    let row = host.store.approval(run, step).await?;
    row.ok_or_else(|| {
        let message = format!("step `{step}` of run `{run}` has asked for no approval");
        Error::user("unknown-approval", message, "`wasmlops approvals list` shows what is open")
    })
}

fn request(graph: &Graph, row: &ApprovalRow) -> Result<Request> {
    let step = graph.step(&wasmlops_core::graph::StepKey::new(row.step_key.clone()));
    let step = step.ok_or_else(|| Error::bug(format!("no step `{}`", row.step_key)))?;
    Request::of(&step.config).map_err(Error::bug)
}
