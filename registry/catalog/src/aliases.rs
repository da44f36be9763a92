//! Moves of aliases. An alias is what its last move says; moves are rows that never change.

use std::str::FromStr;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use wasmlops_package::Digest;

use crate::approval::{Approval, approval};
use crate::error::CatalogError;
use crate::models::{required, required_model};
use crate::name::check_alias;
use crate::row::{digests, list, number, optional_version, parsed, version as version_number};

/// What an alias is to name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAlias {
    pub name: String,
    pub alias: String,
    /// Absent: the alias is to name nothing.
    pub to: Option<u64>,
    pub expected: Expected,
    pub reason: Option<String>,
    /// Moves without evidence and approval. Needs a reason.
    pub forced: bool,
    pub actor: String,
    pub time: i64,
}

/// An alias is to name what it named before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollback {
    pub name: String,
    pub alias: String,
    pub expected: Expected,
    pub reason: Option<String>,
    pub actor: String,
    pub time: i64,
}

/// What the alias must name for the move to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    Any,
    /// This version; absent: nothing.
    Is(Option<u64>),
}

/// Why an alias moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoveKind {
    Set,
    /// Back to what it named before.
    Rollback,
}

impl MoveKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Rollback => "rollback",
        }
    }
}

/// The text is no kind of move.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no kind of move")]
pub struct UnknownKind(String);

impl FromStr for MoveKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        match text {
            "set" => Ok(Self::Set),
            "rollback" => Ok(Self::Rollback),
            _ => Err(UnknownKind(text.to_owned())),
        }
    }
}

/// A move as it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AliasMove {
    pub name: String,
    pub alias: String,
    /// Of this alias, from 1, without gaps.
    pub seq: u64,
    /// Microseconds since 1970; never before the move before it.
    pub time: i64,
    pub kind: MoveKind,
    pub from: Option<u64>,
    pub to: Option<u64>,
    /// The passed reports of the version that it moved to.
    pub evidence: Vec<Digest>,
    pub forced: bool,
    pub reason: Option<String>,
    pub actor: String,
}

/// What became of a wish to move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// The move that made the alias what it is now.
    pub last: AliasMove,
    /// Whether this call made it. It did not where the alias named that version already.
    pub changed: bool,
}

/// Moves an alias if it names what is expected and there is evidence for the version. Call it in a transaction that
/// excludes other writers.
///
/// # Errors
/// [`CatalogError::Moved`] where somebody else was faster, [`CatalogError::NoEvidence`] and
/// [`CatalogError::NotApproved`] unless forced, [`CatalogError::NoReason`], [`CatalogError::BadName`],
/// [`CatalogError::UnknownModel`], [`CatalogError::UnknownVersion`], [`CatalogError::NothingBefore`] for an alias that
/// is to name nothing and never named anything, [`CatalogError::Database`].
pub async fn set_alias(connection: &mut SqliteConnection, set: SetAlias) -> Result<Moved, CatalogError> {
    check_alias(&set.alias)?;
    let reason = set.reason.filter(|reason| !reason.trim().is_empty());
    if set.forced && reason.is_none() {
        return Err(CatalogError::NoReason);
    }
    let evidence = match set.to {
        Some(version) => evidence(connection, &set.name, version, set.forced).await?,
        None => {
            required_model(connection, &set.name).await?;
            Vec::new()
        }
    };
    let last = current(connection, &set.name, &set.alias).await?;
    compare(&set.name, &set.alias, last.as_ref(), set.expected)?;
    match last {
        Some(last) if last.to == set.to => Ok(Moved { last, changed: false }),
        None if set.to.is_none() => Err(CatalogError::NothingBefore { name: set.name, alias: set.alias }),
        last => {
            let next = AliasMove {
                name: set.name,
                alias: set.alias,
                seq: last.as_ref().map_or(0, |last| last.seq) + 1,
                time: last.as_ref().map_or(set.time, |last| last.time.max(set.time)),
                kind: MoveKind::Set,
                from: last.and_then(|last| last.to),
                to: set.to,
                evidence,
                forced: set.forced,
                reason,
                actor: set.actor,
            };
            insert(connection, next).await
        }
    }
}

/// Moves an alias to the version that it named before. It was moved there on evidence or by force then, so that neither
/// is asked for again. A second rollback goes one further back, and never forth again.
///
/// # Errors
/// [`CatalogError::NothingBefore`], [`CatalogError::Moved`], [`CatalogError::UnknownModel`], [`CatalogError::Database`].
pub async fn rollback(connection: &mut SqliteConnection, wish: Rollback) -> Result<Moved, CatalogError> {
    required_model(connection, &wish.name).await?;
    let moves = alias_history(connection, &wish.name, Some(&wish.alias)).await?;
    compare(&wish.name, &wish.alias, moves.last(), wish.expected)?;
    let (Some(last), Some(to)) = (moves.last(), before_of(&moves)) else {
        return Err(CatalogError::NothingBefore { name: wish.name, alias: wish.alias });
    };
    let next = AliasMove {
        evidence: required(connection, &wish.name, to).await?.evidence,
        name: wish.name,
        alias: wish.alias,
        seq: last.seq + 1,
        time: last.time.max(wish.time),
        kind: MoveKind::Rollback,
        from: last.to,
        to: Some(to),
        forced: false,
        reason: wish.reason.filter(|reason| !reason.trim().is_empty()),
        actor: wish.actor,
    };
    insert(connection, next).await
}

