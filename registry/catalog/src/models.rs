//! Models and their versions.

use std::fmt;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use wasmlops_package::Digest;

use crate::aliases;
use crate::error::CatalogError;
use crate::name::check_name;
use crate::row::{digests, list, number, parsed, version as version_number};

/// A registered model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelRow {
    pub name: String,
    pub project: String,
    /// Microseconds since 1970, as all times here.
    pub created: i64,
    pub actor: String,
    /// The number of its newest version; 0 if it has none.
    pub last_version: u64,
}

/// A version of a model. It never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionRow {
    pub name: String,
    pub version: u64,
    /// Of the content.
    pub digest: Digest,
    /// Of the model document that the content names.
    pub model_digest: Digest,
    /// The reports that speak for the version; empty: none does.
    pub evidence: Vec<Digest>,
    /// Where an imported model is from: `onnx`.
    pub origin: Option<String>,
    pub run: Option<String>,
    pub step: Option<String>,
    pub git_commit: Option<String>,
    pub actor: String,
    pub created: i64,
}

/// A content to be registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewVersion {
    pub name: String,
    /// Whose model it is, where this is the first version.
    pub project: String,
    pub digest: Digest,
    pub model_digest: Digest,
    pub evidence: Vec<Digest>,
    pub origin: Option<String>,
    pub run: Option<String>,
    pub step: Option<String>,
    pub git_commit: Option<String>,
    pub actor: String,
    pub time: i64,
}

/// The version that a content has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registered {
    pub version: u64,
    /// Whether this call made it.
    pub created: bool,
}

/// Which version of a model.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Selector {
    Alias(String),
    Version(u64),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(alias) => f.write_str(alias),
            Self::Version(version) => write!(f, "{version}"),
        }
    }
}

/// Gives a content its version: the next number, or the one that it has already, so that registering again changes
/// nothing. Call it in a transaction that excludes other writers.
///
/// # Errors
/// [`CatalogError::BadName`], [`CatalogError::Database`].
pub async fn register(connection: &mut SqliteConnection, new: NewVersion) -> Result<Registered, CatalogError> {
    check_name(&new.name)?;
    if let Some(version) = known(connection, &new.name, &new.digest).await? {
        return Ok(Registered { version, created: false });
    }
    let version = next_number(connection, &new).await?;
    let query = sqlx::query(
        "INSERT INTO model_versions
             (model, version, digest, model_digest, evidence, origin, run, step, git_commit, actor, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let query = query.bind(&new.name).bind(number(version)).bind(new.digest.to_string());
    let query = query.bind(new.model_digest.to_string()).bind(list(&new.evidence)).bind(&new.origin);
    let query = query.bind(&new.run).bind(&new.step).bind(&new.git_commit).bind(&new.actor).bind(new.time);
    query.execute(connection).await?;
    Ok(Registered { version, created: true })
}

async fn known(connection: &mut SqliteConnection, name: &str, digest: &Digest) -> Result<Option<u64>, CatalogError> {
    let query = sqlx::query("SELECT version FROM model_versions WHERE model = $1 AND digest = $2");
    let row = query.bind(name).bind(digest.to_string()).fetch_optional(connection).await?;
    Ok(row.map(|row| version_number(&row, "version")).transpose()?)
}

async fn next_number(connection: &mut SqliteConnection, new: &NewVersion) -> Result<u64, CatalogError> {
    let query = sqlx::query(
        "INSERT INTO models (name, project, created, actor, last_version) VALUES ($1, $2, $3, $4, 1)
         ON CONFLICT (name) DO UPDATE SET last_version = models.last_version + 1
         RETURNING last_version",
    );
    let query = query.bind(&new.name).bind(&new.project).bind(new.time).bind(&new.actor);
    let row = query.fetch_one(connection).await?;
    Ok(version_number(&row, "last_version")?)
}

/// The model of that name in a project.
pub async fn model(
    connection: &mut SqliteConnection,
    project: &str,
    name: &str,
) -> Result<Option<ModelRow>, CatalogError> {
    let query =
        sqlx::query("SELECT name, project, created, actor, last_version FROM models WHERE name = $1 AND project = $2");
    let row = query.bind(name).bind(project).fetch_optional(connection).await?;
    Ok(row.as_ref().map(model_row).transpose()?)
}

/// The models of a project, by name.
pub async fn models(connection: &mut SqliteConnection, project: &str) -> Result<Vec<ModelRow>, CatalogError> {
    let query =
        sqlx::query("SELECT name, project, created, actor, last_version FROM models WHERE project = $1 ORDER BY name");
    let rows = query.bind(project).fetch_all(connection).await?;
    Ok(rows.iter().map(model_row).collect::<Result<_, _>>()?)
}

pub async fn version(
    connection: &mut SqliteConnection,
    name: &str,
    version: u64,
) -> Result<Option<VersionRow>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, version, digest, model_digest, evidence, origin, run, step, git_commit, actor, created
         FROM model_versions WHERE model = $1 AND version = $2",
    );
    let row = query.bind(name).bind(number(version)).fetch_optional(connection).await?;
    Ok(row.as_ref().map(version_row).transpose()?)
}

