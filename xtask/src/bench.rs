//! `cargo xtask bench`: builds `wasmlops` and the program that measures it, and calls that.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{program, wasm_target};

pub fn run(arguments: &[&str]) -> Result<()> {
    wasm_target::ensure()?;
    let (build, arguments): (&[&str], _) = match arguments {
        ["--dev", rest @ ..] => (&["build", "--workspace"], rest),
        _ => (&["build", "--workspace", "--release"], arguments),
    };
    // One after the other, so that the binary has the features that users' builds have.
    program::run(program::cargo(build).args(["--bin", "wasmlops"]))?;
    let mut cargo = program::cargo(build);
    program::run(cargo.args(["--example", "bench"]))?;
    let messages = program::output(cargo.args(["--quiet", "--message-format", "json"]))?;
    let mut executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    let bench = executables.next_back().context("cargo names no executable for the example `bench`")?;
    program::run(std::process::Command::new(bench).args(arguments))
}
