//! Backfills: runs for nominal times that have passed.

use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::decide::entry;
use super::{BackfillRow, BackfillState};
use crate::audit::Stamp;
use crate::error::StoreError;
use crate::row::parsed;
use crate::store::Store;
use crate::writer::Tx;

impl Store {
    /// Records a backfill; the service goes on with it.
    pub async fn create_backfill(&self, row: BackfillRow, stamp: Stamp) -> Result<(), StoreError> {
        self.with_tx(move |tx| {
            Box::pin(async move {
                insert(tx, &row).await?;
                let details = json!({
                    "backfill": row.id, "from": row.from_time, "to": row.to_time, "parallelism": row.parallelism,
                });
                tx.audit(entry(&stamp, "schedule.backfill_created", &row.schedule, details));
                Ok(())
            })
        })
        .await
    }

    /// Backfills that are under way, the oldest first.
    pub async fn running_backfills(&self, limit: u32) -> Result<Vec<BackfillRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM backfills WHERE state = 'running' ORDER BY created, id LIMIT $1");
        let rows = query.bind(limit).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(backfill).collect::<Result<_, _>>()?)
    }

    /// A schedule's backfills, the newest first.
    pub async fn backfills(&self, schedule: &str, limit: u32) -> Result<Vec<BackfillRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM backfills WHERE schedule = $1 ORDER BY created DESC, id DESC LIMIT $2");
        let rows = query.bind(schedule).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(backfill).collect::<Result<_, _>>()?)
    }

    pub async fn backfill(&self, id: &str) -> Result<Option<BackfillRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM backfills WHERE id = $1").bind(id);
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.as_ref().map(backfill).transpose()?)
    }
}

/// Moves a backfill on by one nominal time. `false`: it was moved or ended since `before` was read.
pub async fn advance_backfill(
    tx: &mut Tx,
    before: &BackfillRow,
    cursor: i64,
    submitted: bool,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "UPDATE backfills SET cursor = $1, submitted = submitted + $2
         WHERE id = $3 AND cursor = $4 AND state = 'running'",
    );
    let query = query.bind(cursor).bind(i64::from(submitted)).bind(&before.id).bind(before.cursor);
    Ok(query.execute(tx.connection().await?).await?.rows_affected() == 1)
}

/// Ends a backfill that is under way. `false`: it has ended already.
pub async fn end_backfill(
    tx: &mut Tx,
    row: &BackfillRow,
    state: BackfillState,
    stamp: &Stamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query("UPDATE backfills SET state = $1, ended = $2 WHERE id = $3 AND state = 'running'");
    let query = query.bind(state.as_str()).bind(stamp.time).bind(&row.id);
    let ended = query.execute(tx.connection().await?).await?.rows_affected() == 1;
    if ended {
        let details = json!({ "backfill": row.id, "submitted": row.submitted });
        tx.audit(entry(stamp, &format!("schedule.backfill_{}", state.as_str()), &row.schedule, details));
    }
    Ok(ended)
}

async fn insert(tx: &mut Tx, row: &BackfillRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO backfills (id, schedule, from_time, to_time, parallelism, state, cursor, submitted, actor, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&row.id)
    .bind(&row.schedule)
    .bind(row.from_time)
    .bind(row.to_time)
    .bind(row.parallelism)
    .bind(row.state.as_str())
    .bind(row.cursor)
    .bind(row.submitted)
    .bind(&row.actor)
    .bind(row.created)
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

fn backfill(row: &SqliteRow) -> Result<BackfillRow, sqlx::Error> {
    Ok(BackfillRow {
        id: row.try_get("id")?,
        schedule: row.try_get("schedule")?,
        from_time: row.try_get("from_time")?,
        to_time: row.try_get("to_time")?,
        parallelism: row.try_get("parallelism")?,
        state: parsed(row, "state")?,
        cursor: row.try_get("cursor")?,
        submitted: row.try_get("submitted")?,
        actor: row.try_get("actor")?,
        created: row.try_get("created")?,
        ended: row.try_get("ended")?,
    })
}
