//! The same commands against a server: `--server URL`, with a token from the environment.
//!
//! Each command is one request of the HTTP API (`run` also waits); the answer's JSON is what `--json` prints. What
//! works on files of a project, or on a folder of this machine, has no meaning there and says so.

mod client;
mod models;
mod operations;
mod render;
mod runs;

use anyhow::Result;
use serde_json::Value;
use wasmlops_server::error::Error;

use crate::args::Command;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

use client::{Call, segment};
pub use client::{Client, ServerAddress};

/// Does what the command says at the server.
pub async fn run(server: Client, command: Command, settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let remote = Remote { server, settings, printer };
    match command {
        Command::Plan(args) => remote.plan(args).await,
        Command::Run(args) => remote.run(args).await,
        Command::Runs(command) => remote.runs(command).await,
        Command::Lineage { id } => remote.lineage(&id).await,
        Command::Artifact(command) => remote.artifact(command).await,
        Command::Model(command) => remote.model(command).await,
        Command::Endpoint(command) => remote.endpoint(command).await,
        Command::Monitor(command) => remote.monitor(command).await,
        Command::Label(command) => remote.label(command).await,
        Command::Plugin(command) => remote.plugin(command).await,
        Command::Approve(args) => remote.approve(args).await,
        Command::Approvals(command) => remote.approvals(command).await,
        Command::Schedule(command) => remote.schedule(command).await,
        Command::Trigger(command) => remote.trigger(command).await,
        Command::Secret(command) => remote.secret(command).await,
        Command::Token(command) => remote.token(command).await,
        Command::Audit(command) => remote.audit(command).await,
        Command::Gc(args) => remote.gc(args).await,
        Command::Init(_) | Command::Verify { .. } | Command::Serve(_) | Command::Schema { .. } => local_only(),
    }
}

/// What a command needs.
struct Remote<'a> {
    server: Client,
    settings: &'a Settings,
    printer: &'a Printer,
}

impl Remote<'_> {
    /// Gets and prints.
    async fn show(&self, path: &str) -> Result<Outcome> {
        let answer = self.server.get(path).value().await?;
        self.print(&answer)
    }

    /// Gets and prints a list, under the name that it has where the command works on a folder.
    async fn list(&self, call: Call<'_>, noun: &str) -> Result<Outcome> {
        let mut answer = call.value().await?;
        if let Some(items) = answer.as_object_mut().and_then(|page| page.remove("items")) {
            answer[noun] = items;
        }
        self.print(&answer)
    }

    fn print(&self, answer: &Value) -> Result<Outcome> {
        self.printer.data(answer, || render::text(answer))?;
        Ok(Outcome::Done)
    }
}

fn local_only<T>() -> Result<T> {
    let message = "this command works on a project folder of this machine, not on a server";
    Err(Error::user("local-command", message, "leave out `--server` (and `WASMLOPS_SERVER`)").into())
}
