//! `cargo xtask test`: all tests, with what they need.

use anyhow::Result;

use crate::{program, wasm_target};

pub fn run(arguments: &[&str]) -> Result<()> {
    build(&[])?;
    program::run(program::cargo(&["test"]).args(TARGETS).args(arguments))?;
    program::run(program::cargo(&["test", "--workspace", "--doc"]).args(arguments))
}

/// Builds the tests, and with them the binary that the integration tests use as a user would: cargo builds none for the
/// tests of another package. One call, since the binary alone would get other features, and with them another wasmtime.
pub fn build(arguments: &[&str]) -> Result<()> {
    wasm_target::ensure()?;
    program::run(program::cargo(&["build"]).args(TARGETS).args(arguments))
}

/// Examples are built where they are used; lints look at them.
const TARGETS: [&str; 4] = ["--workspace", "--lib", "--bins", "--tests"];
