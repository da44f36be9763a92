//! Drives runs: the one place above the command line where tokio lives. Puts what core decides into effect with the
//! engine and the store, which do not know each other.
//!
//! Read in this order: [`host`] (everything put together), [`project`] and [`plugins`] (what there is to run),
//! [`planning`] (what a run would do), [`runs`] (the door to runs), `driver` (one run from event to event), [`executor`]
//! (one attempt of a step), `search` (many runs for one step), [`verify`], [`lineage`], [`artifacts`], [`export`].
//! [`view`] is what the outside sees.
//!
//! From a model to production and back: [`models`] (versions and aliases), [`deployment`] (what deployers are handed),
//! [`serving`] (endpoints and releases), [`inference`] and [`labels`] (what was asked, and what turned out to be true),
//! [`monitoring`] (what to make of it).
//!
//! A server for teams and systems: [`http`] (the way in), [`access`] (who is asking), [`dispatch`] (which waiting run is
//! next), [`schedules`] and [`events`] (what starts runs, and who is told), [`approvals`] (what people decide),
//! [`secrets`], [`audit`], [`gc`], [`telemetry`]; [`broker`] is the one way out.

pub mod access;
pub mod approvals;
pub mod artifacts;
pub mod audit;
pub mod broker;
pub mod clock;
mod collector;
pub mod counts;
pub mod deployment;
pub mod dispatch;
mod driver;
pub mod error;
pub mod events;
pub mod executor;
pub mod export;
pub mod gc;
pub mod host;
pub mod http;
pub mod inference;
pub mod labels;
pub mod lineage;
mod lookup;
pub mod models;
pub mod monitoring;
pub mod pipelines;
pub mod planning;
pub mod plugins;
pub mod probe;
pub mod project;
mod registration;
mod resolution;
pub mod runs;
pub mod schedules;
mod search;
pub mod secrets;
pub mod serving;
pub mod telemetry;
pub mod tracking;
pub mod verify;
pub mod view;
pub mod watch;
