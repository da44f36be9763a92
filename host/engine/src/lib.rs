//! Runs plugins in their sandbox: the only crate that names wasmtime.
//!
//! A call is data in and data out: [`wasmlops_core::call::Request`] to [`wasmlops_core::call::Report`]. The engine
//! knows nothing of pipelines, runs, stores or the network, reads no environment, and grants nothing that the request
//! does not name. Read in this order:
//!
//! - `engine`: the door; `prepare` makes callable code out of a component's bytes, `call` calls it
//! - `warm`: the other door, for serving: a model that stays loaded and answers many calls
//! - `config`, `linker`, `compiled_cache`: what wasmtime is set to, what a guest can import, code kept on disk
//! - `state`, `watch`, `limiter`, `log_sink`, `home`: what one call holds, what it may use of it, where its effects run
//! - `host/`: the contract's imports, one file each; `wasi/`: the part of WASI 0.2 that guests get
//! - `pool`, `ticker`: the threads
//! - `outcome`: how an ended call is named

mod bindings;
mod call;
mod compiled_cache;
mod config;
mod engine;
mod home;
mod host;
mod limiter;
mod linker;
mod log_sink;
mod outcome;
mod pool;
mod prepare;
mod state;
mod text;
mod ticker;
mod warm;
mod wasi;
mod watch;

pub use config::Profile;
pub use engine::{Engine, EngineError, EngineOptions};
pub use prepare::{PrepareError, Prepared};
pub use warm::{Stage, StageKind, Warm, WarmError, WarmRequest};
