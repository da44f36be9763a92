//! Triggers on what happened here: an alias, a version, a dataset, a run.

use wasmlops_core::config::TriggerConfig;
use wasmlops_store::AuditRow;

use super::causes::{action, depth_of_record, is_record};
use super::firing::{Firing, aim, is_full, write};
use super::types::event_of;
use super::{LOOK, Reader, pause};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs;

/// Reads the feed for one trigger, until the shutdown.
pub(super) async fn follow(mut reader: Reader, trigger: TriggerConfig) {
    let Some(action) = action(&trigger.cause) else { return };
    if !reader.begin().await {
        return;
    }
    while let Some(rows) = reader.next(action).await {
        for row in rows {
            if !is_record(&trigger.cause, &row) {
                reader.pass(row.seq).await;
            } else if !until_fired(&mut reader, &trigger, &row).await {
                return;
            }
        }
    }
}

/// Acts upon a record, as often as it takes. `false`: it is over before.
async fn until_fired(reader: &mut Reader, trigger: &TriggerConfig, row: &AuditRow) -> bool {
    let mut told = None;
    while !reader.is_over() {
        match fire(&reader.host, &reader.name, trigger, row).await {
            Ok(()) => {
                reader.did(row.seq);
                return true;
            }
            // Once for each reason: a full queue may stay full for long.
            Err(error) => {
                let text = error.to_string();
                if told.as_ref() != Some(&text) {
                    tracing::warn!(trigger = %trigger.name.value, record = row.seq, "not started yet: {text}");
                    told = Some(text);
                }
                let wait = if is_full(&error) { LOOK * 8 } else { LOOK * 4 };
                pause(wait, &mut reader.shutdown).await;
            }
        }
    }
    false
}

/// The run and the move of the cursor are one transaction.
async fn fire(host: &Host, cursor: &str, trigger: &TriggerConfig, row: &AuditRow) -> Result<()> {
    let event = event_of(&host.project.name, row).ok_or_else(|| Error::bug("a trigger on what is no event"))?.to_json();
    let firing = Firing {
        trigger,
        event: &event,
        cause: format!("audit:{}", row.seq),
        depth: depth_of_record(host, row).await?,
        trace: None,
    };
    let shot = aim(host, firing).await?;
    let (now, cursor, seq) = (host.clock.now(), cursor.to_owned(), row.seq);
    let written = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let submitted = write(tx, shot, now).await?;
            tx.set_feed_cursor(&cursor, seq, now).await?;
            Ok(submitted)
        })
    });
    if written.await?.is_some_and(|submitted| submitted.created) {
        runs::wake(host);
    }
    Ok(())
}
