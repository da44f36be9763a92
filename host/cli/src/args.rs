//! What can be said on the command line: nouns, then verbs.

mod approval;
mod endpoint;
mod label;
mod model;
mod monitor;
mod schedule;
mod secret;
mod serve;
mod storage;
mod token;
mod trigger;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use approval::*;
pub use endpoint::*;
pub use label::*;
pub use model::*;
pub use monitor::*;
pub use schedule::*;
pub use secret::*;
pub use serve::*;
pub use storage::*;
pub use token::*;
pub use trigger::*;

/// Runs machine-learning pipelines of sandboxed, versioned WebAssembly plugins.
///
/// Exit codes: 0 done, 1 the work failed (a step or a gate), 2 the input is wrong, 3 the host failed.
#[derive(Debug, Parser)]
#[command(name = "wasmlops", version, propagate_version = true, max_term_width = 100)]
pub struct Args {
    /// Print JSON to standard output, for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing on standard error but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more about what the host does
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// The project's folder; by default the nearest one upwards from here with a `wasmlops.yaml`. `serve` takes several
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Vec<PathBuf>,
    /// Where runs and artifacts are kept; by default `.wasmlops` in the project
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// How log lines on standard error are written
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Do it at this server instead of in a folder of this machine; the token is in `WASMLOPS_TOKEN`, and `--project`
    /// then names one of the server's projects [default: the environment variable `WASMLOPS_SERVER`]
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Trust the certificates of this authority as well, with `--server` (PEM)
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

/// A line for people, or one JSON object a line for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a project that runs at once: with sample data, or for a CSV file of yours
    Init(InitArgs),
    /// Show what a run would do: order, cache hits, the reason of each miss, grants
    Plan(PipelineArgs),
    /// Run a pipeline
    Run(RunArgs),
    /// Look at runs, stop them, go on with them
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Decide on what a run waits for: approve, or reject
    Approve(ApproveArgs),
    /// What runs wait for people to decide
    #[command(subcommand)]
    Approvals(ApprovalsCommand),
    /// Run every step of a run again and compare the outputs byte for byte
    Verify {
        /// A run's id, or its first characters
        run: String,
    },
    /// Show where an artifact, a run or a prediction came from, and what became of it
    Lineage {
        /// An artifact's digest or a run's id, or its first characters; or a prediction's id
        id: String,
    },
    /// Look at artifacts
    #[command(subcommand)]
    Artifact(ArtifactCommand),
    /// Registered models: versions, aliases and their history, cards, export and import
    #[command(subcommand)]
    Model(ModelCommand),
    /// Endpoints: what they serve, what happened to their releases, rollback, predictions
    #[command(subcommand)]
    Endpoint(EndpointCommand),
    /// Monitors: what they found in which window, and what was done about it
    #[command(subcommand)]
    Monitor(MonitorCommand),
    /// Schedules: what is run when, what became of it, pauses, backfills
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Triggers: what starts pipelines when something happens, and which runs it started
    #[command(subcommand)]
    Trigger(TriggerCommand),
    /// Ground truth: what turned out to be true of predictions
    #[command(subcommand)]
    Label(LabelCommand),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Secrets: set, list names, remove; values are kept encrypted and never shown
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Check and export the record of who changed what
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Remove what retention lets go, and bytes that nothing names any more
    Gc(GcArgs),
    /// Serve one or several projects over HTTP: endpoints, runs, schedules, the API; until it is interrupted
    Serve(ServeArgs),
    /// Tokens, by which a server knows who is asking: make, list, revoke
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print the JSON Schema of pipeline files or of the project file, for editors
    Schema {
        #[arg(value_enum, default_value_t = SchemaOf::Pipeline)]
        of: SchemaOf,
    },
}

