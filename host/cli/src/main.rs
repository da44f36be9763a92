//! The `wasmlops` command: reads the arguments and the environment, puts the host together, runs one command, and turns
//! its result into an exit code. Nothing else reads the environment.
//!
//! [`args`] is what can be said, [`settings`] what it means here, [`commands`] what is done, [`remote`] the same at a server, [`output`] how it is shown.

mod args;
mod commands;
mod compiled;
mod output;
mod progress;
mod remote;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use args::Args;
use output::{Outcome, Printer};
use settings::Observing;

fn main() -> ExitCode {
    let args = Args::parse();
    let printer = Printer::new(args.json, args.quiet);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(observed(args, &printer)),
        Err(error) => Err(anyhow::Error::new(error).context("cannot start")),
    };
    match result {
        Ok(outcome) => outcome.code(),
        Err(error) => printer.error(&error),
    }
}

/// The command, and what is told of it.
async fn observed(args: Args, printer: &Printer) -> anyhow::Result<Outcome> {
    let observing = Observing::start(&args)?;
    let outcome = commands::run(args, printer).await;
    observing.end().await;
    outcome
}
