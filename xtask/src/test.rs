//! `cargo xtask test`: all tests, with what they need.

use anyhow::Result;

use crate::{program, wasm_target};

pub fn run(arguments: &[&str]) -> Result<()> {
    wasm_target::ensure()?;
    program::run(program::cargo(&["test", "--workspace"]).args(arguments))
}
