//! What each subscription is at.

use sqlx::Row;

use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Tx;

/// The delivery that a subscription is at. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    pub subscription: String,
    /// The audit record that is, or was last, delivered.
    pub seq: i64,
    /// Failed attempts; 0 once it was delivered or given up.
    pub attempts: i64,
    /// When it was tried first.
    pub since: i64,
    pub next_attempt: i64,
    /// One sentence for a person.
    pub outcome: String,
}

impl Store {
    /// What a subscription is at. Absent: it has tried nothing yet.
    pub async fn delivery(&self, subscription: &str) -> Result<Option<DeliveryRow>, StoreError> {
        let query = sqlx::query(
            "SELECT subscription, seq, attempts, since, next_attempt, outcome FROM deliveries WHERE subscription = $1",
        );
        let row = query.bind(subscription).fetch_optional(&mut *self.reader().await?).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(DeliveryRow {
            subscription: row.try_get("subscription")?,
            seq: row.try_get("seq")?,
            attempts: row.try_get("attempts")?,
            since: row.try_get("since")?,
            next_attempt: row.try_get("next_attempt")?,
            outcome: row.try_get("outcome")?,
        }))
    }
}

impl Tx {
    /// Notes what a subscription is at.
    pub async fn set_delivery(&mut self, row: &DeliveryRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO deliveries (subscription, seq, attempts, since, next_attempt, outcome)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (subscription) DO UPDATE SET seq = excluded.seq, attempts = excluded.attempts,
                 since = excluded.since, next_attempt = excluded.next_attempt, outcome = excluded.outcome",
        )
        .bind(&row.subscription)
        .bind(row.seq)
        .bind(row.attempts)
        .bind(row.since)
        .bind(row.next_attempt)
        .bind(&row.outcome)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }
}
