//! The integration tests: one binary, a module for each thing that is tested. They use the built `wasmlops` binary, as a
//! user would.

#![allow(clippy::unwrap_used, reason = "tests panic")]

mod crash;
mod documents;
mod lifecycle;
mod mistakes;
mod reasons;
mod sandbox;
mod support;
mod walls;
