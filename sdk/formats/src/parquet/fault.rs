//! Why bytes are no table, before it is known where they lie.

use wasmlops_sdk::prelude::*;

use crate::source::Input;

/// What stopped the reading; the place is added on the way out.
#[derive(Debug)]
pub enum Fault {
    /// The bytes contradict themselves or the format.
    Broken(String),
    /// The bytes are in order, and nothing here reads them.
    Unsupported(String),
    /// More memory than a file may claim.
    TooLarge(String),
    /// The bytes cannot be had.
    Source(Error),
}

pub type Decoded<T> = Result<T, Fault>;

pub fn broken<T>(what: impl Into<String>) -> Decoded<T> {
    Err(Fault::Broken(what.into()))
}

impl Fault {
    /// With the place before the text: `row group 2: column `a`: …`.
    pub fn within(self, place: &str) -> Self {
        match self {
            Fault::Broken(what) => Fault::Broken(format!("{place}: {what}")),
            Fault::Unsupported(what) => Fault::Unsupported(format!("{place}: {what}")),
            Fault::TooLarge(what) => Fault::TooLarge(format!("{place}: {what}")),
            Fault::Source(error) => Fault::Source(error),
        }
    }

    /// The contract's error about `input`.
    pub fn into_error(self, input: &Input) -> Error {
        let (code, what) = match self {
            Fault::Broken(what) => {
                (ErrorCode::InvalidInput, format!("is damaged: {what}\nhint: write or fetch the file again"))
            }
            Fault::Unsupported(what) => (ErrorCode::InvalidInput, format!("cannot be read: {what}")),
            Fault::TooLarge(what) => (ErrorCode::Exhausted, format!("asks for too much memory: {what}")),
            Fault::Source(error) => return error,
        };
        Error { code, ..input.wrong(&what) }
    }
}
