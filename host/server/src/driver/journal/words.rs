//! Events, actions and phases in the store's words.

use wasmlops_core::graph::StepKey;
use wasmlops_core::run::{Action, Event, Phase, RunStatus};
use wasmlops_store::StepStatus;

pub(super) fn step_of(event: &Event) -> Option<&StepKey> {
    match event {
        Event::Hit { step, .. }
        | Event::AttemptStarted { step }
        | Event::AttemptSucceeded { step, .. }
        | Event::AttemptFailed { step, .. }
        | Event::AttemptLost { step }
        | Event::BackoffEnded { step }
        | Event::AttemptCancelled { step }
        | Event::ApprovalRequested { step, .. }
        | Event::Approved { step, .. }
        | Event::Rejected { step, .. }
        | Event::Expired { step, .. } => Some(step),
        Event::Started | Event::CancelRequested | Event::Resumed => None,
    }
}

pub(super) fn ended(action: &Action) -> Option<&StepKey> {
    match action {
        Action::Ended { step } => Some(step),
        _ => None,
    }
}

pub(super) fn finish(action: &Action) -> Option<RunStatus> {
    match action {
        Action::Finish { status } => Some(*status),
        _ => None,
    }
}

pub(super) fn step_status(phase: &Phase) -> StepStatus {
    match phase {
        Phase::Waiting | Phase::Ready => StepStatus::Pending,
        Phase::Running => StepStatus::Running,
        Phase::BackingOff { .. } => StepStatus::Retrying,
        Phase::Awaiting { .. } => StepStatus::Waiting,
        Phase::Succeeded => StepStatus::Succeeded,
        Phase::Failed => StepStatus::Failed,
        Phase::Skipped { .. } => StepStatus::Skipped,
        Phase::Cancelled => StepStatus::Cancelled,
    }
}

pub(super) fn row_status(status: RunStatus) -> wasmlops_store::RunStatus {
    match status {
        RunStatus::Scheduled => wasmlops_store::RunStatus::Scheduled,
        RunStatus::Running => wasmlops_store::RunStatus::Running,
        RunStatus::Waiting => wasmlops_store::RunStatus::Waiting,
        RunStatus::Succeeded => wasmlops_store::RunStatus::Succeeded,
        RunStatus::Failed => wasmlops_store::RunStatus::Failed,
        RunStatus::Cancelled => wasmlops_store::RunStatus::Cancelled,
    }
}
