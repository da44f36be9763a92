//! Why a warm model gave no answer.

use std::time::Duration;

use wasmlops_core::call::{GuestError, Outcome, Value};
use wasmlops_core::limits::Limits;
use wasmtime::Store;

use crate::call::Failure;
use crate::outcome::outcome;
use crate::state::State;

/// The cases of [`Outcome`], and what only a warm model meets.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum WarmError {
    /// The plugin returned its typed error. The instance is as good as before.
    #[error("{}", .0.message)]
    Guest(GuestError),
    /// What the caller gave does not fit: rows of another schema, stages that cannot stand together. The instance is as
    /// good as before.
    #[error("{message}")]
    InvalidInput { message: String },
    #[error("the model trapped: {message}")]
    Trapped { message: String },
    #[error("the model did not answer within {} ms", .limit.as_millis())]
    TimedOut { limit: Duration },
    #[error("the model needs more memory than {limit} bytes")]
    OutOfMemory { limit: u64 },
    /// The guest broke the contract: buffers that do not fit the schema, a row count that lies.
    #[error("the model gave an invalid result: {message}")]
    InvalidResult { message: String },
    /// Something that nobody grants to a model that serves.
    #[error("the model was denied {what}")]
    Denied { what: String },
    /// Beyond a limit of the call: host calls, bytes through them, output, fuel.
    #[error("the model went beyond a limit: {what}")]
    Exhausted { what: String },
    /// The guest stopped because it took the call for cancelled.
    #[error("the call was cancelled")]
    Cancelled,
    /// An earlier call did not come to its end; load the model again.
    #[error("the instance is dead since an earlier call\nhint: load the model again")]
    Dead,
}

/// How a call ended; `ended` is absent where it was stopped while it blocked inside a host call.
pub(super) fn settle<T>(
    ended: Option<Result<T, Failure>>,
    store: &mut Store<State>,
    limits: &Limits,
) -> Result<T, WarmError> {
    let state = store.data_mut();
    let ended = match ended {
        // The guest may have come to its end beyond a budget, before a tick found it out.
        Some(Ok(answer)) if state.watch.stopped().is_none() => return Ok(answer),
        Some(Err(Failure::Guest(error))) if state.watch.stopped().is_none() => return Err(WarmError::Guest(error)),
        ended => ended.map(|ended| ended.map(|_| Value::Nothing)),
    };
    state.stdio.finish();
    Err(match outcome(ended, state, limits) {
        Outcome::Failed(error) => WarmError::Guest(error),
        Outcome::Trapped { message } => WarmError::Trapped { message },
        Outcome::TimedOut { limit } => WarmError::TimedOut { limit },
        Outcome::OutOfMemory { limit } => WarmError::OutOfMemory { limit },
        Outcome::InvalidResult { message } => WarmError::InvalidResult { message },
        Outcome::Denied { what } => WarmError::Denied { what },
        Outcome::HostCallBudget { what } | Outcome::OutputLimit { what } => WarmError::Exhausted { what },
        Outcome::OutOfFuel { limit } => WarmError::Exhausted { what: format!("{limit} units of fuel") },
        Outcome::Cancelled => WarmError::Cancelled,
        Outcome::Ok(_) => unreachable!("a call that succeeded and was not stopped has been answered above"),
    })
}
