//! The host's own endpoints, for deployers that were granted some. The manifest must ask for the capability
//! `endpoints`; a component that is no deployer may not use this. In native tests [`crate::testing::lend_endpoints`]
//! stands for the host.

use crate::bindings::deployer::wasmlops::plugin::endpoints as host;
use crate::error::Result;

pub use host::{Mode, Phase, ReleaseState, Rollout};

/// Hands a release to an endpoint and gives its id. Returns when the wish is recorded; [`state`] says what became of
/// it. The same key gives the same release.
///
/// Errors: `denied`; `invalid-input` where the endpoint does not exist or the version is not of its model.
pub fn start(endpoint: &str, key: &str, version: u64, rollout: &Rollout) -> Result<String> {
    if cfg!(target_family = "wasm") {
        Ok(host::start(endpoint, key, version, rollout)?)
    } else {
        crate::testing::with_endpoints(endpoint, |endpoints| endpoints.start(endpoint, key, version, rollout))
    }
}

/// What became of a release.
///
/// Errors: `denied`; `invalid-input` for an id that the endpoint does not know.
pub fn state(endpoint: &str, release: &str) -> Result<ReleaseState> {
    if cfg!(target_family = "wasm") {
        Ok(host::state(endpoint, release)?)
    } else {
        crate::testing::with_endpoints(endpoint, |endpoints| endpoints.state(endpoint, release))
    }
}

/// Takes a release back: the one before it gets the traffic. Succeeds if it gets none already.
///
/// Errors: `denied`; `invalid-input` for an id that the endpoint does not know, or for a live release that nothing came
/// before.
pub fn withdraw(endpoint: &str, release: &str) -> Result<()> {
    if cfg!(target_family = "wasm") {
        Ok(host::withdraw(endpoint, release)?)
    } else {
        crate::testing::with_endpoints(endpoint, |endpoints| endpoints.withdraw(endpoint, release))
    }
}
