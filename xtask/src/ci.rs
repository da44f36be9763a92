//! `cargo xtask ci`: what is asked of a change. Cheap questions first; lints and docs share one set of check metadata,
//! the tests are built last. How long the phases took is said before the tests run, so that their result stands last.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{program, test, wasm_target};

pub fn run() -> Result<()> {
    let mut phases = Phases::default();
    phases.run("format", &mut program::cargo(&["fmt", "--all", "--check"]))?;
    wasm_target::ensure()?;
    let lints = ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    phases.run("lints", &mut program::cargo(&lints))?;
    let docs = ["doc", "--locked", "--workspace", "--no-deps"];
    phases.run("docs", program::cargo(&docs).env("RUSTDOCFLAGS", "--deny warnings"))?;
    phases.time("build of the tests", || test::build(&["--locked"]))?;
    phases.say();
    test::run(&["--locked"])
}

#[derive(Default)]
struct Phases(Vec<(&'static str, Duration)>);

impl Phases {
    fn run(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        self.time(name, || program::run(command))
    }

    fn time(&mut self, name: &'static str, phase: impl FnOnce() -> Result<()>) -> Result<()> {
        let start = Instant::now();
        phase()?;
        self.0.push((name, start.elapsed()));
        Ok(())
    }

    fn say(&self) {
        for (name, duration) in &self.0 {
            eprintln!("xtask: {name:<18} {:>7.1} s", duration.as_secs_f64());
        }
    }
}
