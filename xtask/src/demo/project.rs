//! A fresh copy of the example, and `wasmlops` at work on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::EXAMPLE;
use crate::program;

pub struct DemoProject {
    pub binary: PathBuf,
    pub folder: PathBuf,
}

impl DemoProject {
    /// A fresh folder each time, so that the clone stays clean and the first run has nothing to find.
    pub fn copy_of_example(binary: PathBuf) -> Result<Self> {
        let parent = env::temp_dir();
        let id = std::process::id();
        let unused = (1..).map(|n| parent.join(format!("wasmlops-demo-{id}-{n}"))).find(|path| !path.exists());
        let folder = unused.context("there is no unused name for the demo's folder")?;
        let example = program::workspace().join("examples").join(EXAMPLE);
        copy_folder(&example, &folder).with_context(|| format!("cannot copy `{}`", example.display()))?;
        Ok(Self { binary, folder })
    }

    pub fn wasmlops(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// What the command says as JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = program::output(self.wasmlops(arguments).arg("--json"))?;
        serde_json::from_str(&text).with_context(|| format!("`wasmlops {}` wrote no JSON", arguments.join(" ")))
    }

    /// Runs the pipeline, which must succeed; gives the run's id.
    pub fn run_pipeline(&self) -> Result<String> {
        let before = self.runs()?;
        program::run(&mut self.wasmlops(&["run", EXAMPLE]))?;
        let after = self.runs()?;
        let mut new = after.difference(&before);
        let (Some(run), None) = (new.next(), new.next()) else {
            bail!("the demo's run is not in `wasmlops runs list`")
        };
        let status = &self.json(&["runs", "show", run])?["status"];
        ensure!(status == "succeeded", "run `{run}` has the status {status}");
        Ok(run.clone())
    }

    fn runs(&self) -> Result<BTreeSet<String>> {
        let answer = self.json(&["runs", "list", "--pipeline", EXAMPLE])?;
        let runs = answer["runs"].as_array().context("`wasmlops runs list --json` has no `runs`")?;
        Ok(runs.iter().filter_map(|run| run["run"].as_str()).map(str::to_owned).collect())
    }

    /// The example's data.
    pub fn data(&self) -> Result<String> {
        let file = self.folder.join("data").join(format!("{EXAMPLE}.csv"));
        fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))
    }
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
