//! What a plugin may say to the host while it works. In native tests the same calls are kept for
//! [`crate::testing::heard`].

use crate::bindings::host::wasmlops::plugin as wire;
use crate::error::Result;

/// Lines for the step's log. Do not log values of rows: logs are read by more people than data is.
pub mod log {
    use super::wire::log as host;
    pub use host::Level;

    pub fn debug(message: impl AsRef<str>) {
        write(Level::Debug, message.as_ref());
    }

    pub fn info(message: impl AsRef<str>) {
        write(Level::Info, message.as_ref());
    }

    pub fn warn(message: impl AsRef<str>) {
        write(Level::Warn, message.as_ref());
    }

    pub fn error(message: impl AsRef<str>) {
        write(Level::Error, message.as_ref());
    }

    fn write(level: Level, message: &str) {
        if cfg!(target_family = "wasm") {
            host::write(level, message, &[]);
        } else {
            crate::testing::keep(|heard| heard.logs.push(message.to_owned()));
        }
    }
}

/// Numbers that the run keeps under the step.
pub mod metrics {
    use super::wire::metrics as host;
    use crate::error::Result;

    /// One value.
    pub fn emit(name: &str, value: f64) -> Result<()> {
        emit_at(name, value, 0)
    }

    /// A point on a curve: `step` is the epoch or iteration.
    pub fn emit_at(name: &str, value: f64, step: u64) -> Result<()> {
        if cfg!(target_family = "wasm") {
            host::emit(&[host::Metric { name: name.to_owned(), value, step }])?;
        } else {
            crate::testing::keep(|heard| heard.metrics.push((name.to_owned(), value, step)));
        }
        Ok(())
    }
}

/// How far a long call has come.
pub mod progress {
    use super::wire::progress as host;

    /// Cheap enough for every batch.
    pub fn update(done: u64, total: Option<u64>, message: &str) {
        if cfg!(target_family = "wasm") {
            host::update(done, total, message);
        }
    }

    /// Whether the run is being cancelled: save a checkpoint and return soon.
    pub fn is_cancelled() -> bool {
        cfg!(target_family = "wasm") && host::is_cancelled()
    }
}

/// State that survives a lost attempt.
pub mod checkpoint {
    use super::{Result, wire::checkpoint as host};

    /// Replaces the step's checkpoint.
    pub fn save(state: &[u8]) -> Result<()> {
        if cfg!(target_family = "wasm") {
            host::save(state)?;
        } else {
            crate::testing::keep(|heard| heard.checkpoint = Some(state.to_vec()));
        }
        Ok(())
    }

    /// The last checkpoint of an earlier attempt. Going on from it must give what starting anew gives.
    pub fn load() -> Option<Vec<u8>> {
        if cfg!(target_family = "wasm") { host::load() } else { crate::testing::heard().checkpoint }
    }
}

/// Inputs and outputs that are not tables; inside the sandbox only.
pub mod blobs {
    pub use super::wire::blobs::{Blob, BlobWriter, create, open};
}
