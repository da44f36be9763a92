//! What is decided about a schedule's times.

use serde_json::{Value, json};

use super::{ScheduleRow, TimeState};
use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::script::{Insert, Script};
use crate::store::Store;
use crate::writer::Tx;

impl Store {
    /// Writes schedules whole, new ones and changed ones, each with an audit record that says `action`.
    pub async fn put_schedules(
        &self,
        rows: Vec<ScheduleRow>,
        action: &'static str,
        stamp: Stamp,
    ) -> Result<(), StoreError> {
        self.with_tx(move |tx| {
            Box::pin(async move {
                let mut script = Script::new();
                for row in &rows {
                    let details = json!({ "timing": row.timing, "paused": row.paused });
                    tx.audit(entry(&stamp, action, &row.name, details));
                }
                let insert = Insert {
                    head: "INSERT INTO schedules (name, timing, cursor, paused, next_due, created, changed)",
                    row: "(?, ?, ?, ?, ?, ?, ?)",
                    tail: "ON CONFLICT (name) DO UPDATE SET timing = excluded.timing, cursor = excluded.cursor,
                               paused = excluded.paused, next_due = excluded.next_due, changed = excluded.changed",
                };
                script.insert(insert, rows, |values, row| {
                    values.bind(row.name).bind(row.timing).bind(row.cursor).bind(row.paused).bind(row.next_due);
                    values.bind(row.created).bind(row.changed);
                });
                tx.run(script).await
            })
        })
        .await
    }
}

/// Moves the cursor. Gives `false`, and changes nothing, where somebody else has decided or changed the schedule since
/// `before` was read.
pub async fn advance(
    tx: &mut Tx,
    before: &ScheduleRow,
    cursor: i64,
    next_due: Option<i64>,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "UPDATE schedules SET cursor = $1, next_due = $2
         WHERE name = $3 AND cursor = $4 AND changed = $5 AND next_due IS NOT NULL AND cursor <= $1",
    );
    let query = query.bind(cursor).bind(next_due).bind(&before.name).bind(before.cursor).bind(before.changed);
    Ok(query.execute(tx.connection().await?).await?.rows_affected() == 1)
}

/// Gives a nominal time its run. `false`: it has one, or waits for one. A time without a run can be given one later.
pub async fn claim(
    tx: &mut Tx,
    schedule: &str,
    nominal_time: i64,
    run: &str,
    backfill: Option<&str>,
    stamp: &Stamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "INSERT INTO schedule_runs (schedule, nominal_time, state, run, backfill, decided)
         VALUES ($1, $2, 'started', $3, $4, $5)
         ON CONFLICT (schedule, nominal_time) DO UPDATE SET state = 'started', run = excluded.run,
             backfill = excluded.backfill, reason = NULL, decided = excluded.decided
         WHERE schedule_runs.state = 'skipped' AND schedule_runs.run IS NULL",
    );
    let query = query.bind(schedule).bind(nominal_time).bind(run).bind(backfill).bind(stamp.time);
    let claimed = query.execute(tx.connection().await?).await?.rows_affected() == 1;
    if claimed {
        let details = json!({ "nominal_time": nominal_time, "run": run, "backfill": backfill });
        tx.audit(entry(stamp, "schedule.fired", schedule, details));
    }
    Ok(claimed)
}

/// Notes that a nominal time waits for the schedule's earlier runs; nothing where something became of it before.
pub async fn let_wait(tx: &mut Tx, schedule: &str, nominal_time: i64, stamp: &Stamp) -> Result<(), StoreError> {
    if put(tx, schedule, nominal_time, TimeState::Waiting, None, stamp).await? {
        tx.audit(entry(stamp, "schedule.waiting", schedule, json!({ "nominal_time": nominal_time })));
    }
    Ok(())
}

/// Notes that a nominal time has no run; nothing where something became of it before.
pub async fn leave_out(
    tx: &mut Tx,
    schedule: &str,
    nominal_time: i64,
    reason: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    if put(tx, schedule, nominal_time, TimeState::Skipped, Some(reason), stamp).await? {
        let details = json!({ "nominal_time": nominal_time, "reason": reason });
        tx.audit(entry(stamp, "schedule.skipped", schedule, details));
    }
    Ok(())
}

/// Gives a nominal time that waits its run, or with none its reason. `false`: it no longer waits.
pub async fn release(
    tx: &mut Tx,
    schedule: &str,
    nominal_time: i64,
    outcome: Result<&str, &str>,
    stamp: &Stamp,
) -> Result<bool, StoreError> {
    let (state, action) = match outcome {
        Ok(_) => (TimeState::Started, "schedule.fired"),
        Err(_) => (TimeState::Skipped, "schedule.skipped"),
    };
    let query = sqlx::query(
        "UPDATE schedule_runs SET state = $1, run = $2, reason = $3, decided = $4
         WHERE schedule = $5 AND nominal_time = $6 AND state = 'waiting'",
    );
    let query = query.bind(state.as_str()).bind(outcome.ok()).bind(outcome.err()).bind(stamp.time);
    let query = query.bind(schedule).bind(nominal_time);
    let released = query.execute(tx.connection().await?).await?.rows_affected() == 1;
    if released {
        let details = json!({ "nominal_time": nominal_time, "run": outcome.ok(), "reason": outcome.err() });
        tx.audit(entry(stamp, action, schedule, details));
    }
    Ok(released)
}

/// Notes that these runs of a schedule have ended, so that nobody looks at them again.
pub async fn settle(tx: &mut Tx, schedule: &str, nominal_times: &[i64]) -> Result<(), StoreError> {
    let mut script = Script::new();
    for nominal_time in nominal_times {
        script
            .statement(
                "UPDATE schedule_runs SET state = 'ended'
                 WHERE schedule = ? AND nominal_time = ? AND state = 'started'",
            )
            .bind(schedule)
            .bind(*nominal_time);
    }
    tx.run(script).await
}

async fn put(
    tx: &mut Tx,
    schedule: &str,
    nominal_time: i64,
    state: TimeState,
    reason: Option<&str>,
    stamp: &Stamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "INSERT INTO schedule_runs (schedule, nominal_time, state, reason, decided) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (schedule, nominal_time) DO NOTHING",
    );
    let query = query.bind(schedule).bind(nominal_time).bind(state.as_str()).bind(reason).bind(stamp.time);
    Ok(query.execute(tx.connection().await?).await?.rows_affected() == 1)
}

pub(super) fn entry(stamp: &Stamp, action: &str, schedule: &str, details: Value) -> AuditEntry {
    AuditEntry {
        stamp: stamp.clone(),
        action: action.to_owned(),
        subject: format!("schedule:{schedule}"),
        details: details.to_string(),
    }
}
