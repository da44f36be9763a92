//! Backfills: runs for nominal times that have passed, so many at once. A backfill's cursor moves with each run in the
//! run's transaction, so that one whose process died is gone on with.

use wasmlops_core::config::ScheduleConfig;
use wasmlops_core::run::Micros;
use wasmlops_store::schedules::{advance_backfill, claim, end_backfill, leave_out, settle};
use wasmlops_store::{BackfillRow, BackfillState, Stamp, StoreError};

use super::fire::{hopeless, is_under_way};
use super::service::Round;
use super::template::Templates;
use super::{actor, known, submission};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs::{Prepared, submit_in};

/// Backfills looked at in one round.
const PAGE: u32 = 64;

/// Times that one round passes over for a backfill, because they have their runs already.
const STEPS: usize = 1000;

/// Goes on with all backfills.
pub(super) async fn go_on(host: &Host, templates: &mut Templates, round: &mut Round) -> Result<()> {
    for row in host.store.running_backfills(PAGE).await? {
        let schedule = host.project.schedules.iter().find(|known| known.name.value == row.schedule);
        match schedule {
            Some(schedule) => round.submitted += advance_one(host, templates, schedule, row).await?,
            // Its schedule is not in the file any more.
            None => end(host, &row, BackfillState::Cancelled).await?,
        }
    }
    Ok(())
}

async fn advance_one(
    host: &Host,
    templates: &mut Templates,
    schedule: &ScheduleConfig,
    mut row: BackfillRow,
) -> Result<usize> {
    let open = host.store.open_times(&row.schedule, Some(&row.id)).await?;
    let (active, ended): (Vec<_>, Vec<_>) = open.into_iter().partition(|time| is_under_way(time.status));
    let mut ended: Vec<Micros> = ended.into_iter().map(|time| time.nominal_time).collect();
    let mut room = usize::try_from(row.parallelism).unwrap_or_default().saturating_sub(active.len());
    let calendar = known::calendar(schedule)?;
    let mut submitted = 0;
    for _ in 0..STEPS {
        let Some(nominal) = calendar.next_after(row.cursor).filter(|nominal| *nominal < row.to_time) else {
            if active.is_empty() && submitted == 0 {
                end(host, &row, BackfillState::Done).await?;
            }
            break;
        };
        if room == 0 {
            break;
        }
        let template = templates.get(host, schedule).await;
        let Some(is_new) = advance_by(host, schedule, &row, nominal, template, std::mem::take(&mut ended)).await?
        else {
            break;
        };
        row.cursor = nominal;
        if is_new {
            room -= 1;
            submitted += 1;
            row.submitted += 1;
        }
    }
    if !ended.is_empty() {
        let name = row.schedule.clone();
        host.store.with_tx(move |tx| Box::pin(async move { settle(tx, &name, &ended).await })).await?;
    }
    Ok(submitted)
}

/// Gives a time its run, if it has none. `None`: somebody else goes on with the backfill, or it was ended.
async fn advance_by(
    host: &Host,
    schedule: &ScheduleConfig,
    row: &BackfillRow,
    nominal: Micros,
    template: Result<Prepared>,
    ended: Vec<Micros>,
) -> Result<Option<bool>> {
    let prepared = match template {
        Ok(template) => {
            let submission = submission(schedule, nominal, format!("backfill:{}", row.id));
            Ok(template.at_another_time(host, &submission).await?)
        }
        Err(error) => Err(hopeless(&error)?),
    };
    let (row, name) = (row.clone(), schedule.name.value.clone());
    let stamp = Stamp { time: host.clock.now(), actor: actor(&name) };
    let written = host.store.with_tx(move |tx| {
        Box::pin(async move {
            settle(tx, &name, &ended).await?;
            let is_new = match prepared {
                Ok(prepared) => {
                    let claimed = claim(tx, &name, nominal, prepared.id(), Some(&row.id), &stamp).await?;
                    if claimed {
                        submit_in(tx, prepared, stamp.clone()).await?;
                    }
                    claimed
                }
                Err(reason) => {
                    leave_out(tx, &name, nominal, &reason, &stamp).await?;
                    false
                }
            };
            match advance_backfill(tx, &row, nominal, is_new).await? {
                true => Ok(is_new),
                // Takes back all of the above.
                false => Err(Moved::Moved),
            }
        })
    });
    match written.await {
        Ok(is_new) => Ok(Some(is_new)),
        Err(Moved::Moved) => Ok(None),
        Err(Moved::Error(error)) => Err(error),
    }
}

enum Moved {
    Moved,
    Error(Error),
}

impl From<Error> for Moved {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for Moved {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

pub(super) async fn end(host: &Host, row: &BackfillRow, state: BackfillState) -> Result<()> {
    let (row, stamp) = (row.clone(), Stamp { time: host.clock.now(), actor: actor(&row.schedule) });
    let written = host.store.with_tx(move |tx| Box::pin(async move { end_backfill(tx, &row, state, &stamp).await }));
    written.await?;
    Ok(())
}