/// The versions of a model, newest first; empty for a model that is not registered.
pub async fn versions(connection: &mut SqliteConnection, name: &str) -> Result<Vec<VersionRow>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, version, digest, model_digest, evidence, origin, run, step, git_commit, actor, created
         FROM model_versions WHERE model = $1 ORDER BY version DESC",
    );
    let rows = query.bind(name).fetch_all(connection).await?;
    Ok(rows.iter().map(version_row).collect::<Result<_, _>>()?)
}

/// Every version of every model, in the order of names and numbers.
pub async fn all_versions(connection: &mut SqliteConnection) -> Result<Vec<VersionRow>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, version, digest, model_digest, evidence, origin, run, step, git_commit, actor, created
         FROM model_versions ORDER BY model, version",
    );
    let rows = query.fetch_all(connection).await?;
    Ok(rows.iter().map(version_row).collect::<Result<_, _>>()?)
}

/// The versions, of any model, that hold this model document or have this content, oldest first.
pub async fn versions_of_model(
    connection: &mut SqliteConnection,
    digest: &Digest,
) -> Result<Vec<VersionRow>, CatalogError> {
    let query = sqlx::query(
        "SELECT model, version, digest, model_digest, evidence, origin, run, step, git_commit, actor, created
         FROM model_versions WHERE model_digest = $1 OR digest = $1 ORDER BY created, model, version",
    );
    let rows = query.bind(digest.to_string()).fetch_all(connection).await?;
    Ok(rows.iter().map(version_row).collect::<Result<_, _>>()?)
}

/// The version that a selector stands for now.
pub async fn resolve(
    connection: &mut SqliteConnection,
    name: &str,
    selector: &Selector,
) -> Result<Option<VersionRow>, CatalogError> {
    let number = match selector {
        Selector::Version(version) => Some(*version),
        Selector::Alias(alias) => aliases::current(connection, name, alias).await?.and_then(|last| last.to),
    };
    match number {
        Some(number) => version(connection, name, number).await,
        None => Ok(None),
    }
}

/// Refuses a version that is not there, saying what is missing.
pub(crate) async fn required(
    connection: &mut SqliteConnection,
    name: &str,
    number: u64,
) -> Result<VersionRow, CatalogError> {
    if let Some(row) = version(connection, name, number).await? {
        return Ok(row);
    }
    required_model(connection, name).await?;
    Err(CatalogError::UnknownVersion { name: name.to_owned(), version: number })
}

pub(crate) async fn required_model(connection: &mut SqliteConnection, name: &str) -> Result<(), CatalogError> {
    let query = sqlx::query("SELECT 1 FROM models WHERE name = $1").bind(name);
    match query.fetch_optional(connection).await? {
        Some(_) => Ok(()),
        None => Err(CatalogError::UnknownModel(name.to_owned())),
    }
}

fn model_row(row: &SqliteRow) -> Result<ModelRow, sqlx::Error> {
    Ok(ModelRow {
        name: row.try_get("name")?,
        project: row.try_get("project")?,
        created: row.try_get("created")?,
        actor: row.try_get("actor")?,
        last_version: version_number(row, "last_version")?,
    })
}

fn version_row(row: &SqliteRow) -> Result<VersionRow, sqlx::Error> {
    Ok(VersionRow {
        name: row.try_get("model")?,
        version: version_number(row, "version")?,
        digest: parsed(row, "digest")?,
        model_digest: parsed(row, "model_digest")?,
        evidence: digests(row, "evidence")?,
        origin: row.try_get("origin")?,
        run: row.try_get("run")?,
        step: row.try_get("step")?,
        git_commit: row.try_get("git_commit")?,
        actor: row.try_get("actor")?,
        created: row.try_get("created")?,
    })
}
