//! `wasmlops endpoint`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum EndpointCommand {
    /// List the project's endpoints with what they serve
    List,
    /// Show an endpoint: its releases with their shares of the traffic, and why the others ended
    Show {
        /// An endpoint's name
        name: String,
    },
    /// Show what happened to an endpoint's releases, the newest first
    History {
        /// An endpoint's name
        name: String,
        /// At most so many events
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Take back the newest release: a canary at once, a live one as soon as the version before it is ready
    ///
    /// Works with and without a server. The alias that the endpoint follows moves back, too.
    Rollback {
        /// An endpoint's name
        name: String,
        /// Why; it is recorded
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Hold a canary where it is
    Pause {
        /// An endpoint's name
        name: String,
        /// Why; it is recorded
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Let a paused canary go on
    Continue {
        /// An endpoint's name
        name: String,
    },
    /// Ask a running server for predictions
    Invoke {
        /// An endpoint's name
        name: String,
        /// A JSON file with the rows, as a list of objects or as `{"rows": [...]}`; `-` is standard input
        #[arg(long, value_name = "FILE.json")]
        rows: String,
    },
}
