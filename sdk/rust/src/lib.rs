//! Write Wasmlops plugins in Rust.
//!
//! A plugin is a struct, a typed configuration, one trait for each kind it is, and one line that exports it:
//!
//! ```text
//! use wasmlops_sdk::prelude::*;
//!
//! struct Halve;
//!
//! impl Processor for Halve {
//!     type Config = config::Config; // serde::Deserialize + schemars::JsonSchema, in src/config.rs
//!
//!     fn process(config: Self::Config, inputs: &Inputs, outputs: &mut Outputs) -> Result<()> { … }
//! }
//!
//! wasmlops_sdk::export! { processor: Halve }
//! ```
//!
//! and a build script that writes the manifest (feature `build`):
//!
//! ```text
//! #[path = "src/config.rs"]
//! mod config;
//!
//! fn main() {
//!     wasmlops_sdk::manifest()
//!         .kind::<config::Config>("processor", |kind| kind.input("table", "rows").output("table", "half of them"))
//!         .write();
//! }
//! ```
//!
//! `cargo build --release --target wasm32-wasip2` then gives the component. The same code runs natively in unit tests:
//! see [`testing`].
//!
//! Read in this order: [`kinds`] (what a plugin may be), [`table`] and [`mod@column`] (rows), [`host`] (what it may say),
//! [`codec`] (states and models), [`labels`] (classes of a target), [`models`] (asking the model that is judged),
//! [`http`] and [`endpoints`] (what it may reach, where it is granted).

#[doc(hidden)]
pub mod bindings;
pub mod codec;
pub mod column;
pub mod endpoints;
mod error;
mod export;
pub mod foreign;
pub mod host;
pub mod http;
pub mod kinds;
pub mod labels;
#[cfg(feature = "build")]
mod manifest;
pub mod models;
pub mod schema;
pub mod table;
pub mod testing;

pub use codec::{decode, encode};
pub use column::{Buffers, Column, ColumnBuilder};
pub use error::{Error, ErrorCode, Result};
pub use host::{blobs, checkpoint, log, metrics, progress};
pub use kinds::{
    Check, DataSource, Deployer, Deployment, DeploymentStatus, Evaluation, Finding, Health, Inputs, Monitor, Note,
    Outputs, Predictor, Processor, Release, Report, SourceReport, Subject, Trainer, Training, Transform, Validator,
    Window,
};
#[cfg(feature = "build")]
pub use manifest::{KindBuilder, ManifestBuilder, manifest};
pub use schema::{DataType, Field, Schema};
pub use table::{BATCH_ROWS, Batch, Matrix, Table, TableWriter};

/// Everything that most plugins use.
pub mod prelude {
    pub use crate::{
        Batch, Check, Column, ColumnBuilder, DataSource, DataType, Deployer, Error, ErrorCode, Evaluation, Field,
        Inputs, Matrix, Monitor, Note, Outputs, Predictor, Processor, Report, Result, Schema, SourceReport, Subject,
        Table, TableWriter, Trainer, Training, Transform, Validator, decode, encode, log, metrics, progress,
    };
}
