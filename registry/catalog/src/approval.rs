//! Whether a person has agreed to a version.

use std::fmt;
use std::str::FromStr;

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::error::CatalogError;
use crate::models::required;
use crate::row::{number, parsed};

/// A version that waits for approval, or was refused it, gets no alias unless by force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approval {
    /// Nobody asked for it.
    None,
    Pending,
    Approved,
    Rejected,
}

impl Approval {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "without approval",
            Self::Pending => "waiting for approval",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        })
    }
}

/// The text is no state of approval.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no state of approval")]
pub struct UnknownState(String);

impl FromStr for Approval {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        match text {
            "none" => Ok(Self::None),
            "pending" => Ok(Self::Pending),
            "approved" => Ok(Self::Approved),
            "rejected" => Ok(Self::Rejected),
            _ => Err(UnknownState(text.chars().take(100).collect())),
        }
    }
}

/// A decision to be recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetApproval {
    pub name: String,
    pub version: u64,
    pub state: Approval,
    pub reason: Option<String>,
    pub actor: String,
    pub time: i64,
}

/// A decision as it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApprovalRow {
    pub state: Approval,
    pub reason: Option<String>,
    pub actor: String,
    pub time: i64,
}

/// Records a decision; the last one counts.
///
/// # Errors
/// [`CatalogError::UnknownModel`], [`CatalogError::UnknownVersion`], [`CatalogError::Database`].
pub async fn set_approval(connection: &mut SqliteConnection, set: SetApproval) -> Result<(), CatalogError> {
    required(connection, &set.name, set.version).await?;
    let query = sqlx::query(
        "INSERT INTO approvals (model, version, seq, time, state, reason, actor)
         SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6 FROM approvals WHERE model = $1 AND version = $2",
    );
    let query = query.bind(&set.name).bind(number(set.version)).bind(set.time).bind(set.state.as_str());
    query.bind(&set.reason).bind(&set.actor).execute(connection).await?;
    Ok(())
}

/// What was decided last.
pub async fn approval(connection: &mut SqliteConnection, name: &str, version: u64) -> Result<Approval, CatalogError> {
    let decisions = approval_history(connection, name, version).await?;
    Ok(decisions.last().map_or(Approval::None, |decision| decision.state))
}

/// All decisions, oldest first.
pub async fn approval_history(
    connection: &mut SqliteConnection,
    name: &str,
    version: u64,
) -> Result<Vec<ApprovalRow>, CatalogError> {
    let query =
        sqlx::query("SELECT state, reason, actor, time FROM approvals WHERE model = $1 AND version = $2 ORDER BY seq");
    let rows = query.bind(name).bind(number(version)).fetch_all(connection).await?;
    let decision = |row: &sqlx::sqlite::SqliteRow| {
        Ok(ApprovalRow {
            state: parsed(row, "state")?,
            reason: row.try_get("reason")?,
            actor: row.try_get("actor")?,
            time: row.try_get("time")?,
        })
    };
    Ok(rows.iter().map(decision).collect::<Result<_, sqlx::Error>>()?)
}
