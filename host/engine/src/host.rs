//! The contract's imports, one file each. Every function first asks the call's `watch`, which counts it; a refusal is
//! the function's typed error, never a trap.

pub(crate) mod blobs;
pub(crate) mod checkpoint;
mod endpoints;
pub(crate) mod log;
pub(crate) mod metrics;
mod models;
pub(crate) mod progress;
pub(crate) mod tables;

use crate::bindings::imports::types::{self, Error, ErrorDetail};
use crate::state::State;

impl types::Host for State {}

fn invalid_input(message: impl Into<String>) -> Error {
    Error::InvalidInput(ErrorDetail { message: message.into(), field: None })
}

fn denied(message: impl Into<String>) -> Error {
    Error::Denied(ErrorDetail { message: message.into(), field: None })
}

fn unavailable(message: impl Into<String>) -> Error {
    Error::Unavailable(ErrorDetail { message: message.into(), field: None })
}

fn exhausted(message: impl Into<String>) -> Error {
    Error::Exhausted(ErrorDetail { message: message.into(), field: None })
}
