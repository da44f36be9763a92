//! `wasmlops schedule …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// List the project's schedules, with the next time of each and what became of the last
    List,
    /// Show a schedule: the times to come, what became of those that have passed, its backfills
    Show {
        /// A schedule's name
        schedule: String,
    },
    /// Hold a schedule; times that pass meanwhile are not made up for
    Pause {
        /// A schedule's name
        schedule: String,
    },
    /// Let a schedule go on from now
    Resume {
        /// A schedule's name
        schedule: String,
    },
    /// Submit a run of the schedule now; a server runs it
    Trigger {
        /// A schedule's name
        schedule: String,
    },
    /// Submit a run for each of the schedule's times in a range that has none; a server goes on with it
    Backfill {
        /// A schedule's name
        schedule: String,
        /// The first time: RFC 3339, or a day, which begins in the schedule's zone
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Before this time
        #[arg(long, value_name = "TIME")]
        to: String,
        /// Runs at once
        #[arg(long, value_name = "N", default_value_t = 1)]
        parallel: u32,
    },
    /// Stop a backfill: no further runs; those that were submitted go on
    CancelBackfill {
        /// A backfill's id
        backfill: String,
    },
}
