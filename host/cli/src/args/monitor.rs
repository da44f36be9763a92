//! `wasmlops monitor …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum MonitorCommand {
    /// List the project's monitors, with what each saw last
    List,
    /// Show a monitor with its newest windows: findings, and the actions that followed
    Show {
        /// A monitor's name
        monitor: String,
        /// Windows to show
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
        windows: u32,
    },
    /// Judge the next window now, if it is full, and do what the rules say
    Run {
        /// A monitor's name
        monitor: String,
    },
}
