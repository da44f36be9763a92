//! From a prediction's id to its place.

use sqlx::AssertSqlSafe;
use sqlx::Row;
use wasmlops_package::Digest;

use crate::error::StoreError;
use crate::row::{parsed, placeholders};
use crate::store::Store;

/// Ids in one statement.
const AT_ONCE: usize = 500;

/// An id that is in a segment of the endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownId {
    pub id: String,
    /// When the prediction was made; the first time, if a caller used the id several times.
    pub time: i64,
    /// The field that the model predicts, as JSON.
    pub target: Option<String>,
}

/// Where a prediction is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedId {
    pub endpoint: String,
    /// The segment's table, and the row in it.
    pub digest: Digest,
    pub row: i64,
    pub features: i64,
}

impl Store {
    /// Those of the ids that segments of the endpoint hold, each once.
    pub async fn known_predictions(&self, endpoint: &str, ids: &[String]) -> Result<Vec<KnownId>, StoreError> {
        let mut known = Vec::new();
        let mut reader = self.reader().await?;
        for ids in ids.chunks(AT_ONCE) {
            let sql = format!(
                "SELECT inference_ids.id, MIN(time) AS time, MAX(target) AS target FROM inference_ids
                 JOIN inference_segments ON inference_segments.id = segment
                 WHERE inference_ids.id IN ({}) AND endpoint = ? GROUP BY inference_ids.id",
                placeholders(ids.len())
            );
            // The text is made of literals of this crate alone; all data is bound.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in ids {
                query = query.bind(id);
            }
            for row in query.bind(endpoint).fetch_all(&mut *reader).await? {
                let target = row.try_get("target")?;
                known.push(KnownId { id: row.try_get("id")?, time: row.try_get("time")?, target });
            }
        }
        Ok(known)
    }

    /// The earliest time of a segment's rows from this one on.
    pub async fn first_prediction_time(&self, segment: i64, from_row: i64) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query_scalar("SELECT MIN(time) FROM inference_ids WHERE segment = $1 AND row >= $2");
        Ok(query.bind(segment).bind(from_row).fetch_one(&mut *self.reader().await?).await?)
    }

    /// Where the prediction of this id is, newest first: callers may choose ids, and use one twice.
    pub async fn sealed_predictions(&self, id: &str) -> Result<Vec<SealedId>, StoreError> {
        let query = sqlx::query(
            "SELECT endpoint, digest, row, features FROM inference_ids
             JOIN inference_segments ON inference_segments.id = segment
             WHERE inference_ids.id = $1 ORDER BY time DESC, segment DESC, row DESC LIMIT 100",
        );
        let rows = query.bind(id).fetch_all(&mut *self.reader().await?).await?;
        let place = |row: &sqlx::sqlite::SqliteRow| -> Result<SealedId, sqlx::Error> {
            Ok(SealedId {
                endpoint: row.try_get("endpoint")?,
                digest: parsed(row, "digest")?,
                row: row.try_get("row")?,
                features: row.try_get("features")?,
            })
        };
        Ok(rows.iter().map(place).collect::<Result<_, _>>()?)
    }
}
