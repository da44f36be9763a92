//! The front half of the core at its doors: texts of pipeline and project files in, graphs or diagnostics out.
//!
//! A golden case is a folder under `tests/ui` with `pipeline.yaml`, perhaps `project.yaml` and `params.json`, and
//! `expected.txt`; adding one needs no code, and `BLESS=1 cargo test -p wasmlops-core` writes what is expected.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod golden;
mod plugins;
mod properties;
mod schema;
mod search;
