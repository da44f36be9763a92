//! Drives runs: the one place above the command line where tokio lives. Puts what core decides into effect with the
//! engine and the store, which do not know each other.
//!
//! Read in this order: [`host`] (everything put together), [`project`] and [`plugins`] (what there is to run),
//! [`planning`] (what a run would do), [`runs`] (the door to runs), `driver` (one run from event to event), [`executor`]
//! (one attempt of a step), [`verify`], [`lineage`], [`artifacts`], [`export`]. [`view`] is what the outside sees.

pub mod artifacts;
pub mod clock;
mod collector;
mod driver;
pub mod error;
pub mod executor;
pub mod export;
pub mod host;
pub mod lineage;
mod lookup;
pub mod planning;
pub mod plugins;
pub mod probe;
pub mod project;
pub mod runs;
pub mod verify;
pub mod view;
pub mod watch;
