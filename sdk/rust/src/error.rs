//! The contract's typed error, as plugins make it.

use std::fmt;

use crate::bindings::host::wasmlops::plugin::types;

/// Which case of the contract's `error` a failure is. The host retries [`ErrorCode::Unavailable`] and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    InvalidConfig,
    InvalidInput,
    Denied,
    Unavailable,
    Exhausted,
    Internal,
}

/// Why a plugin's call failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    pub code: ErrorCode,
    /// What failed, for which thing: lower-case, no final period, values in backticks.
    pub message: String,
    /// The configuration key (`rules.2.column`) or the input's name that is at fault.
    pub field: Option<String>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    /// The configuration key `field` is wrong in a way that its schema cannot say.
    pub fn invalid_config(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidConfig, message).at(field)
    }

    /// An input is wrong. Name it with [`Error::at`].
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidInput, message)
    }

    /// The plugin itself is at fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// Names the configuration key or input at fault.
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        let (code, detail) = match error {
            types::Error::InvalidConfig(detail) => (ErrorCode::InvalidConfig, detail),
            types::Error::InvalidInput(detail) => (ErrorCode::InvalidInput, detail),
            types::Error::Denied(detail) => (ErrorCode::Denied, detail),
            types::Error::Unavailable(detail) => (ErrorCode::Unavailable, detail),
            types::Error::Exhausted(detail) => (ErrorCode::Exhausted, detail),
            types::Error::Internal(detail) => (ErrorCode::Internal, detail),
        };
        Self { code, message: detail.message, field: detail.field }
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        let detail = types::ErrorDetail { message: error.message, field: error.field };
        match error.code {
            ErrorCode::InvalidConfig => Self::InvalidConfig(detail),
            ErrorCode::InvalidInput => Self::InvalidInput(detail),
            ErrorCode::Denied => Self::Denied(detail),
            ErrorCode::Unavailable => Self::Unavailable(detail),
            ErrorCode::Exhausted => Self::Exhausted(detail),
            ErrorCode::Internal => Self::Internal(detail),
        }
    }
}
