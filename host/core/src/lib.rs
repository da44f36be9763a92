//! What Wasmlops decides, without doing it: reads no clock and no file, spawns nothing, knows neither tokio nor SQL nor
//! wasmtime.
//!
//! Data goes one way: [`config`] (what the user wrote) → [`graph`] (every step bound to a plugin, all mistakes found) →
//! [`plan`] (cache keys, hits, and the reason of each miss) → [`run`] (events in, actions out) → [`lineage`] (facts).
//! [`table`] is the one kind of data that steps exchange; [`call`] is one call of a plugin, with its [`limits`].
//!
//! What happens without anybody asking: [`rules`] turns what monitors find into actions, [`schedule`] says what is due,
//! [`event`] what an event from outside means, [`queue`] which run is next, [`rollout`] what an endpoint serves,
//! [`retention`] what may go, [`search`] which hyperparameters are tried next. Who may do what: [`access`], and what a
//! person is asked: [`approval`].

pub mod access;
pub mod approval;
pub mod artifact;
pub mod cache_key;
pub mod call;
pub mod canonical_json;
pub mod config;
pub mod diagnostics;
pub mod event;
pub mod graph;
pub mod limits;
pub mod lineage;
pub mod plan;
pub mod queue;
pub mod retention;
pub mod rollout;
pub mod rules;
pub mod run;
pub mod schedule;
pub mod search;
pub mod strict_json;
pub mod table;
