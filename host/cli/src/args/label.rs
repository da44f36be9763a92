//! `wasmlops label ...`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum LabelCommand {
    /// Tell what turned out to be true of predictions; the same label again changes nothing
    Add(AddLabelArgs),
    /// List the labels that came last
    List {
        /// An endpoint's name
        endpoint: String,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
}

#[derive(Debug, clap::Args)]
pub struct AddLabelArgs {
    /// An endpoint's name
    pub endpoint: String,
    /// A CSV file with the columns `id` and `value`, a JSON file with a list of `{"id", "value"}`, or `-` for standard
    /// input
    #[arg(required_unless_present = "id", conflicts_with_all = ["id", "value"])]
    pub file: Option<PathBuf>,
    /// The prediction's id, for a single label
    #[arg(long, requires = "value")]
    pub id: Option<String>,
    /// The label, for a single one
    #[arg(long, requires = "id", allow_hyphen_values = true)]
    pub value: Option<String>,
}