#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder to make; it must be empty or not exist
    pub dir: PathBuf,
    /// A CSV file with a header; it is copied into the project
    #[arg(long, requires = "target", value_name = "FILE.csv")]
    pub data: Option<PathBuf>,
    /// The column to predict; its values decide the task
    #[arg(long, requires = "data", value_name = "COLUMN")]
    pub target: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct PipelineArgs {
    /// A name under `pipelines/`, or the path of a pipeline file; may be left out where there is only one
    pub pipeline: Option<String>,
    /// Set a parameter; may be repeated
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// The seed of the run's random numbers
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// What the steps' clocks say (RFC 3339); by default the start of the run
    #[arg(long, value_name = "TIME")]
    pub nominal_time: Option<String>,
    /// Fail if the lock would change
    #[arg(long, conflicts_with = "upgrade")]
    pub locked: bool,
    /// Use the newest plugins that fit, and change the lock
    #[arg(long)]
    pub upgrade: bool,
}

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Run every step, whatever the cache has
    #[arg(long)]
    pub no_cache: bool,
    /// Let a server of the project run it, and return at once
    #[arg(long, conflicts_with = "upgrade")]
    pub detach: bool,
    /// Which waiting runs go first, with `--detach`: -100 to 100
    #[arg(long, requires = "detach", default_value_t = 0, allow_negative_numbers = true)]
    pub priority: i32,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Lay runs side by side: params and metrics, differences first, and the steps that came to other bytes
    Compare {
        /// Ids of runs, or their first characters
        #[arg(value_name = "RUN", required_unless_present = "children")]
        runs: Vec<String>,
        /// All trials of this run's searches
        #[arg(long, value_name = "RUN")]
        children: Option<String>,
    },
    /// List runs, the newest first
    List {
        /// Only of this pipeline
        #[arg(long)]
        pipeline: Option<String>,
        /// Only in this status
        #[arg(long, value_enum)]
        status: Option<StatusArg>,
        /// Only what this started: `cli`, `api`, `schedule:nightly`, `trigger:on-push`, `monitor:drift`
        #[arg(long)]
        origin: Option<String>,
        /// Only what belongs to this run
        #[arg(long, value_name = "RUN")]
        parent: Option<String>,
        /// Only created at this time or later (RFC 3339)
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Only created before this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// The next page: what the page before ended with
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show what waits for a server to run it, and what servers run
    Queue,
    /// Show a run with its steps
    Show {
        /// A run's id, or its first characters
        run: String,
    },
    /// Print what the steps said
    Logs {
        /// A run's id, or its first characters
        run: String,
        /// Only this step
        step: Option<String>,
    },
    /// Stop a run; one that runs in another process stops within two seconds
    Cancel {
        /// A run's id, or its first characters
        run: String,
    },
    /// Go on with a run that failed, was cancelled, or whose process died
    Resume {
        /// A run's id, or its first characters
        run: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StatusArg {
    Scheduled,
    Running,
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
}

#[derive(Debug, Subcommand)]
pub enum ArtifactCommand {
    /// Show what an artifact is, with the beginning of a table or the text of a report
    Show {
        /// A digest or its first characters, or `RUN/STEP.OUTPUT`
        artifact: String,
        /// Rows of a table to show
        #[arg(long, default_value_t = 10)]
        rows: usize,
    },
    /// Write the artifact's bytes to standard output
    Cat {
        /// A digest or its first characters, or `RUN/STEP.OUTPUT`
        artifact: String,
    },
    /// Write a table as CSV, Parquet or Arrow, or any other artifact as it is, to a file
    Export {
        /// A digest or its first characters, or `RUN/STEP.OUTPUT`
        artifact: String,
        /// The file to write; its ending names the format
        file: PathBuf,
        /// The format of a table, where the file's ending does not say it
        #[arg(long, value_enum)]
        format: Option<FormatArg>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FormatArg {
    Csv,
    Parquet,
    Arrow,
}

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List the plugins that the project can use
    List,
    /// Show a plugin: kinds, configuration, inputs, outputs, what it asks for, what it imports
    Inspect {
        /// A plugin's name, or the path of a component
        plugin: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaOf {
    Pipeline,
    Project,
}
