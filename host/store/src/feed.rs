//! The audit as a feed: reading on from where a reader was, and what readers keep to go on after a restart.
//!
//! Knows neither events nor URLs. What a reader does about a record and the move of its cursor share a transaction, so
//! that each record is acted upon once.

mod deliveries;
mod incoming;

use sqlx::Row;

use crate::audit::{AuditRow, audit_row};
use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Tx;

pub use deliveries::DeliveryRow;
pub use incoming::{SeenEvent, TriggerRunRow};

/// Part of the feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedRange<'a> {
    /// Only records with a greater number.
    pub after: i64,
    /// Only records up to this number.
    pub until: i64,
    /// Only records whose action begins so; empty for all.
    pub prefix: &'a str,
    pub limit: u32,
}

impl Store {
    /// The number of the newest audit record; 0 where there is none.
    pub async fn feed_head(&self) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM audit");
        Ok(query.fetch_one(&mut *self.reader().await?).await?)
    }

    /// Records of the feed, the oldest first.
    pub async fn feed(&self, range: FeedRange<'_>) -> Result<Vec<AuditRow>, StoreError> {
        let query = sqlx::query(
            "SELECT seq, time, actor, action, subject, details, previous, hash FROM audit
             WHERE seq > $1 AND seq <= $2 AND substr(action, 1, length($3)) = $3 ORDER BY seq LIMIT $4",
        );
        let query = query.bind(range.after).bind(range.until).bind(range.prefix).bind(range.limit);
        query.fetch_all(&mut *self.reader().await?).await?.iter().map(audit_row).collect()
    }

    /// How far a reader is. Absent: nobody of that name has read.
    pub async fn feed_cursor(&self, name: &str) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query("SELECT seq FROM feed_cursors WHERE name = $1").bind(name);
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.map(|row| row.try_get("seq")).transpose()?)
    }
}

impl Tx {
    /// Notes how far a reader is. It never goes back.
    pub async fn set_feed_cursor(&mut self, name: &str, seq: i64, time: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO feed_cursors (name, seq, time) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, time = excluded.time
             WHERE excluded.seq > feed_cursors.seq",
        )
        .bind(name)
        .bind(seq)
        .bind(time)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }
}
