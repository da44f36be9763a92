//! How an ended call is named.
//!
//! The host's own records come before anything that the guest or the trap says: a guest that was stopped, was refused
//! memory or was refused output fails in many ways, and only the record says why. In this order: stopped from outside;
//! told that it is cancelled; then by how it ended.

use wasmlops_core::call::{Answer, ErrorCode, Outcome, Value};
use wasmlops_core::limits::Limits;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use crate::call::Failure;
use crate::state::{MAX_GUEST_HANDLES, MAX_HANDLES, State};
use crate::text::neutralise_within;
use crate::watch::Stop;

/// `ended` is absent where the call was stopped while it blocked inside a host call.
pub(crate) fn outcome(ended: Option<Result<Value, Failure>>, state: &mut State, limits: &Limits) -> Outcome {
    match state.watch.stopped() {
        Some(Stop::TimedOut) => return Outcome::TimedOut { limit: limits.timeout },
        Some(Stop::HostBudget(what)) => return Outcome::HostCallBudget { what: what.clone() },
        Some(Stop::Cancelled) => return Outcome::Cancelled,
        None if state.watch.told_cancelled() => return Outcome::Cancelled,
        None => {}
    }
    let output_limit = state.output.refused().map(|what| Outcome::OutputLimit { what: what.to_owned() });
    match ended.expect("a call that was not stopped has ended") {
        // A guest that passes over a refusal would leave half of its output as if it were all.
        Ok(value) => output_limit.unwrap_or_else(|| {
            let blobs = std::mem::take(&mut state.blobs).into_iter().map(Into::into).collect();
            Outcome::Ok(Answer { value, blobs })
        }),
        Err(Failure::Guest(error)) => match output_limit {
            Some(output_limit) if error.code == ErrorCode::Exhausted => output_limit,
            _ => Outcome::Failed(error),
        },
        Err(Failure::Broken(message)) => output_limit.unwrap_or(Outcome::InvalidResult { message }),
        Err(Failure::Output(what)) => output_limit.unwrap_or(Outcome::OutputLimit { what }),
        Err(Failure::Trap(error)) => trapped(&error, state, limits),
    }
}

fn trapped(error: &wasmtime::Error, state: &State, limits: &Limits) -> Outcome {
    if let (Some(Trap::OutOfFuel), Some(limit)) = (error.downcast_ref(), limits.fuel) {
        return Outcome::OutOfFuel { limit };
    }
    let text = format!("{:#}", error.root_cause());
    // Where wasmtime has no type, its text has to do. Here: the counts of memories, tables and instances.
    if state.limiter.refused() || text.starts_with("resource limit exceeded") {
        return Outcome::OutOfMemory { limit: limits.memory };
    }
    if let Some(what) = state.output.refused() {
        return Outcome::OutputLimit { what: what.to_owned() };
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return Outcome::HostCallBudget { what: format!("more than {MAX_HANDLES} handles held at once") };
    }
    if text.contains("store handle limit exceeded") {
        return Outcome::HostCallBudget {
            what: format!("more than {MAX_GUEST_HANDLES} handles of resources held at once"),
        };
    }
    let inside_guest = error.downcast_ref::<WasmBacktrace>().is_some();
    // Too many bytes in one crossing.
    if text.contains("fuel allocated for hostcalls") {
        return match inside_guest {
            true => Outcome::HostCallBudget { what: "more than 64 MiB in one call into the host".into() },
            false => Outcome::OutputLimit { what: "a result of more than 64 MiB".into() },
        };
    }
    if let Some(what) = state.files.denied() {
        return Outcome::Denied { what: what.to_owned() };
    }
    let text = neutralise_within(&text, 4096);
    // What fails after the guest has returned is what it returned.
    if !inside_guest && error.downcast_ref::<Trap>().is_none() {
        return Outcome::InvalidResult { message: text };
    }
    Outcome::Trapped { message: message(error, text, state) }
}

fn message(error: &wasmtime::Error, text: String, state: &State) -> String {
    let what = match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(status)) => format!("the plugin ended itself with `exit({status})`"),
        None => text,
    };
    match state.log.last_words() {
        Some(words) => format!("{what}; last on stderr: {words}"),
        None => what,
    }
}
