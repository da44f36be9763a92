//! What came in from outside, and which runs triggers started.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Tx;

/// An event or a webhook that is taken. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenEvent {
    /// `events`, or `hook:NAME`.
    pub scope: String,
    pub source: String,
    pub id: String,
    pub time: i64,
    /// From when on it need not be known any more; absent: never.
    pub expires: Option<i64>,
}

/// A run that a trigger started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TriggerRunRow {
    pub run: String,
    pub trigger: String,
    /// 1 for a run that something outside caused, one more for what follows from such a run.
    pub depth: i64,
    /// `audit:17`, or the event's source and id.
    pub cause: String,
    pub time: i64,
}

impl Tx {
    /// Notes an event. `false`: it was noted before.
    pub async fn remember_event(&mut self, event: &SeenEvent) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO seen_events (scope, source, id, time, expires) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (scope, source, id) DO NOTHING",
        )
        .bind(&event.scope)
        .bind(&event.source)
        .bind(&event.id)
        .bind(event.time)
        .bind(event.expires)
        .execute(self.connection().await?)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes which trigger started a run. The first note stands.
    pub async fn note_trigger_run(&mut self, row: &TriggerRunRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO trigger_runs (run, trigger, depth, cause, time) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (run) DO NOTHING",
        )
        .bind(&row.run)
        .bind(&row.trigger)
        .bind(row.depth)
        .bind(&row.cause)
        .bind(row.time)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// Forgets events that need not be known any more. Says how many.
    pub async fn forget_events(&mut self, now: i64) -> Result<u64, StoreError> {
        let query = sqlx::query("DELETE FROM seen_events WHERE expires IS NOT NULL AND expires <= $1").bind(now);
        Ok(query.execute(self.connection().await?).await?.rows_affected())
    }
}

impl Store {
    /// Whether an event was noted.
    pub async fn has_seen(&self, scope: &str, source: &str, id: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM seen_events WHERE scope = $1 AND source = $2 AND id = $3");
        let query = query.bind(scope).bind(source).bind(id);
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.is_some())
    }

    /// How many triggers stand behind a run: 0 where none started it.
    pub async fn trigger_depth(&self, run: &str) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar("SELECT depth FROM trigger_runs WHERE run = $1").bind(run);
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.unwrap_or(0))
    }

    /// The runs that a trigger started, the newest first.
    pub async fn trigger_runs(&self, trigger: &str, limit: u32) -> Result<Vec<TriggerRunRow>, StoreError> {
        let query = sqlx::query(
            "SELECT run, trigger, depth, cause, time FROM trigger_runs
             WHERE trigger = $1 ORDER BY time DESC, run DESC LIMIT $2",
        );
        let rows = query.bind(trigger).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(trigger_run).collect()
    }
}

fn trigger_run(row: &SqliteRow) -> Result<TriggerRunRow, StoreError> {
    Ok(TriggerRunRow {
        run: row.try_get("run")?,
        trigger: row.try_get("trigger")?,
        depth: row.try_get("depth")?,
        cause: row.try_get("cause")?,
        time: row.try_get("time")?,
    })
}
