//! `wasmlops token ...`.

use clap::Subcommand;
use wasmlops_core::access::{Role, Scope};

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, which is shown this once
    Create {
        /// Whom or what it is for, such as `ci`; the audit names it
        name: String,
        /// How deep its holder may go: viewer, operator, editor or admin
        #[arg(long)]
        role: Role,
        /// An area that it is for, such as `runs`, or `runs:read` for no more than reading; may be repeated, and
        /// without it the token is for every area
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// How long it is good, such as `30d` or `12h`; without it until it is revoked
        #[arg(long, value_name = "DURATION")]
        expires: Option<String>,
    },
    /// List tokens, also those that were revoked or have run out; the tokens themselves are kept nowhere
    List,
    /// Take a token back: a server refuses it within seconds
    Revoke {
        /// The token's id, as the list shows it
        id: String,
        /// Also the last one that can give access
        #[arg(long)]
        force: bool,
    },
}
