//! What is known of schedules.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{ScheduleRow, ScheduledTimeRow};
use crate::error::StoreError;
use crate::row::parsed;
use crate::runs::RunStatus;
use crate::store::Store;

impl Store {
    /// All schedules, those that are no longer in the project's file included.
    pub async fn schedules(&self) -> Result<Vec<ScheduleRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM schedules ORDER BY name");
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(schedule).collect::<Result<_, _>>()?)
    }

    pub async fn schedule(&self, name: &str) -> Result<Option<ScheduleRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM schedules WHERE name = $1").bind(name);
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.as_ref().map(schedule).transpose()?)
    }

    /// Schedules that are due, the longest first, after `after` (a due time and a name).
    pub async fn due_schedules(
        &self,
        now: i64,
        after: (i64, String),
        limit: u32,
    ) -> Result<Vec<ScheduleRow>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM schedules
             WHERE next_due IS NOT NULL AND next_due <= $1 AND (next_due, name) > ($2, $3)
             ORDER BY next_due, name LIMIT $4",
        );
        let query = query.bind(now).bind(after.0).bind(after.1).bind(limit);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(schedule).collect::<Result<_, _>>()?)
    }

    /// When the next schedule is due.
    pub async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        let query =
            sqlx::query_scalar("SELECT next_due FROM schedules WHERE next_due IS NOT NULL ORDER BY next_due LIMIT 1");
        Ok(query.fetch_optional(&mut *self.reader().await?).await?)
    }

    /// The times of a schedule that wait, or whose runs had not ended when they were last looked at; with `backfill`,
    /// of that backfill alone, else those of no backfill. The oldest first.
    pub async fn open_times(
        &self,
        schedule: &str,
        backfill: Option<&str>,
    ) -> Result<Vec<ScheduledTimeRow>, StoreError> {
        let query = sqlx::query(
            "SELECT schedule, schedule_runs.nominal_time, state, run, backfill, reason, decided, runs.status
             FROM schedule_runs LEFT JOIN runs ON runs.id = schedule_runs.run
             WHERE state IN ('waiting', 'started') AND schedule = $1 AND backfill IS NOT DISTINCT FROM $2
             ORDER BY schedule_runs.nominal_time",
        );
        let rows = query.bind(schedule).bind(backfill).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(time).collect::<Result<_, _>>()?)
    }

    /// The schedules that are not held, have waiting times, and have no run under way, each with the first of these
    /// times.
    pub async fn waiting_times(&self, limit: u32) -> Result<Vec<(String, i64)>, StoreError> {
        let query = sqlx::query_as(
            "SELECT waiting.schedule, MIN(waiting.nominal_time)
             FROM schedule_runs AS waiting JOIN schedules ON schedules.name = waiting.schedule
             WHERE waiting.state = 'waiting' AND schedules.next_due IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM schedule_runs AS started JOIN runs ON runs.id = started.run
                 WHERE started.state = 'started' AND started.schedule = waiting.schedule AND started.backfill IS NULL
                     AND runs.status IN ('scheduled', 'running', 'waiting'))
             GROUP BY waiting.schedule ORDER BY waiting.schedule LIMIT $1",
        );
        Ok(query.bind(limit).fetch_all(&mut *self.reader().await?).await?)
    }

    /// What became of a schedule's times, the latest first.
    pub async fn scheduled_times(&self, schedule: &str, limit: u32) -> Result<Vec<ScheduledTimeRow>, StoreError> {
        let query = sqlx::query(
            "SELECT schedule, schedule_runs.nominal_time, state, run, backfill, reason, decided, runs.status
             FROM schedule_runs LEFT JOIN runs ON runs.id = schedule_runs.run
             WHERE schedule = $1 ORDER BY schedule_runs.nominal_time DESC LIMIT $2",
        );
        let rows = query.bind(schedule).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(time).collect::<Result<_, _>>()?)
    }
}

fn schedule(row: &SqliteRow) -> Result<ScheduleRow, sqlx::Error> {
    Ok(ScheduleRow {
        name: row.try_get("name")?,
        timing: row.try_get("timing")?,
        cursor: row.try_get("cursor")?,
        paused: row.try_get("paused")?,
        next_due: row.try_get("next_due")?,
        created: row.try_get("created")?,
        changed: row.try_get("changed")?,
    })
}

fn time(row: &SqliteRow) -> Result<ScheduledTimeRow, sqlx::Error> {
    let status: Option<&str> = row.try_get("status")?;
    let parse = |status: &str| status.parse::<RunStatus>().map_err(|error| sqlx::Error::Decode(Box::new(error)));
    Ok(ScheduledTimeRow {
        schedule: row.try_get("schedule")?,
        nominal_time: row.try_get("nominal_time")?,
        state: parsed(row, "state")?,
        run: row.try_get("run")?,
        backfill: row.try_get("backfill")?,
        reason: row.try_get("reason")?,
        decided: row.try_get("decided")?,
        status: status.map(parse).transpose()?,
    })
}
