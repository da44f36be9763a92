//! `cargo xtask demo`: the example from a CSV file to a model behind a gate, run twice and verified. It shows what a
//! person would see, and asks the same things again as JSON to be sure that it went as told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{program, wasm_target};

const EXAMPLE: &str = "breast-cancer";

pub fn run() -> Result<()> {
    wasm_target::ensure()?;
    let demo = Demo { binary: build()?, project: copy_of_example()? };
    eprintln!("xtask: the project is a copy of examples/{EXAMPLE} in {}", demo.project.display());

    headline("first run: every step is computed");
    let first = demo.run_pipeline()?;
    headline("second run: nothing has changed, so every step comes from the cache");
    let second = demo.run_pipeline()?;
    demo.check_all_hits(&second)?;
    headline("verify: the first run is computed again, and the bytes are compared");
    demo.verify(&first)?;

    demo.say_what_next(&first);
    Ok(())
}

fn headline(text: &str) {
    eprintln!("\nxtask: {text}");
}

/// Builds the binary and gives its path. With the features that the whole workspace asks of foreign crates, and not only
/// the binary, so that the tests use the same artifacts.
fn build() -> Result<PathBuf> {
    let mut cargo = program::cargo(&["build", "--workspace", "--bin", "wasmlops"]);
    program::run(&mut cargo)?;
    let messages = program::output(cargo.args(["--quiet", "--message-format", "json"]))?;
    let mut executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next_back().context("cargo names no executable for `wasmlops`")
}

/// A fresh folder each time, so that the clone stays clean and the first run has nothing to find.
fn copy_of_example() -> Result<PathBuf> {
    let parent = env::temp_dir();
    let unused = (1..).map(|number| parent.join(format!("wasmlops-demo-{number}"))).find(|path| !path.exists());
    let project = unused.context("there is no unused name for the demo's folder")?;
    let example = program::workspace().join("examples").join(EXAMPLE);
    copy_folder(&example, &project).with_context(|| format!("cannot copy `{}`", example.display()))?;
    Ok(project)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true if entry.file_name() == ".wasmlops" => {}
            true => copy_folder(&entry.path(), &target)?,
            false => fs::copy(entry.path(), target).map(drop)?,
        }
    }
    Ok(())
}

struct Demo {
    binary: PathBuf,
    project: PathBuf,
}

impl Demo {
    fn wasmlops(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(&self.project);
        command
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = program::output(&mut self.wasmlops(arguments))?;
        serde_json::from_str(&text).with_context(|| format!("`wasmlops {}` wrote no JSON", arguments.join(" ")))
    }

    /// Runs the pipeline, which must succeed; gives the run's id.
    fn run_pipeline(&self) -> Result<String> {
        let before = self.runs()?;
        program::run(&mut self.wasmlops(&["run", EXAMPLE]))?;
        let after = self.runs()?;
        let mut new = after.difference(&before);
        let (Some(run), None) = (new.next(), new.next()) else {
            bail!("the demo's run is not in `wasmlops runs list`")
        };
        let status = &self.json(&["runs", "show", run, "--json"])?["status"];
        ensure!(status == "succeeded", "run `{run}` has the status {status}");
        Ok(run.clone())
    }

    fn runs(&self) -> Result<BTreeSet<String>> {
        let answer = self.json(&["runs", "list", "--json"])?;
        let runs = answer["runs"].as_array().context("`wasmlops runs list --json` has no `runs`")?;
        Ok(runs.iter().filter_map(|run| run["run"].as_str()).map(str::to_owned).collect())
    }

    fn check_all_hits(&self, run: &str) -> Result<()> {
        let run = self.json(&["runs", "show", run, "--json"])?;
        let steps = steps(&run)?;
        for step in steps {
            ensure!(step["cache"] == "hit", "step {} was computed again: {}", step["step"], step["reason"]);
        }
        eprintln!("xtask: all {} steps came from the cache", steps.len());
        Ok(())
    }

    fn verify(&self, run: &str) -> Result<()> {
        program::run(&mut self.wasmlops(&["verify", run]))?;
        let report = self.json(&["verify", run, "--json"])?;
        let steps = steps(&report)?;
        for step in steps {
            ensure!(step["result"] == "equal", "step {} is not equal: {}", step["step"], step["result"]);
        }
        eprintln!("xtask: all {} steps gave the same bytes again", steps.len());
        Ok(())
    }

    fn say_what_next(&self, run: &str) {
        let binary = self.binary.display();
        headline("done. Look further in the project's folder:");
        eprintln!("  cd {}", self.project.display());
        for command in [format!("runs show {run}"), format!("plan {EXAMPLE}"), format!("lineage {run}")] {
            eprintln!("  {binary} {command}");
        }
        eprintln!("  and change a line in pipelines/{EXAMPLE}.yaml: `plan` says what would be computed, and why");
    }
}

fn steps(answer: &Value) -> Result<&Vec<Value>> {
    let steps = answer["steps"].as_array().filter(|steps| !steps.is_empty());
    steps.context("the answer has no `steps`")
}
