//! `cargo xtask test`: all tests, with what they need.

use anyhow::Result;

use crate::{program, wasm_target};

pub fn run(arguments: &[&str]) -> Result<()> {
    wasm_target::ensure()?;
    // Cargo builds no binary for the tests of another package, and the integration tests use it as a user would.
    program::run(&mut program::cargo(&["build", "--workspace", "--bin", "wasmlops"]))?;
    program::run(program::cargo(&["test", "--workspace"]).args(arguments))
}
