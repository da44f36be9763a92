//! The integration tests: one binary, a module for each thing that is tested. They use the built `wasmlops` binary, as a
//! user would.

#![allow(clippy::unwrap_used, reason = "tests panic")]

mod access;
mod approving;
mod audit;
mod crash;
mod crash_server;
mod demo;
mod deploying;
mod documents;
mod events;
mod explaining;
mod lifecycle;
mod mistakes;
mod models;
mod monitoring;
mod outside;
mod payments;
mod queue;
mod reasons;
mod registering;
mod remote;
mod robust;
mod sandbox;
mod searching;
mod secrets;
mod served;
mod serving;
mod support;
mod traces;
mod walls;
