//! Every digest that a row names.
//!
//! Texts are searched for digests, whatever they are otherwise: what looks like a name keeps its blob. A test holds
//! each table of the database against the lists here, so that a new one cannot be forgotten.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};
use wasmlops_package::Digest;

use super::runs::texts;
use crate::error::StoreError;
use crate::row::placeholders;
use crate::store::Store;

/// Runs looked at in one statement: their graphs are in memory together.
const RUNS: usize = 100;

/// What names blobs for a run, by the run.
const BY_RUN: [&str; 11] = [
    "SELECT digest FROM step_outputs WHERE run IN",
    "SELECT digest FROM lineage WHERE run IN",
    "SELECT COALESCE(plugin_digest, '') FROM steps WHERE run IN",
    "SELECT COALESCE(key_parts, '') FROM steps WHERE run IN",
    "SELECT graph FROM run_documents WHERE run IN",
    "SELECT params FROM run_documents WHERE run IN",
    "SELECT COALESCE(patch_digest, '') FROM source_state WHERE run IN",
    "SELECT event FROM run_events WHERE run IN",
    "SELECT value FROM params WHERE run IN",
    "SELECT shown FROM step_approvals WHERE run IN",
    "SELECT outputs FROM cache_entries WHERE run IN",
];

/// What names blobs for longer than any run.
const LASTING: [&str; 7] = [
    "SELECT digest FROM checkpoints",
    "SELECT digest FROM inference_segments",
    "SELECT digest FROM inference_references",
    "SELECT digest FROM monitor_windows",
    "SELECT action FROM monitor_actions",
    "SELECT state FROM releases",
    "SELECT state FROM endpoints",
];

/// What rows name, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Named {
    pub digests: HashSet<Digest>,
    /// Artifacts that are recorded, with the latest time at which they were, and whether all media types they have are
    /// known to hold no digests.
    pub artifacts: BTreeMap<Digest, (i64, bool)>,
    /// Cache entries of runs that are gone: the key, and what it leads to.
    pub orphans: Vec<(String, Vec<Digest>)>,
}

impl Store {
    /// Everything that rows name, as if the runs in `without` were gone. One snapshot of the database.
    pub async fn named_digests(&self, without: &BTreeSet<String>) -> Result<Named, StoreError> {
        let mut reader = self.reader().await?;
        // Reading in a transaction sees one state (SQLite: a snapshot of the WAL; elsewhere: repeatable read).
        let mut snapshot = reader.begin().await?;
        let named = read(&mut snapshot, without).await;
        snapshot.rollback().await?;
        named
    }
}

async fn read(connection: &mut SqliteConnection, without: &BTreeSet<String>) -> Result<Named, StoreError> {
    let mut named = Named::default();
    let runs: Vec<String> = sqlx::query_scalar("SELECT id FROM runs").fetch_all(&mut *connection).await?;
    let runs: Vec<String> = runs.into_iter().filter(|run| !without.contains(run)).collect();
    for chunk in runs.chunks(RUNS) {
        for head in BY_RUN {
            let sql = format!("{head} ({})", placeholders(chunk.len()));
            // The text is made of literals of this crate alone; all data is bound.
            let query = sqlx::query_scalar_with(AssertSqlSafe(sql), texts(chunk)?);
            let found: Vec<String> = query.fetch_all(&mut *connection).await?;
            found.iter().for_each(|text| named.digests.extend(digests_in(text.as_bytes())));
        }
    }
    for sql in LASTING {
        let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *connection).await?;
        found.iter().for_each(|text| named.digests.extend(digests_in(text.as_bytes())));
    }
    read_artifacts(connection, &mut named).await?;
    read_orphans(connection, without, &mut named).await?;
    Ok(named)
}

async fn read_artifacts(connection: &mut SqliteConnection, named: &mut Named) -> Result<(), StoreError> {
    let query = sqlx::query_as("SELECT digest, media_type, created FROM artifacts");
    let rows: Vec<(String, String, i64)> = query.fetch_all(connection).await?;
    for (digest, media_type, created) in rows {
        // A text that is no digest leads to no blob.
        let Ok(digest) = digest.parse::<Digest>() else { continue };
        let plain = matches!(media_type.as_str(), "application/vnd.apache.arrow.file" | "application/wasm");
        let known = named.artifacts.entry(digest).or_insert((created, true));
        *known = (known.0.max(created), known.1 && plain);
    }
    Ok(())
}

async fn read_orphans(
    connection: &mut SqliteConnection,
    without: &BTreeSet<String>,
    named: &mut Named,
) -> Result<(), StoreError> {
    let query = sqlx::query_as(
        "SELECT cache_key, run, outputs, EXISTS (SELECT 1 FROM runs WHERE runs.id = cache_entries.run)
         FROM cache_entries",
    );
    let rows: Vec<(String, String, String, i64)> = query.fetch_all(connection).await?;
    let gone = rows.into_iter().filter(|(_, run, _, exists)| *exists == 0 || without.contains(run));
    named.orphans = gone.map(|(key, _, outputs, _)| (key, digests_in(outputs.as_bytes()).collect())).collect();
    Ok(())
}

/// Every digest written in some bytes: `blake3:` or `sha256:`, then 64 hex digits.
pub fn digests_in(bytes: &[u8]) -> impl Iterator<Item = Digest> {
    const LENGTH: usize = 7 + 64;
    let colons = bytes.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at);
    colons.filter_map(|colon| {
        let start = colon.checked_sub(6)?;
        std::str::from_utf8(bytes.get(start..start + LENGTH)?).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_digests_in_any_text() {
        let (one, other) = (Digest::blake3(b"1"), Digest::sha256(b"2"));
        let text = format!("x:{{\"a\":\"{one}\",:\"blake3:00\", {other}:{other}");
        assert_eq!(digests_in(text.as_bytes()).collect::<Vec<_>>(), [one, other, other]);
        assert_eq!(digests_in(b":blake3:").count(), 0);
    }

    #[tokio::test]
    async fn every_table_is_known() {
        const NAMES_NO_BLOB: [&str; 24] = [
            "_sqlx_migrations",
            "audit",
            "backfills",
            "barriers",
            "condemned_blobs",
            "deliveries",
            "experiments",
            "feed_cursors",
            "idempotency_keys",
            "inference_ids",
            "inference_logs",
            "labels",
            "log_lines",
            "metric_points",
            "metrics",
            "release_events",
            "run_queue",
            "schedule_runs",
            "schedules",
            "secrets",
            "seen_events",
            "tags",
            "tokens",
            "trigger_runs",
        ];
        let dir = tempfile::tempdir().unwrap();
        let options = crate::StoreOptions { home: dir.path().to_owned(), ..Default::default() };
        let store = Store::open(options).await.unwrap();
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
        let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *store.reader().await.unwrap()).await.unwrap();
        let read: String = BY_RUN.join(" ") + " " + &LASTING.join(" ") + " FROM artifacts FROM runs ";
        for table in tables {
            let known =
                NAMES_NO_BLOB.contains(&table.as_str()) || (read.clone() + " ").contains(&format!("FROM {table} "));
            assert!(known, "does `{table}` name blobs? add it to a list in gc/named.rs");
        }
        store.close().await;
    }
}
