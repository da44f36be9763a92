//! `wasmlops gc` and `wasmlops audit`.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct GcArgs {
    /// Only say what would go, and why
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Compute the whole chain again: no record was changed, left out, or put in
    Verify {
        /// A head that an earlier verification printed: it must still be part of the chain
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
        /// How many records there were then: with `--head` that record must have this hash, without it there must be
        /// at least as many
        #[arg(long, value_name = "N")]
        records: Option<i64>,
    },
    /// Write the records to standard output, one JSON object a line, with the chain's hashes
    Export {
        /// The first record's number
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: i64,
        /// The last record's number
        #[arg(long, value_name = "SEQ")]
        to: Option<i64>,
    },
}
