//! What a digest is: its media type and size. The bytes are in [`blobs`](crate::blobs).

use serde_json::json;
use sqlx::Row;
use wasmlops_package::Digest;

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::row::{parsed, text};
use crate::script::{Insert, Script};
use crate::store::Store;
use crate::writer::Tx;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArtifactRow {
    pub digest: Digest,
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// When it was first recorded.
    pub created: i64,
}

impl Store {
    /// Records what a blob is, unless that is known. Outputs of steps are recorded with their step.
    pub async fn record_artifact(
        &self,
        digest: Digest,
        media_type: &str,
        size: i64,
        stamp: Stamp,
    ) -> Result<(), StoreError> {
        let artifact = ArtifactRow { digest, media_type: media_type.to_owned(), size, created: stamp.time };
        self.with_tx(move |tx| Box::pin(record(tx, artifact, stamp))).await
    }

    /// What a digest is; where it was recorded under several media types, the first.
    pub async fn artifact(&self, digest: &Digest) -> Result<Option<ArtifactRow>, StoreError> {
        let query = sqlx::query(
            "SELECT digest, media_type, size, created FROM artifacts
             WHERE digest = $1 ORDER BY created, media_type LIMIT 1",
        );
        let row = query.bind(text(digest)).fetch_optional(&mut *self.reader().await?).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ArtifactRow {
            digest: parsed(&row, "digest")?,
            media_type: row.try_get("media_type")?,
            size: row.try_get("size")?,
            created: row.try_get("created")?,
        }))
    }
}

impl Tx {
    /// Like [`Store::record_artifact`], together with the change that the bytes belong to.
    pub async fn record_artifact(&mut self, artifact: ArtifactRow, stamp: Stamp) -> Result<(), StoreError> {
        record(self, artifact, stamp).await
    }
}

async fn record(tx: &mut Tx, artifact: ArtifactRow, stamp: Stamp) -> Result<(), StoreError> {
    let query = sqlx::query_scalar("SELECT 1 FROM artifacts WHERE digest = $1 AND media_type = $2");
    let query = query.bind(text(&artifact.digest)).bind(&artifact.media_type);
    let known: Option<i64> = query.fetch_optional(tx.connection().await?).await?;
    if known.is_some() {
        return Ok(());
    }
    tx.audit(AuditEntry {
        stamp,
        action: "artifact.recorded".to_owned(),
        subject: format!("artifact:{}", artifact.digest),
        details: json!({ "media_type": artifact.media_type, "size": artifact.size }).to_string(),
    });
    let mut script = Script::new();
    insert_artifacts(&mut script, vec![artifact]);
    tx.run(script).await
}

pub(crate) fn insert_artifacts(script: &mut Script, artifacts: Vec<ArtifactRow>) {
    let insert = Insert {
        head: "INSERT INTO artifacts (digest, media_type, size, created)",
        row: "(?, ?, ?, ?)",
        tail: "ON CONFLICT (digest, media_type) DO NOTHING",
    };
    script.insert(insert, artifacts, |values, artifact| {
        values.bind(text(&artifact.digest)).bind(artifact.media_type).bind(artifact.size).bind(artifact.created);
    });
}
