//! `cargo xtask plugins`: builds the standard plugins and lists them.

use anyhow::Result;

use crate::{program, wasm_target};

pub fn run() -> Result<()> {
    wasm_target::ensure()?;
    program::run(&mut program::cargo(&["run", "--package", "wasmlops-plugins", "--example", "list"]))
}
