//! `cargo xtask test`: all tests, with what they need.

use anyhow::Result;

use crate::{program, wasm_target};

pub fn run(arguments: &[&str]) -> Result<()> {
    wasm_target::ensure()?;
    // Cargo builds no binary for the tests of another package, and the integration tests use it as a user would.
    program::run(&mut program::cargo(&["build", "--workspace", "--bin", "wasmlops"]))?;
    // Examples are built where they are used; lints look at them.
    program::run(program::cargo(&["test", "--workspace", "--lib", "--bins", "--tests"]).args(arguments))?;
    program::run(program::cargo(&["test", "--workspace", "--doc"]).args(arguments))
}
