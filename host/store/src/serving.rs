//! What endpoints are to do: their releases, and the history of those.
//!
//! States and plans are opaque JSON here. [`Tx`](crate::Tx) reads and writes within a transaction, so that a decision and the rows
//! it was made from belong together; [`Store`] reads for those who only look.

mod changes;
mod write;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::error::StoreError;
use crate::store::Store;

pub use changes::Changes;

/// An endpoint as it was served last. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointRow {
    pub name: String,
    /// The reference that it follows.
    pub model: String,
    /// JSON.
    pub config: String,
    /// JSON.
    pub state: String,
    pub created: i64,
    pub updated: i64,
}

/// A release of an endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReleaseRow {
    pub id: String,
    pub endpoint: String,
    /// What whoever asked for it calls the wish.
    pub key: Option<String>,
    pub version: i64,
    /// `pending`, `canary`, `shadow`, `live`, `retired` or `rolled-back`.
    pub phase: String,
    /// JSON.
    pub state: String,
    pub actor: String,
    pub requested: i64,
    pub ended: Option<i64>,
}

/// Something that happened to a release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReleaseEventRow {
    /// Of the endpoint, from 1, without gaps.
    pub seq: i64,
    pub time: i64,
    pub actor: String,
    pub release: String,
    /// In one word: `requested`, `live`, `rolled-back`.
    pub event: String,
    /// A JSON object.
    pub details: String,
}

/// An endpoint with the releases that matter to what comes next, in the order in which they were asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServingState {
    pub endpoint: EndpointRow,
    pub releases: Vec<ReleaseRow>,
}

/// Releases that are over and still read along, the newest: rollbacks lead to them.
const ENDED_READ: i64 = 50;

impl Store {
    /// The endpoints that were ever served, by name.
    pub async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        let query = sqlx::query("SELECT name, model, config, state, created, updated FROM endpoints ORDER BY name");
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(endpoint_row).collect::<Result<_, _>>()?)
    }

    pub async fn serving_state(&self, endpoint: &str) -> Result<Option<ServingState>, StoreError> {
        serving_state(&mut *self.reader().await?, endpoint).await
    }

    /// A release by its id.
    pub async fn release(&self, id: &str) -> Result<Option<ReleaseRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, endpoint, key, version, phase, state, actor, requested, ended FROM releases WHERE id = $1",
        );
        let row = query.bind(id).fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.as_ref().map(release_row).transpose()?)
    }

    /// Up to `limit` events of an endpoint before number `before`, the newest first.
    pub async fn release_events(
        &self,
        endpoint: &str,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ReleaseEventRow>, StoreError> {
        let query = sqlx::query(
            "SELECT seq, time, actor, release, event, details FROM release_events
             WHERE endpoint = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
        );
        let query = query.bind(endpoint).bind(before.unwrap_or(i64::MAX)).bind(limit);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(event_row).collect::<Result<_, _>>()?)
    }
}

async fn serving_state(connection: &mut SqliteConnection, endpoint: &str) -> Result<Option<ServingState>, StoreError> {
    // One statement, so that a reader sees one moment.
    let query = sqlx::query(
        "SELECT name, model, config, endpoints.state AS endpoint_state, created, updated,
             id, endpoint, key, version, phase, releases.state AS state, actor, requested, ended
         FROM endpoints LEFT JOIN releases ON releases.endpoint = endpoints.name AND (releases.ended IS NULL
             OR releases.position > (SELECT MAX(position) FROM releases WHERE endpoint = $1) - $2)
         WHERE endpoints.name = $1 ORDER BY releases.position",
    );
    let rows = query.bind(endpoint).bind(ENDED_READ).fetch_all(connection).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let endpoint = EndpointRow {
        name: first.try_get("name")?,
        model: first.try_get("model")?,
        config: first.try_get("config")?,
        state: first.try_get("endpoint_state")?,
        created: first.try_get("created")?,
        updated: first.try_get("updated")?,
    };
    let is_release = |row: &&SqliteRow| row.try_get::<Option<&str>, _>("id").is_ok_and(|id| id.is_some());
    let releases = rows.iter().filter(is_release).map(release_row).collect::<Result<_, _>>()?;
    Ok(Some(ServingState { endpoint, releases }))
}

fn endpoint_row(row: &SqliteRow) -> Result<EndpointRow, sqlx::Error> {
    Ok(EndpointRow {
        name: row.try_get("name")?,
        model: row.try_get("model")?,
        config: row.try_get("config")?,
        state: row.try_get("state")?,
        created: row.try_get("created")?,
        updated: row.try_get("updated")?,
    })
}

fn release_row(row: &SqliteRow) -> Result<ReleaseRow, sqlx::Error> {
    Ok(ReleaseRow {
        id: row.try_get("id")?,
        endpoint: row.try_get("endpoint")?,
        key: row.try_get("key")?,
        version: row.try_get("version")?,
        phase: row.try_get("phase")?,
        state: row.try_get("state")?,
        actor: row.try_get("actor")?,
        requested: row.try_get("requested")?,
        ended: row.try_get("ended")?,
    })
}

fn event_row(row: &SqliteRow) -> Result<ReleaseEventRow, sqlx::Error> {
    Ok(ReleaseEventRow {
        seq: row.try_get("seq")?,
        time: row.try_get("time")?,
        actor: row.try_get("actor")?,
        release: row.try_get("release")?,
        event: row.try_get("event")?,
        details: row.try_get("details")?,
    })
}
