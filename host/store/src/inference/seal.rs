//! A journal becomes segments, and old segments go.

use serde_json::json;
use wasmlops_package::Digest;

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::row::{parsed, text};
use crate::script::{Insert, Script};
use crate::store::Store;
use crate::writer::Tx;

/// A journal to be sealed, with all its rows.
#[derive(Clone, Debug)]
pub struct Seal {
    pub endpoint: String,
    pub journal: i64,
    /// The number that follows the journal's last row.
    pub next_seq: i64,
    pub segments: Vec<NewSegment>,
    pub time: i64,
}

/// A segment whose table is stored already.
#[derive(Clone, Debug)]
pub struct NewSegment {
    pub digest: Digest,
    pub bytes: i64,
    pub features: i64,
    pub target: Option<String>,
    pub first_seq: i64,
    pub last_seq: i64,
    pub first_time: i64,
    pub last_time: i64,
    /// Of each row, in their order: the prediction's id and time.
    pub ids: Vec<(String, i64)>,
}

/// How much of an endpoint's log is kept.
#[derive(Clone, Debug)]
pub struct Cap {
    pub endpoint: String,
    pub rows: i64,
    pub bytes: i64,
    pub stamp: Stamp,
}

impl Store {
    /// Takes a journal's segments into the log. Says whether it did: a journal that is sealed already is left alone, so
    /// that doing this again after a crash doubles nothing.
    pub async fn seal_journal(&self, seal: Seal) -> Result<bool, StoreError> {
        self.with_tx(move |tx| Box::pin(write_seal(tx, seal))).await
    }

    /// Removes the oldest segments until the rest keeps the cap, with an audit record. Gives the tables that no segment
    /// names any more.
    pub async fn cap_inference_log(&self, cap: Cap) -> Result<Vec<Digest>, StoreError> {
        self.with_tx(move |tx| Box::pin(remove_beyond(tx, cap))).await
    }
}

async fn write_seal(tx: &mut Tx, seal: Seal) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar("SELECT sealed FROM inference_logs WHERE endpoint = $1").bind(&seal.endpoint);
    let sealed: Option<i64> = query.fetch_optional(tx.connection().await?).await?;
    if sealed.is_some_and(|sealed| sealed >= seal.journal) {
        return Ok(false);
    }
    let query = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM inference_segments");
    let last: i64 = query.fetch_one(tx.connection().await?).await?;
    let mut script = Script::new();
    script
        .statement(
            "INSERT INTO inference_logs (endpoint, sealed, next_seq) VALUES (?, ?, ?)
             ON CONFLICT (endpoint) DO UPDATE SET sealed = excluded.sealed, next_seq = excluded.next_seq",
        )
        .bind(seal.endpoint.clone())
        .bind(seal.journal)
        .bind(seal.next_seq);
    insert_segments(&mut script, &seal, last + 1);
    for (id, segment) in (last + 1..).zip(seal.segments) {
        let insert =
            Insert { head: "INSERT INTO inference_ids (segment, row, id, time)", row: "(?, ?, ?, ?)", tail: "" };
        script.insert(insert, segment.ids.into_iter().enumerate(), |values, (row, (prediction, time))| {
            values.bind(id).bind(row as i64).bind(prediction).bind(time);
        });
    }
    tx.run(script).await?;
    Ok(true)
}

fn insert_segments(script: &mut Script, seal: &Seal, first_id: i64) {
    let insert = Insert {
        head: "INSERT INTO inference_segments (id, endpoint, journal, part, digest, rows, bytes, features, target,
                   first_seq, last_seq, first_time, last_time, created)",
        row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tail: "",
    };
    script.insert(insert, seal.segments.iter().enumerate(), |values, (part, segment)| {
        values.bind(first_id + part as i64).bind(seal.endpoint.clone()).bind(seal.journal).bind(part as i64);
        values.bind(text(&segment.digest)).bind(segment.ids.len() as i64).bind(segment.bytes).bind(segment.features);
        values.bind(segment.target.clone()).bind(segment.first_seq).bind(segment.last_seq);
        values.bind(segment.first_time).bind(segment.last_time).bind(seal.time);
    });
}

async fn remove_beyond(tx: &mut Tx, cap: Cap) -> Result<Vec<Digest>, StoreError> {
    let query = sqlx::query(
        "SELECT id, digest, rows, bytes, last_seq FROM inference_segments WHERE endpoint = $1 ORDER BY last_seq, id",
    );
    let segments = query.bind(&cap.endpoint).fetch_all(tx.connection().await?).await?;
    let number = |row, column| sqlx::Row::try_get::<i64, _>(row, column);
    let (mut rows, mut bytes) = (0, 0);
    for segment in &segments {
        rows += number(segment, "rows")?;
        bytes += number(segment, "bytes")?;
    }
    let (mut script, mut removed, mut removed_rows, mut last) = (Script::new(), Vec::new(), 0, 0);
    for segment in &segments {
        if rows <= cap.rows && bytes <= cap.bytes {
            break;
        }
        let id = number(segment, "id")?;
        rows -= number(segment, "rows")?;
        bytes -= number(segment, "bytes")?;
        removed_rows += number(segment, "rows")?;
        last = number(segment, "last_seq")?;
        removed.push((id, parsed::<Digest>(segment, "digest")?));
        script.statement("DELETE FROM inference_ids WHERE segment = ?").bind(id);
        script.statement("DELETE FROM inference_segments WHERE id = ?").bind(id);
    }
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    tx.audit(AuditEntry {
        stamp: cap.stamp,
        action: "inference.removed".to_owned(),
        subject: format!("endpoint:{}", cap.endpoint),
        details: json!({ "segments": removed.len(), "rows": removed_rows, "last_seq": last }).to_string(),
    });
    tx.run(script).await?;
    let mut unused = Vec::new();
    for (_, digest) in removed {
        let query = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM inference_segments WHERE digest = $1)
                 + (SELECT COUNT(*) FROM artifacts WHERE digest = $1)",
        );
        let uses: i64 = query.bind(text(&digest)).fetch_one(tx.connection().await?).await?;
        if uses == 0 {
            unused.push(digest);
        }
    }
    Ok(unused)
}
