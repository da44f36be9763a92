//! What happens here told to others, and what others tell acted upon: CloudEvents in both directions, webhooks in,
//! notifications out, and triggers.
//!
//! The audit is the event log. Each reader of it (a subscription, a trigger) has a durable cursor, and moves it in the
//! transaction of what it did: a trigger's run is created once, a notification goes out at least once and in order, and
//! a restart goes on where the last process was.
//!
//! Read in this order: [`types`] (which records are events), [`sign`], `firing` (from an event to a run), [`incoming`]
//! (events and webhooks), `following` (triggers on what happened here), `notifying` (what goes out), [`view`].
//! Door: [`Events`].

mod causes;
mod firing;
mod following;
pub mod incoming;
mod notifying;
pub mod sign;
#[cfg(test)]
mod tests;
pub mod types;
pub mod view;

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use wasmlops_core::config::TriggerConfig;

use crate::error::{Error, Result};
use crate::host::Host;

pub(crate) use notifying::signed;

/// How often the feed is looked at: other processes write into it as well.
const LOOK: Duration = Duration::from_millis(250);

/// How often events that need not be known any more are forgotten.
const FORGET: Duration = Duration::from_secs(3600);

/// Records that are read in one go: what a reader holds in memory.
const PAGE: u32 = 200;

/// A reader that found nothing for itself notes how far it is after so many records, not after each.
const STRIDE: i64 = 1000;

/// Triggers that may stand behind a run: beyond it, what follows from what is taken for a loop.
pub const DEEPEST: i64 = 8;

/// The service that reads the feed. One for a host.
pub struct Events {
    host: Host,
}

impl Events {
    pub fn new(host: &Host) -> Self {
        Self { host: host.clone() }
    }

    /// Runs until `shutdown` turns true. What is under way then is finished, or goes on in the next process.
    pub async fn run(self, shutdown: watch::Receiver<bool>) {
        let heads = watch::Sender::new(0);
        let mut readers = JoinSet::new();
        for trigger in self.host.project.triggers.iter().filter(|trigger| causes::action(&trigger.cause).is_some()) {
            let reader = Reader::new(&self.host, format!("trigger:{}", trigger.name.value), &heads, &shutdown);
            readers.spawn(following::follow(reader, trigger.clone()));
        }
        for notification in &self.host.project.notifications {
            let reader =
                Reader::new(&self.host, format!("notification:{}", notification.name.value), &heads, &shutdown);
            readers.spawn(notifying::notify(reader, notification.clone()));
        }
        tokio::join!(self.look(heads, shutdown.clone()), self.forget(shutdown));
        while let Some(ended) = readers.join_next().await {
            if let Err(error) = ended {
                tracing::error!("a reader of the feed ended badly: {error}");
            }
        }
    }

    /// Tells the readers how long the feed is.
    async fn look(&self, heads: watch::Sender<i64>, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() && heads.receiver_count() > 0 {
            match self.host.store.feed_head().await {
                Ok(head) => {
                    heads.send_if_modified(|known| std::mem::replace(known, head) != head);
                }
                Err(error) => tracing::error!("the feed could not be looked at: {error}"),
            }
            pause(LOOK, &mut shutdown).await;
        }
    }

    async fn forget(&self, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() {
            let now = self.host.clock.now();
            let done = self.host.store.with_tx(move |tx| Box::pin(async move { tx.forget_events(now).await })).await;
            if let Err(error) = done {
                tracing::error!("old events could not be forgotten: {error}");
            }
            pause(FORGET, &mut shutdown).await;
        }
    }
}

/// The trigger of that name in the project file.
///
/// # Errors
/// The user's: there is none.
pub fn configured<'a>(host: &'a Host, name: &str) -> Result<&'a TriggerConfig> {
    let triggers = &host.project.triggers;
    triggers.iter().find(|trigger| trigger.name.value == name).ok_or_else(|| {
        let names: Vec<String> = triggers.iter().map(|trigger| format!("`{}`", trigger.name.value)).collect();
        let hint = match names.is_empty() {
            true => "add it under `triggers` in wasmlops.yaml".to_owned(),
            false => format!("there is {}", names.join(", ")),
        };
        let name: String = name.chars().take(100).collect();
        Error::user("unknown-trigger", format!("there is no trigger `{name}`"), hint)
    })
}

