//! Plugin packages as values: names, versions, digests, manifests, and what a component's bytes say about it.
//!
//! Pure: reads no file, no clock and no network, and knows nothing of pipelines. Read in this order: [`digest`],
//! [`plugin_ref`], [`manifest`], [`component`].

pub mod component;
pub mod digest;
pub mod manifest;
pub mod plugin_ref;

pub use component::{Component, ComponentError, Kind};
pub use digest::{Algorithm, Digest, DigestError};
pub use manifest::{Capability, Manifest};
pub use plugin_ref::{PluginName, PluginRef, PluginRefError};
