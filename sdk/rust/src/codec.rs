//! The encoding of fitted states and models: JSON, whose numbers come back bit for bit, and which has no NaN, so that
//! equal states are equal bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Errors: `internal` where `value` cannot be written.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::internal(format!("the state cannot be written: {error}")))
}

/// Errors: `invalid-input` where the bytes were not written by [`encode`] of the same type.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::invalid_input(format!("the state was not written by this plugin: {error}")))
}

/// The configuration as the plugin's own type.
pub fn config<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        Error::new(crate::ErrorCode::InvalidConfig, format!("the configuration does not fit: {error}"))
    })
}
