//! Earlier results by key, what earlier keys were made of, and checkpoints.
//!
//! A row does not promise that its blobs are there: they may be lost with power, or damaged. Whoever uses an entry
//! looks, and runs the step again where one is missing; that replaces the entry.

use std::collections::BTreeMap;

use sqlx::Row;
use wasmlops_package::Digest;

use crate::error::StoreError;
use crate::row::{parsed, text};
use crate::script::{Insert, Script};
use crate::store::Store;

/// Earlier executions of a step that its estimate looks at.
const DURATIONS: i64 = 9;

/// The result of a step, under its key. Written with the step, see [`RunChange`](crate::runs::RunChange).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheEntryRow {
    pub cache_key: Digest,
    /// The run that made it.
    pub run: String,
    pub step_key: String,
    /// JSON.
    pub outputs: String,
    /// JSON.
    pub metrics: String,
    /// The nominal time that the step asked for, if it did: the result is good for that time only.
    pub clock: Option<i64>,
    pub created: i64,
}

/// What the key of a step's last success was made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyPartsRow {
    pub run: String,
    /// JSON.
    pub key_parts: String,
    /// The parameters of that run, JSON.
    pub params: String,
}

impl Store {
    pub async fn cache_lookup(&self, cache_key: &Digest) -> Result<Option<CacheEntryRow>, StoreError> {
        let query = sqlx::query(
            "SELECT cache_key, run, step_key, outputs, metrics, clock, created FROM cache_entries
             WHERE cache_key = $1",
        );
        let row = query.bind(text(cache_key)).fetch_optional(&mut *self.reader().await?).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(CacheEntryRow {
            cache_key: parsed(&row, "cache_key")?,
            run: row.try_get("run")?,
            step_key: row.try_get("step_key")?,
            outputs: row.try_get("outputs")?,
            metrics: row.try_get("metrics")?,
            clock: row.try_get("clock")?,
            created: row.try_get("created")?,
        }))
    }

    /// Of the last time that this step of this pipeline succeeded, by running or by a hit.
    pub async fn last_key_parts(&self, pipeline: &str, step_key: &str) -> Result<Option<KeyPartsRow>, StoreError> {
        let query = sqlx::query(
            "SELECT steps.run, key_parts, params FROM steps JOIN run_documents ON run_documents.run = steps.run
             WHERE pipeline = $1 AND step_key = $2 AND status = 'succeeded' AND key_parts IS NOT NULL
             ORDER BY ended DESC LIMIT 1",
        );
        let row = query.bind(pipeline).bind(step_key).fetch_optional(&mut *self.reader().await?).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(KeyPartsRow {
            run: row.try_get("run")?,
            key_parts: row.try_get("key_parts")?,
            params: row.try_get("params")?,
        }))
    }

    /// How long each step of a pipeline takes, in milliseconds: the median of its latest executions, hits apart. Steps
    /// that never succeeded are absent.
    pub async fn step_durations(&self, pipeline: &str) -> Result<BTreeMap<String, i64>, StoreError> {
        // Jumps from key to key along the index, so that the cost is by steps and not by runs.
        let query = sqlx::query_as(
            "WITH RECURSIVE keys (step_key) AS (
                 SELECT MIN(step_key) FROM steps WHERE pipeline = $1 AND status = 'succeeded'
                 UNION ALL
                 SELECT (SELECT MIN(step_key) FROM steps
                         WHERE pipeline = $1 AND status = 'succeeded' AND step_key > keys.step_key)
                 FROM keys WHERE keys.step_key IS NOT NULL
             )
             SELECT steps.step_key, steps.duration_ms FROM keys JOIN steps
                 ON steps.pipeline = $1 AND steps.step_key = keys.step_key AND steps.status = 'succeeded'
             WHERE steps.cache <> 'hit' AND steps.duration_ms IS NOT NULL AND steps.ended >= COALESCE(
                 (SELECT earlier.ended FROM steps AS earlier
                  WHERE earlier.pipeline = $1 AND earlier.step_key = keys.step_key AND earlier.status = 'succeeded'
                      AND earlier.cache <> 'hit' AND earlier.duration_ms IS NOT NULL
                  ORDER BY earlier.ended DESC LIMIT 1 OFFSET $2), 0)",
        );
        let rows: Vec<(String, i64)> =
            query.bind(pipeline).bind(DURATIONS - 1).fetch_all(&mut *self.reader().await?).await?;
        let mut durations: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (step, duration) in rows {
            durations.entry(step).or_default().push(duration);
        }
        Ok(durations.into_iter().map(|(step, durations)| (step, median(durations))).collect())
    }

    /// Remembers the latest checkpoint of a step that is not done; the blob is stored already. It goes by the key, so
    /// that any attempt at the same result can take it up.
    pub async fn save_checkpoint(&self, cache_key: Digest, digest: Digest, time: i64) -> Result<(), StoreError> {
        self.with_tx(move |tx| {
            Box::pin(async move {
                let mut script = Script::new();
                script
                    .statement(
                        "INSERT INTO checkpoints (cache_key, digest, created) VALUES (?, ?, ?)
                         ON CONFLICT (cache_key) DO UPDATE SET digest = excluded.digest, created = excluded.created",
                    )
                    .bind(text(&cache_key))
                    .bind(text(&digest))
                    .bind(time);
                tx.run(script).await
            })
        })
        .await
    }

    pub async fn load_checkpoint(&self, cache_key: &Digest) -> Result<Option<Digest>, StoreError> {
        let query = sqlx::query("SELECT digest FROM checkpoints WHERE cache_key = $1").bind(text(cache_key));
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.map(|row| parsed(&row, "digest")).transpose()?)
    }
}

/// The last one wins: it was made because something of the earlier one was missing.
pub(crate) fn upsert_cache_entries(script: &mut Script, entries: Vec<CacheEntryRow>) {
    let insert = Insert {
        head: "INSERT INTO cache_entries (cache_key, run, step_key, outputs, metrics, clock, created)",
        row: "(?, ?, ?, ?, ?, ?, ?)",
        tail: "ON CONFLICT (cache_key) DO UPDATE SET run = excluded.run, step_key = excluded.step_key,
                   outputs = excluded.outputs, metrics = excluded.metrics, clock = excluded.clock,
                   created = excluded.created",
    };
    let entries: BTreeMap<Digest, CacheEntryRow> = entries.into_iter().map(|entry| (entry.cache_key, entry)).collect();
    script.insert(insert, entries.into_values(), |values, entry| {
        values.bind(text(&entry.cache_key)).bind(entry.run).bind(entry.step_key).bind(entry.outputs);
        values.bind(entry.metrics).bind(entry.clock).bind(entry.created);
    });
}

/// Of an even number, the lower of the two in the middle. There is at least one.
fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    #[test]
    fn median_is_in_the_middle() {
        assert_eq!(super::median(vec![9]), 9);
        assert_eq!(super::median(vec![5, 1, 9]), 5);
        assert_eq!(super::median(vec![4, 1, 9, 2]), 2);
    }
}
