//! The integration tests: one binary, a module for each thing that is tested. They use the built `wasmlops` binary, as a
//! user would.

#![allow(clippy::unwrap_used, reason = "tests panic")]

mod crash;
mod demo;
mod deploying;
mod documents;
mod lifecycle;
mod mistakes;
mod models;
mod monitoring;
mod outside;
mod reasons;
mod registering;
mod sandbox;
mod served;
mod serving;
mod support;
mod walls;
