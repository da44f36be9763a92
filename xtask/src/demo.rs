//! `cargo xtask demo`: the example's whole loop, against a server of its own: train, gate, deploy, serve, watch, find
//! drift, retrain, canary, promote, roll back, and trace a prediction to its data. It shows what a person would see, and
//! asks the same things again as JSON to be sure that it went as told.

mod http;
mod project;
mod server;
mod traffic;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{program, wasm_target};
use project::DemoProject;
use server::Server;
use traffic::Traffic;

pub const EXAMPLE: &str = "breast-cancer";

/// The longest that one stage may take; each is a matter of seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much larger everything measures after the change that the demo makes up.
const SHIFT: f64 = 1.3;

pub struct Options {
    /// Return when the loop is closed, instead of serving on.
    pub once: bool,
    /// A `wasmlops` that is built already.
    pub binary: Option<PathBuf>,
}

pub fn run(options: Options) -> Result<()> {
    let binary = match options.binary {
        Some(binary) => binary,
        None => {
            wasm_target::ensure()?;
            build()?
        }
    };
    let begun = Instant::now();
    let project = DemoProject::copy_of_example(binary)?;
    eprintln!("xtask: the project is a copy of examples/{EXAMPLE} in {}", project.folder.display());
    train_and_prove(&project)?;
    let server = Server::start(&project)?;
    let prediction = Demo { project: &project, server: &server }.close_the_loop()?;
    headline(&format!("done in {:.0} s", begun.elapsed().as_secs_f64()));
    say_where_to_look(&project, &server, &prediction, options.once);
    if options.once { server.stop() } else { server.wait() }
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

/// Before anything is served: a first version, the cache, the proof.
fn train_and_prove(project: &DemoProject) -> Result<()> {
    headline("train version 1, hold it to its gate, register it, deploy it");
    let first = project.run_pipeline()?;
    headline("the same again: nothing has changed, so nothing is computed but the deployment, which is an effect");
    let again = project.json(&["runs", "show", &project.run_pipeline()?])?;
    for step in steps(&again)?.iter().filter(|step| step["step"] != "deploy") {
        ensure!(step["cache"] == "hit", "step {} was computed again: {}", step["step"], step["reason"]);
    }
    headline("verify: the first run is computed again, and the bytes are compared");
    let report = project.json(&["verify", &first])?;
    let results: Vec<&str> = steps(&report)?.iter().filter_map(|step| step["result"].as_str()).collect();
    ensure!(!results.contains(&"different"), "a step gave other bytes: {report:#}");
    let equal = results.iter().filter(|result| **result == "equal").count();
    eprintln!("xtask: {equal} of {} steps gave the same bytes again; the others are effects", results.len());
    Ok(())
}

struct Demo<'a> {
    project: &'a DemoProject,
    server: &'a Server,
}