/// One reader of the feed, with its place.
struct Reader {
    host: Host,
    /// Of its cursor.
    name: String,
    /// The last record that it is done with.
    done: i64,
    /// The same, as the store knows it.
    noted: i64,
    heads: watch::Receiver<i64>,
    shutdown: watch::Receiver<bool>,
}

impl Reader {
    fn new(host: &Host, name: String, heads: &watch::Sender<i64>, shutdown: &watch::Receiver<bool>) -> Self {
        let (heads, shutdown) = (heads.subscribe(), shutdown.clone());
        Self { host: host.clone(), name, done: 0, noted: 0, heads, shutdown }
    }

    fn is_over(&self) -> bool {
        *self.shutdown.borrow()
    }

    /// Finds its place. A reader that is new begins behind what has happened so far. `false`: it is over before.
    async fn begin(&mut self) -> bool {
        while !self.is_over() {
            match self.place().await {
                Ok(seq) => {
                    (self.done, self.noted) = (seq, seq);
                    return true;
                }
                Err(error) => tracing::error!(reader = %self.name, "the place in the feed could not be read: {error}"),
            }
            pause(LOOK * 4, &mut self.shutdown).await;
        }
        false
    }

    async fn place(&self) -> Result<i64> {
        if let Some(seq) = self.host.store.feed_cursor(&self.name).await? {
            return Ok(seq);
        }
        let head = self.host.store.feed_head().await?;
        self.note(head).await?;
        Ok(head)
    }

    async fn note(&self, seq: i64) -> Result<()> {
        let (name, now) = (self.name.clone(), self.host.clock.now());
        let noted = self
            .host
            .store
            .with_tx::<_, Error, _>(move |tx| Box::pin(async move { Ok(tx.set_feed_cursor(&name, seq, now).await?) }));
        noted.await
    }

    /// The next records whose action begins with `prefix`, once there are some. Absent: it is over.
    async fn next(&mut self, prefix: &str) -> Option<Vec<wasmlops_store::AuditRow>> {
        while !self.is_over() {
            let until = *self.heads.borrow_and_update();
            if until > self.done {
                let range = wasmlops_store::FeedRange { after: self.done, until, prefix, limit: PAGE };
                match self.host.store.feed(range).await {
                    Ok(rows) if rows.is_empty() => self.pass(until).await,
                    Ok(rows) => return Some(rows),
                    Err(error) => {
                        tracing::error!(reader = %self.name, "the feed could not be read: {error}");
                        pause(LOOK * 4, &mut self.shutdown).await;
                    }
                }
                continue;
            }
            tokio::select! {
                changed = self.heads.changed() => if changed.is_err() { return None },
                // Nobody is left who could say it: then it is over.
                changed = self.shutdown.changed() => if changed.is_err() { return None },
            }
        }
        None
    }

    /// There is nothing to be done about the records up to `seq`.
    async fn pass(&mut self, seq: i64) {
        self.done = seq;
        if seq - self.noted < STRIDE {
            return;
        }
        match self.note(seq).await {
            Ok(()) => self.noted = seq,
            // The records are read again, and passed again.
            Err(error) => tracing::error!(reader = %self.name, "the place in the feed could not be noted: {error}"),
        }
    }

    /// What was to be done about `seq` is done, and its transaction has noted so.
    fn did(&mut self, seq: i64) {
        (self.done, self.noted) = (seq, seq);
    }
}

/// Sleeps, or less if it is over.
async fn pause(time: Duration, shutdown: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        changed = shutdown.changed() => if changed.is_err() { tokio::time::sleep(time).await },
    }
}
