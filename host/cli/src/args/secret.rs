//! `wasmlops secret`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Keep a value, read from standard input, under a name; one line break at its end is not part of it
    Set {
        /// Letters, digits, `_` and `-`
        name: String,
    },
    /// List the names with when and by whom they were set; values are never shown
    List,
    /// Forget a secret
    Remove {
        /// The secret's name
        name: String,
    },
}