impl Demo<'_> {
    /// Gives the id of a prediction.
    fn close_the_loop(&self) -> Result<String> {
        headline("serve: version 1 gets the traffic as soon as it is ready");
        self.until_live(1)?;

        headline("traffic like the training data, with its labels: the monitors find nothing");
        let mut traffic = Traffic::new(self.server, &self.project.data()?)?;
        let usual = traffic.send(200, 1.0)?;
        eprintln!("xtask: {usual}");
        ensure!(usual.versions == [1], "version 1 is live, and {:?} answered", usual.versions);
        traffic.label()?;
        let window = self.until_window("drift", 1)?;
        ensure!(drifted(&window) == Some(false), "drift was found in traffic like the training data: {window:#}");

        headline("the device is replaced, and everything measures larger: drift");
        let shifted = traffic.send(200, SHIFT)?;
        eprintln!("xtask: {shifted}");
        let window = self.until_window("drift", 2)?;
        ensure!(drifted(&window) == Some(true), "the drift was not found: {window:#}");

        headline("the labels arrive, and the monitor's rule retrains on them");
        traffic.label()?;
        let retraining = self.until_retrained()?;
        program::run(&mut self.project.wasmlops(&["runs", "show", &retraining]))?;

        headline("version 2 passed its gate against the champion: its share grows while it does well");
        self.until_promoted(&mut traffic, 2)?;
        program::run(&mut self.project.wasmlops(&["endpoint", "show", EXAMPLE]))?;
        let after = traffic.send(100, SHIFT)?;
        eprintln!("xtask: {after}");
        ensure!(after.accuracy > shifted.accuracy, "version 2 is no better on the new device than version 1");

        headline("back to version 1, and what was live when");
        program::run(&mut self.project.wasmlops(&["endpoint", "rollback", EXAMPLE, "--reason", "to show it"]))?;
        self.until_live(1)?;
        program::run(&mut self.project.wasmlops(&["model", "history", EXAMPLE]))?;

        headline("from one prediction to the data behind it");
        let prediction = after.last_id;
        program::run(&mut self.project.wasmlops(&["lineage", &prediction]))?;
        Ok(prediction)
    }

    fn until_live(&self, version: u64) -> Result<()> {
        self.until(&format!("version {version} is live"), || {
            Ok((self.endpoint()?["live"] == version && self.server.is_ready(EXAMPLE)?).then_some(()))
        })
    }

    fn endpoint(&self) -> Result<Value> {
        self.project.json(&["endpoint", "show", EXAMPLE])
    }

    fn until_window(&self, monitor: &str, number: i64) -> Result<Value> {
        let window = self.until(&format!("window {number} of monitor `{monitor}` is judged"), || {
            let shown = self.project.json(&["monitor", "show", monitor])?;
            let windows = shown["windows"].as_array().cloned().unwrap_or_default();
            Ok(windows.into_iter().find(|window| window["window"] == number))
        })?;
        program::run(&mut self.project.wasmlops(&["monitor", "show", monitor]))?;
        Ok(window)
    }

    /// The run that the drift monitor's rule started.
    fn until_retrained(&self) -> Result<String> {
        self.until("the retraining has ended", || {
            let shown = self.project.json(&["monitor", "show", "drift"])?;
            let windows = shown["windows"].as_array().cloned().unwrap_or_default();
            let actions = windows.iter().filter_map(|window| window["actions"].as_array()).flatten();
            let mut runs = actions.filter(|action| action["kind"] == "run" && action["state"] == "done");
            Ok(runs.next().and_then(|action| action["id"].as_str()).map(str::to_owned))
        })
    }

    /// Sends traffic until the canary has become the live release.
    fn until_promoted(&self, traffic: &mut Traffic, version: u64) -> Result<()> {
        let mut told = String::new();
        self.until(&format!("version {version} is live"), || {
            traffic.send(10, SHIFT)?;
            let endpoint = self.endpoint()?;
            let shares = shares(&endpoint);
            if shares != told {
                eprintln!("xtask: {shares}");
                told = shares;
            }
            Ok((endpoint["live"] == version).then_some(()))
        })
    }

    /// Asks again and again, with a pause between, until there is an answer.
    fn until<T>(&self, what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask()? {
                return Ok(answer);
            }
            ensure!(begun.elapsed() < PATIENCE, "waited {} s and not yet: {what}", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The traffic in words: `version 2 canary 20 %, version 1 live 80 %`.
fn shares(endpoint: &Value) -> String {
    let releases = endpoint["releases"].as_array().cloned().unwrap_or_default();
    let share = |release: &Value| {
        let share = release["share"].as_u64().filter(|share| *share > 0)?;
        Some(format!("version {} {} {share} %", release["version"], release["phase"].as_str()?))
    };
    releases.iter().filter_map(share).collect::<Vec<_>>().join(", ")
}

/// Whether the data as a whole has drifted; nothing where the monitor did not say.
fn drifted(window: &Value) -> Option<bool> {
    let findings = window["findings"].as_array()?;
    findings.iter().find(|finding| finding["statistic"] == "share_drifted")?["found"].as_bool()
}

fn steps(answer: &Value) -> Result<&Vec<Value>> {
    let steps = answer["steps"].as_array().filter(|steps| !steps.is_empty());
    steps.context("the answer has no `steps`")
}

fn say_where_to_look(project: &DemoProject, server: &Server, prediction: &str, once: bool) {
    let binary = project.binary.display();
    eprintln!("xtask: look further in the project's folder:");
    eprintln!("  cd {}", project.folder.display());
    for command in [
        "runs list".to_owned(),
        format!("model show {EXAMPLE}"),
        format!("model card {EXAMPLE}@2"),
        format!("endpoint history {EXAMPLE}"),
        "monitor show drift".to_owned(),
        format!("lineage {prediction}"),
    ] {
        eprintln!("  {binary} {command}");
    }
    if !once {
        eprintln!("xtask: serving on; stop with ctrl-c. Ask it, for example:");
        eprintln!("  curl -s {}/v2/models/{EXAMPLE}", server.url());
        eprintln!("  curl -s {}/api/v1/endpoints/{EXAMPLE}", server.url());
    }
}
