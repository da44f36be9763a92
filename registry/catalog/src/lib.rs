//! What is known and trusted: registered models, their versions, aliases and history.
//!
//! A model has versions, numbered from 1, that never change; an alias (`champion`) names one of them, and each of its
//! moves is a row that never changes either, so that what was live at a time, who made it so and on which evidence is one
//! query. Functions take a connection of the host's database and are part of the caller's transaction; times and actors
//! are arguments. Contents of versions are opaque here: a digest. Knows nothing of pipelines and of blobs.
//!
//! | module | what |
//! |---|---|
//! | [`mod@models`] | models and versions: register, list, resolve |
//! | [`mod@aliases`] | moves of aliases: compare-and-set, history, what was live at a time |
//! | [`mod@notes`] | tags and notes, by people, for models and versions |
//! | [`mod@approval`] | whether a person has agreed to a version |

pub mod aliases;
pub mod approval;
mod error;
pub mod models;
mod name;
pub mod notes;
mod row;

pub use aliases::{
    AliasMove, Expected, MoveKind, Moved, Rollback, SetAlias, alias_at, alias_history, aliases, before, rollback,
    set_alias,
};
pub use approval::{Approval, ApprovalRow, SetApproval, approval, approval_history, set_approval};
pub use error::CatalogError;
pub use models::{
    ModelRow, NewVersion, Registered, Selector, VersionRow, all_versions, model, models, register, resolve, version,
    versions, versions_of_model,
};
pub use name::{check_alias, check_name};
pub use notes::{Note, Subject, Tags, note, set_note, set_tag, tags};

/// The tables of this crate, numbered from 1001.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
