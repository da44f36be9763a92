//! `wasmlops trigger …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum TriggerCommand {
    /// List the project's triggers, with the run that each started last
    List,
    /// Show a trigger: what it waits for, what it sets, and the newest runs that it started
    Show {
        /// A trigger's name
        trigger: String,
        /// Runs to show
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
        runs: u32,
    },
}
