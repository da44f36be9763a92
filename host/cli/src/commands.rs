//! One file and one function per command. This is the list.

mod approval;
mod artifact;
mod audit;
pub mod endpoint;
mod gc;
mod init;
pub mod label;
mod lineage;
pub mod model;
mod monitor;
mod plan;
mod plugin;
mod run;
pub mod runs;
mod schedule;
mod schema;
pub mod secret;
mod serve;
pub mod text;
mod token;
mod trigger;
mod verify;

use anyhow::Result;

use crate::args::{Args, ArtifactCommand, Command, PluginCommand, RunsCommand};
use crate::output::{Outcome, Printer};
use crate::remote::{self, Client};
use crate::settings::Settings;

pub async fn run(args: Args, printer: &Printer) -> Result<Outcome> {
    let settings = Settings::new(&args)?;
    if let Some(server) = settings.server(&args)? {
        return remote::run(Client::new(server)?, args.command, &settings, printer).await;
    }
    match args.command {
        Command::Init(args) => init::init(&settings, args, printer).await,
        Command::Plan(args) => plan::plan(&settings, args, printer).await,
        Command::Run(args) => run::run(&settings, args, printer).await,
        Command::Runs(command @ RunsCommand::List { .. }) => runs::list(&settings, command, printer).await,
        Command::Runs(RunsCommand::Queue) => runs::queue(&settings, printer).await,
        Command::Runs(RunsCommand::Show { run }) => runs::show(&settings, &run, printer).await,
        Command::Runs(RunsCommand::Logs { run, step }) => runs::logs(&settings, &run, step, printer).await,
        Command::Runs(RunsCommand::Cancel { run }) => runs::cancel(&settings, &run, printer).await,
        Command::Runs(RunsCommand::Compare { runs, children }) => {
            runs::compare::compare(&settings, runs, children, printer).await
        }
        Command::Runs(RunsCommand::Resume { run }) => run::resume(&settings, &run, printer).await,
        Command::Approve(args) => approval::approve(&settings, args, printer).await,
        Command::Approvals(command) => approval::run(&settings, command, printer).await,
        Command::Verify { run } => verify::verify(&settings, &run, printer).await,
        Command::Lineage { id } => lineage::lineage(&settings, &id, printer).await,
        Command::Artifact(ArtifactCommand::Show { artifact, rows }) => {
            artifact::show(&settings, &artifact, rows, printer).await
        }
        Command::Artifact(ArtifactCommand::Cat { artifact }) => artifact::cat(&settings, &artifact, printer).await,
        Command::Artifact(ArtifactCommand::Export { artifact, file, format }) => {
            artifact::export(&settings, &artifact, &file, format, printer).await
        }
        Command::Model(command) => model::run(&settings, command, printer).await,
        Command::Endpoint(command) => endpoint::run(&settings, command, printer).await,
        Command::Monitor(command) => monitor::run(&settings, command, printer).await,
        Command::Schedule(command) => schedule::run(&settings, command, printer).await,
        Command::Trigger(command) => trigger::run(&settings, command, printer).await,
        Command::Label(command) => label::run(&settings, command, printer).await,
        Command::Plugin(PluginCommand::List) => plugin::list(&settings, printer).await,
        Command::Plugin(PluginCommand::Inspect { plugin }) => plugin::inspect(&settings, &plugin, printer).await,
        Command::Secret(command) => secret::run(&settings, command, printer).await,
        Command::Audit(command) => audit::run(&settings, command, printer).await,
        Command::Gc(args) => gc::gc(&settings, args, printer).await,
        Command::Serve(args) => serve::serve(&settings, args, printer).await,
        Command::Token(command) => token::run(&settings, command, printer).await,
        Command::Schema { of } => schema::schema(of, printer),
    }
}
