//! Blobs that nothing names: condemned first, removed when that is still so a grace later.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use wasmlops_package::Digest;

use super::GRACE;
use crate::audit::{AuditEntry, Stamp};
use crate::blobs::Blobs;
use crate::error::StoreError;
use crate::row::text;
use crate::script::{Insert, Script};
use crate::store::Store;
use crate::writer::Tx;

/// Blobs in one transaction.
const BATCH: usize = 200;

/// A blob that was condemned, and when (microseconds since 1970).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Condemned {
    pub digest: Digest,
    pub since: i64,
}

/// What becomes of the blobs of a pass.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judged {
    /// Nothing names them, for the first time.
    pub fresh: Vec<Digest>,
    /// Nothing names them still, a grace after they were condemned: they go.
    pub ripe: Vec<Digest>,
    /// Condemned before, and named, used or gone meanwhile.
    pub revived: Vec<Digest>,
}

impl Judged {
    /// `unnamed`: blobs on disk that nothing names and whose time is a grace ago, as of `now`.
    pub fn new(condemned: &[Condemned], unnamed: &HashSet<Digest>, now: i64) -> Self {
        let known: HashMap<Digest, i64> = condemned.iter().map(|known| (known.digest, known.since)).collect();
        let mut judged = Self::default();
        for digest in unnamed {
            match known.get(digest) {
                Some(since) if *since <= now.saturating_sub(GRACE) => judged.ripe.push(*digest),
                Some(_) => {}
                None => judged.fresh.push(*digest),
            }
        }
        judged.revived = known.into_keys().filter(|digest| !unnamed.contains(digest)).collect();
        for list in [&mut judged.fresh, &mut judged.ripe, &mut judged.revived] {
            list.sort_unstable();
        }
        judged
    }
}

impl Store {
    /// What earlier passes condemned.
    pub async fn condemned(&self) -> Result<Vec<Condemned>, StoreError> {
        let query = sqlx::query_as("SELECT digest, since FROM condemned_blobs ORDER BY digest");
        let rows: Vec<(String, i64)> = query.fetch_all(&mut *self.reader().await?).await?;
        let condemned =
            rows.into_iter().filter_map(|(digest, since)| Some(Condemned { digest: digest.parse().ok()?, since }));
        Ok(condemned.collect())
    }

    /// Notes what nothing names, from `now` on, and forgets what was revived. What follows from it is audited when it
    /// is done.
    pub async fn condemn(&self, judged: &Judged, now: i64) -> Result<(), StoreError> {
        for fresh in judged.fresh.chunks(BATCH) {
            let fresh = fresh.to_vec();
            self.with_tx(move |tx| Box::pin(note(tx, fresh, now))).await?;
        }
        for revived in judged.revived.chunks(BATCH) {
            let revived = revived.to_vec();
            self.with_tx(move |tx| Box::pin(forget(tx, revived, "DELETE FROM condemned_blobs WHERE digest = ?")))
                .await?;
        }
        Ok(())
    }

    /// Removes cache entries that lead to blobs which nothing else names. Knowledge that can be made again: no audit.
    pub async fn forget_cache_entries(&self, keys: Vec<String>) -> Result<(), StoreError> {
        for keys in keys.chunks(BATCH) {
            let keys = keys.to_vec();
            self.with_tx(move |tx| {
                Box::pin(async move {
                    let mut script = Script::new();
                    for key in keys {
                        script.statement("DELETE FROM cache_entries WHERE cache_key = ?").bind(key);
                    }
                    tx.run(script).await
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Removes checkpoints from before `cutoff` that no step can go on from.
    pub async fn forget_checkpoints(&self, cutoff: i64) -> Result<(), StoreError> {
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query(
                    "DELETE FROM checkpoints WHERE created < $1 AND cache_key NOT IN
                         (SELECT cache_key FROM steps WHERE cache_key IS NOT NULL AND status <> 'succeeded')",
                );
                query.bind(cutoff).execute(tx.connection().await?).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes blobs that are ripe and whose time is still before `time`. Gives how many went, and their bytes.
    pub async fn remove_blobs(&self, ripe: &[Digest], time: i64, stamp: &Stamp) -> Result<(u64, u64), StoreError> {
        let mut removed = (0, 0);
        for batch in ripe.chunks(BATCH) {
            let strike = Strike { ripe: batch.to_vec(), time, blobs: self.blobs().clone(), stamp: stamp.clone() };
            let struck = self.with_tx(move |tx| Box::pin(strike.run(tx))).await?;
            for (digest, size) in &struck {
                if self.blobs().remove_older(digest, time).await? {
                    removed = (removed.0 + 1, removed.1 + size);
                }
            }
        }
        Ok(removed)
    }
}

async fn note(tx: &mut Tx, fresh: Vec<Digest>, now: i64) -> Result<(), StoreError> {
    let insert = Insert {
        head: "INSERT INTO condemned_blobs (digest, since)",
        row: "(?, ?)",
        tail: "ON CONFLICT (digest) DO NOTHING",
    };
    let mut script = Script::new();
    script.insert(insert, fresh, |values, digest| {
        values.bind(text(&digest)).bind(now);
    });
    tx.run(script).await
}

async fn forget(tx: &mut Tx, digests: Vec<Digest>, sql: &'static str) -> Result<(), StoreError> {
    let mut script = Script::new();
    for digest in digests {
        script.statement(sql).bind(text(&digest));
    }
    tx.run(script).await
}

/// Takes out the rows that say what the blobs were, before their files go.
struct Strike {
    ripe: Vec<Digest>,
    time: i64,
    blobs: Blobs,
    stamp: Stamp,
}

impl Strike {
    /// Gives those that are to go, with their bytes. Looked at inside the transaction: whoever recorded a blob before
    /// it has put the blob before that, and whoever records it later writes the row again.
    async fn run(self, tx: &mut Tx) -> Result<Vec<(Digest, u64)>, StoreError> {
        let mut struck = Vec::new();
        for digest in self.ripe {
            if self.blobs.time(&digest)?.is_some_and(|time| time < self.time) {
                struck.push((digest, self.blobs.size(&digest)?));
            }
        }
        if struck.is_empty() {
            return Ok(struck);
        }
        let bytes: u64 = struck.iter().map(|(_, size)| size).sum();
        let details = json!({ "what": "blobs", "count": struck.len(), "bytes": bytes });
        tx.audit(AuditEntry {
            stamp: self.stamp,
            action: "gc.removed".to_owned(),
            subject: "blobs".to_owned(),
            details: details.to_string(),
        });
        let digests: Vec<Digest> = struck.iter().map(|(digest, _)| *digest).collect();
        forget(tx, digests.clone(), "DELETE FROM artifacts WHERE digest = ?").await?;
        forget(tx, digests, "DELETE FROM condemned_blobs WHERE digest = ?").await?;
        Ok(struck)
    }
}
