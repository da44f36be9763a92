//! `wasmlops approve` and `wasmlops approvals ...`.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct ApproveArgs {
    /// A run's id, or its first characters
    pub run: String,
    /// The step that asks; may be left out where only one does
    pub step: Option<String>,
    /// Fill in a field of the form; may be repeated
    #[arg(long = "input", short = 'i', value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// Reject instead; the step fails
    #[arg(long, requires = "reason")]
    pub reject: bool,
    /// Why, for the record; a rejection needs it
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ApprovalsCommand {
    /// List what waits for a decision, the newest first
    List {
        /// Also what is decided
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show what is asked, with all that there is to look at before deciding
    Show {
        /// A run's id, or its first characters
        run: String,
        /// The step that asks; may be left out where only one does
        step: Option<String>,
    },
}