/// Where a rollback would lead.
pub async fn before(connection: &mut SqliteConnection, name: &str, alias: &str) -> Result<Option<u64>, CatalogError> {
    Ok(before_of(&alias_history(connection, name, Some(alias)).await?))
}

/// What each alias of a model names, by alias; those that name nothing are left out.
pub async fn aliases(connection: &mut SqliteConnection, name: &str) -> Result<Vec<AliasMove>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, alias, seq, time, kind, from_version, to_version, evidence, forced, reason, actor
         FROM alias_moves AS move WHERE model = $1 AND to_version IS NOT NULL AND seq =
             (SELECT MAX(seq) FROM alias_moves WHERE model = move.model AND alias = move.alias)
         ORDER BY alias",
    );
    let rows = query.bind(name).fetch_all(connection).await?;
    Ok(rows.iter().map(alias_move).collect::<Result<_, _>>()?)
}

/// The moves of one alias, or of all aliases of a model, in the order in which they were made.
pub async fn alias_history(
    connection: &mut SqliteConnection,
    name: &str,
    alias: Option<&str>,
) -> Result<Vec<AliasMove>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, alias, seq, time, kind, from_version, to_version, evidence, forced, reason, actor
         FROM alias_moves WHERE model = $1 AND ($2 IS NULL OR alias = $2) ORDER BY time, alias, seq",
    );
    let rows = query.bind(name).bind(alias).fetch_all(connection).await?;
    Ok(rows.iter().map(alias_move).collect::<Result<_, _>>()?)
}

/// The move that made the alias what it was at a time: which version was live, who moved it there, when, and on which
/// evidence. Absent: it had not been set yet.
pub async fn alias_at(
    connection: &mut SqliteConnection,
    name: &str,
    alias: &str,
    time: i64,
) -> Result<Option<AliasMove>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, alias, seq, time, kind, from_version, to_version, evidence, forced, reason, actor
         FROM alias_moves WHERE model = $1 AND alias = $2 AND time <= $3 ORDER BY time DESC, seq DESC LIMIT 1",
    );
    let row = query.bind(name).bind(alias).bind(time).fetch_optional(connection).await?;
    Ok(row.as_ref().map(alias_move).transpose()?)
}

pub(crate) async fn current(
    connection: &mut SqliteConnection,
    name: &str,
    alias: &str,
) -> Result<Option<AliasMove>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, alias, seq, time, kind, from_version, to_version, evidence, forced, reason, actor
         FROM alias_moves WHERE model = $1 AND alias = $2 ORDER BY seq DESC LIMIT 1",
    );
    let row = query.bind(name).bind(alias).fetch_optional(connection).await?;
    Ok(row.as_ref().map(alias_move).transpose()?)
}

async fn evidence(
    connection: &mut SqliteConnection,
    name: &str,
    version: u64,
    forced: bool,
) -> Result<Vec<Digest>, CatalogError> {
    let row = required(connection, name, version).await?;
    if forced {
        return Ok(row.evidence);
    }
    let name = || name.to_owned();
    let state = approval(connection, &row.name, version).await?;
    if matches!(state, Approval::Pending | Approval::Rejected) {
        return Err(CatalogError::NotApproved { name: name(), version, state });
    }
    if row.evidence.is_empty() {
        return Err(CatalogError::NoEvidence { name: name(), version });
    }
    Ok(row.evidence)
}

fn compare(name: &str, alias: &str, last: Option<&AliasMove>, expected: Expected) -> Result<(), CatalogError> {
    let actual = last.and_then(|last| last.to);
    match expected {
        Expected::Is(expected) if expected != actual => {
            Err(CatalogError::Moved { name: name.to_owned(), alias: alias.to_owned(), expected, actual })
        }
        Expected::Is(_) | Expected::Any => Ok(()),
    }
}

/// Undoes the moves that no rollback has undone yet, until another version comes to light.
fn before_of(moves: &[AliasMove]) -> Option<u64> {
    let mut named: Vec<Option<u64>> = Vec::new();
    for made in moves {
        if made.kind == MoveKind::Rollback {
            while named.pop_if(|version| *version != made.to).is_some() {}
        } else {
            named.push(made.to);
        }
    }
    let now = named.pop()?;
    named.into_iter().rev().find(|version| version.is_some() && *version != now).flatten()
}

async fn insert(connection: &mut SqliteConnection, next: AliasMove) -> Result<Moved, CatalogError> {
    let query = sqlx::query(
        "INSERT INTO alias_moves
             (model, alias, seq, time, kind, from_version, to_version, evidence, forced, reason, actor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let query = query.bind(&next.name).bind(&next.alias).bind(number(next.seq)).bind(next.time);
    let query = query.bind(next.kind.as_str()).bind(next.from.map(number)).bind(next.to.map(number));
    let query = query.bind(list(&next.evidence)).bind(i64::from(next.forced)).bind(&next.reason).bind(&next.actor);
    query.execute(connection).await?;
    Ok(Moved { last: next, changed: true })
}

fn alias_move(row: &SqliteRow) -> Result<AliasMove, sqlx::Error> {
    Ok(AliasMove {
        name: row.try_get("model")?,
        alias: row.try_get("alias")?,
        seq: version_number(row, "seq")?,
        time: row.try_get("time")?,
        kind: parsed(row, "kind")?,
        from: optional_version(row, "from_version")?,
        to: optional_version(row, "to_version")?,
        evidence: digests(row, "evidence")?,
        forced: row.try_get::<i64, _>("forced")? != 0,
        reason: row.try_get("reason")?,
        actor: row.try_get("actor")?,
    })
}
