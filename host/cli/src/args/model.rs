//! `wasmlops model ...`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the registered models
    List,
    /// Show a model with its versions, or a version with all that is known of it
    Show {
        /// `NAME`, `NAME@ALIAS` or `NAME@3`
        model: String,
    },
    /// Let an alias name a version; needs a passed gate report
    Alias(AliasArgs),
    /// Show the moves of aliases: who, when, on which evidence
    History {
        /// A model's name
        model: String,
        /// Only this alias
        alias: Option<String>,
        /// Only what was live at this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// Let an alias name the version that it named before
    Rollback {
        /// A model's name
        model: String,
        #[arg(default_value = "champion")]
        alias: String,
        /// Only if the alias names this version now
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
        /// Why; it is recorded
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Write a version to a folder that stands for itself
    Export {
        /// `NAME@ALIAS` or `NAME@3`
        model: String,
        /// A folder that does not exist yet
        folder: PathBuf,
    },
    /// Register an exported folder, or a model that was trained elsewhere
    Import(ImportArgs),
    /// Print a version's model card: Markdown with the YAML head of Hugging Face's cards
    Card {
        /// `NAME@ALIAS` or `NAME@3`
        model: String,
    },
    /// Set or remove a tag of a model or a version; the tag `license` stands in the card
    Tag {
        /// `NAME`, `NAME@ALIAS` or `NAME@3`
        model: String,
        /// `KEY=VALUE`, or `KEY` with `--remove`
        tag: String,
        /// Remove it
        #[arg(long)]
        remove: bool,
    },
    /// Write the note of a model or a version, which stands in the card as written by people
    Note {
        /// `NAME`, `NAME@ALIAS` or `NAME@3`
        model: String,
        /// Markdown; replaces what was there
        #[arg(required_unless_present = "file")]
        text: Option<String>,
        /// A file with the text
        #[arg(long, conflicts_with = "text", value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Record whether you agree to a version; one that is pending or rejected gets no alias
    Approve {
        /// `NAME@ALIAS` or `NAME@3`
        model: String,
        #[arg(long, value_enum, default_value_t = ApprovalArg::Approved)]
        state: ApprovalArg,
        /// Why; it is recorded
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub struct AliasArgs {
    /// A model's name
    pub model: String,
    /// `champion`, for instance
    pub alias: String,
    /// A version's number, or `none` to take the alias away
    #[arg(value_name = "VERSION")]
    pub to: String,
    /// Only if the alias names this version now, or `none`
    #[arg(long, value_name = "VERSION")]
    pub expect: Option<String>,
    /// Without evidence or approval; the reason is recorded
    #[arg(long, requires = "reason")]
    pub force: bool,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The name to register it under; a folder has its own
    pub model: String,
    /// A folder that `model export` wrote, or a model file
    pub file: PathBuf,
    /// What wrote the model file
    #[arg(long, value_enum, requires = "data")]
    pub format: Option<ForeignFormat>,
    /// A CSV file with a header and some rows: the columns that the model was trained on, in their order
    #[arg(long, requires = "format", value_name = "SAMPLE.csv")]
    pub data: Option<PathBuf>,
    /// The column of the sample that the model predicts
    #[arg(long, requires = "format", value_name = "COLUMN")]
    pub target: Option<String>,
    /// The classes in the model's order
    #[arg(long, requires = "format", value_delimiter = ',', value_name = "A,B")]
    pub classes: Option<Vec<String>>,
    /// What the model predicts, where its file does not say it
    #[arg(long, requires = "format", value_enum)]
    pub task: Option<TaskArg>,
    /// An alias that is to name the version; where no gate has judged it, that is recorded as forced
    #[arg(long)]
    pub alias: Option<String>,
    /// Why it gets the alias; it is recorded
    #[arg(long, requires = "alias", value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ForeignFormat {
    Onnx,
    Xgboost,
    Lightgbm,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TaskArg {
    Binary,
    Multiclass,
    Regression,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ApprovalArg {
    Approved,
    Rejected,
    Pending,
    None,
}
