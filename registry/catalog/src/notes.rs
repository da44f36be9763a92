//! What people say of models and versions: tags and notes. They change; the caller's audit keeps who changed them.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::error::CatalogError;
use crate::models::{required, required_model};
use crate::row::number;

/// Longest key of a tag, in bytes.
const LONGEST_KEY: usize = 250;

/// What a tag or note is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    Model(String),
    Version(String, u64),
}

/// Values by key.
pub type Tags = BTreeMap<String, String>;

/// What a person wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Markdown.
    pub text: String,
    pub actor: String,
    pub time: i64,
}

/// Sets a tag, or removes it where there is no value.
///
/// # Errors
/// [`CatalogError::BadName`], [`CatalogError::UnknownModel`], [`CatalogError::UnknownVersion`],
/// [`CatalogError::Database`].
pub async fn set_tag(
    connection: &mut SqliteConnection,
    subject: &Subject,
    key: &str,
    value: Option<&str>,
) -> Result<(), CatalogError> {
    check_key(key)?;
    check(connection, subject).await?;
    match (subject, value) {
        (Subject::Model(name), Some(value)) => {
            let query = sqlx::query(
                "INSERT INTO model_tags (model, key, value) VALUES ($1, $2, $3)
                 ON CONFLICT (model, key) DO UPDATE SET value = excluded.value",
            );
            query.bind(name).bind(key).bind(value).execute(connection).await?;
        }
        (Subject::Model(name), None) => {
            let query = sqlx::query("DELETE FROM model_tags WHERE model = $1 AND key = $2");
            query.bind(name).bind(key).execute(connection).await?;
        }
        (Subject::Version(name, version), Some(value)) => {
            let query = sqlx::query(
                "INSERT INTO version_tags (model, version, key, value) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (model, version, key) DO UPDATE SET value = excluded.value",
            );
            query.bind(name).bind(number(*version)).bind(key).bind(value).execute(connection).await?;
        }
        (Subject::Version(name, version), None) => {
            let query = sqlx::query("DELETE FROM version_tags WHERE model = $1 AND version = $2 AND key = $3");
            query.bind(name).bind(number(*version)).bind(key).execute(connection).await?;
        }
    }
    Ok(())
}

/// The tags of a model or version.
pub async fn tags(connection: &mut SqliteConnection, subject: &Subject) -> Result<Tags, CatalogError> {
    let query = match subject {
        Subject::Model(name) => sqlx::query("SELECT key, value FROM model_tags WHERE model = $1").bind(name),
        Subject::Version(name, version) => {
            let query = sqlx::query("SELECT key, value FROM version_tags WHERE model = $1 AND version = $2");
            query.bind(name).bind(number(*version))
        }
    };
    let rows = query.fetch_all(connection).await?;
    Ok(rows.iter().map(|row| Ok((row.try_get("key")?, row.try_get("value")?))).collect::<Result<_, sqlx::Error>>()?)
}

/// Replaces the note of a model or version.
///
/// # Errors
/// [`CatalogError::UnknownModel`], [`CatalogError::UnknownVersion`], [`CatalogError::Database`].
pub async fn set_note(connection: &mut SqliteConnection, subject: &Subject, note: &Note) -> Result<(), CatalogError> {
    check(connection, subject).await?;
    match subject {
        Subject::Model(name) => {
            let query = sqlx::query(
                "INSERT INTO model_notes (model, text, actor, time) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (model) DO UPDATE
                     SET text = excluded.text, actor = excluded.actor, time = excluded.time",
            );
            query.bind(name).bind(&note.text).bind(&note.actor).bind(note.time).execute(connection).await?;
        }
        Subject::Version(name, version) => {
            let query = sqlx::query(
                "INSERT INTO version_notes (model, version, text, actor, time) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (model, version) DO UPDATE
                     SET text = excluded.text, actor = excluded.actor, time = excluded.time",
            );
            let query = query.bind(name).bind(number(*version)).bind(&note.text);
            query.bind(&note.actor).bind(note.time).execute(connection).await?;
        }
    }
    Ok(())
}

/// The note of a model or version.
pub async fn note(connection: &mut SqliteConnection, subject: &Subject) -> Result<Option<Note>, CatalogError> {
    let query = match subject {
        Subject::Model(name) => sqlx::query("SELECT text, actor, time FROM model_notes WHERE model = $1").bind(name),
        Subject::Version(name, version) => {
            let query = sqlx::query("SELECT text, actor, time FROM version_notes WHERE model = $1 AND version = $2");
            query.bind(name).bind(number(*version))
        }
    };
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    Ok(Some(Note { text: row.try_get("text")?, actor: row.try_get("actor")?, time: row.try_get("time")? }))
}

async fn check(connection: &mut SqliteConnection, subject: &Subject) -> Result<(), CatalogError> {
    match subject {
        Subject::Model(name) => required_model(connection, name).await,
        Subject::Version(name, version) => required(connection, name, *version).await.map(|_| ()),
    }
}

fn check_key(key: &str) -> Result<(), CatalogError> {
    let why = match key {
        "" => "it is empty",
        key if key.len() > LONGEST_KEY => "it is longer than 250 bytes",
        key if key.chars().any(char::is_control) => "it has control characters",
        _ => return Ok(()),
    };
    Err(CatalogError::BadName { what: "tag", text: key.chars().filter(|c| !c.is_control()).take(60).collect(), why })
}
