//! `wasmlops serve` as a child.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::http::Client;
use super::project::DemoProject;

pub struct Server {
    child: std::cell::RefCell<Child>,
    url: String,
}

impl Server {
    /// Starts it on a free port and waits until it listens.
    pub fn start(project: &DemoProject) -> Result<Self> {
        let mut command = project.wasmlops(&["serve", "--open", "--bind", "127.0.0.1:0", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start `wasmlops serve`")?;
        let mut lines = BufReader::new(child.stdout.take().context("the server has no standard output")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let told: Value = serde_json::from_str(&first).context("the server does not say where it listens")?;
        let url = told["listening"].as_str().context("the server does not say where it listens")?.to_owned();
        // What nobody reads would stop it once the pipe is full.
        thread::spawn(move || lines.lines().for_each(drop));
        eprintln!("xtask: `wasmlops serve` listens at {url}");
        Ok(Self { child: child.into(), url })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn connect(&self) -> Result<Client> {
        Client::connect(self.url.trim_start_matches("http://"))
    }

    /// Whether the endpoint answers predictions, by the Open Inference Protocol.
    pub fn is_ready(&self, endpoint: &str) -> Result<bool> {
        Ok(self.connect()?.get(&format!("/v2/models/{endpoint}/ready"))?.status == 200)
    }

    /// Asks it to end, which it must do in good order.
    pub fn stop(self) -> Result<()> {
        let mut child = self.child.borrow_mut();
        let killed = Command::new("kill").arg(child.id().to_string()).status().context("cannot run `kill`")?;
        ensure!(killed.success(), "the server cannot be stopped");
        let status = child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    /// Serves on until somebody stops it.
    pub fn wait(self) -> Result<()> {
        self.child.borrow_mut().wait()?;
        Ok(())
    }
}

impl Drop for Server {
    /// Where the demo fails, nothing of it stays behind.
    fn drop(&mut self) {
        let child = self.child.get_mut();
        if matches!(child.try_wait(), Ok(None)) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
