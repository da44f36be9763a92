//! Several small requests in one call. The first to come leads: it waits a little for others, asks for all of them, and
//! hands out the answers. If the call fails, or the leader is given up, each of the others asks for itself: one bad row
//! spoils no neighbour.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use wasmlops_core::config::BatchConfig;
use wasmlops_core::table::{Batch, Schema, Table, TableBuilder};

use super::loaded::{Failure, Loaded};
use super::routes::Shared;
use super::statistics::ErrorClass;

#[derive(Default)]
pub(super) struct Batching {
    open: Mutex<Open>,
    /// The open batch is full.
    full: Notify,
}

/// The batch that is being collected.
#[derive(Default)]
struct Open {
    /// Whether somebody waits for it to fill.
    led: bool,
    rows: usize,
    followers: Vec<Follower>,
}

struct Follower {
    rows: Batch,
    answer: oneshot::Sender<Batch>,
}

/// What a request is to do.
enum Part {
    Lead,
    Follow(oneshot::Receiver<Batch>),
    /// The batch that is open has no room for it.
    Alone,
}

impl Batching {
    pub async fn ask(
        &self,
        release: &Loaded,
        shared: &Shared,
        rows: Batch,
        deadline: Instant,
    ) -> Result<Batch, Failure> {
        let Some(config) = &shared.config.batch else { return release.ask_alone(shared, rows, deadline).await };
        match self.join(config, &rows) {
            Part::Lead => self.lead(release, shared, rows, deadline).await,
            Part::Follow(answer) => match tokio::time::timeout_at(deadline, answer).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) => release.ask_alone(shared, rows, deadline).await,
                Err(_) => Err(Failure::new(ErrorClass::Waited, "the deadline passed while the request waited")),
            },
            Part::Alone => release.ask_alone(shared, rows, deadline).await,
        }
    }

    fn join(&self, config: &BatchConfig, rows: &Batch) -> Part {
        let mut open = self.open();
        let count = rows.num_rows as usize;
        if !open.led {
            (open.led, open.rows) = (true, count);
            return Part::Lead;
        }
        if open.rows + count > config.rows {
            return Part::Alone;
        }
        let (answer, receiver) = oneshot::channel();
        open.followers.push(Follower { rows: rows.clone(), answer });
        open.rows += count;
        if open.rows == config.rows {
            self.full.notify_one();
        }
        Part::Follow(receiver)
    }

    async fn lead(&self, release: &Loaded, shared: &Shared, rows: Batch, deadline: Instant) -> Result<Batch, Failure> {
        let leading = Leading { batching: self, closed: false };
        let wait = shared.config.batch.as_ref().map_or_else(Default::default, |config| config.wait);
        let _ = tokio::time::timeout_at(deadline.min(Instant::now() + wait), self.full.notified()).await;
        let followers = leading.close();
        if followers.is_empty() {
            return release.ask_alone(shared, rows, deadline).await;
        }
        let counts: Vec<u64> =
            std::iter::once(rows.num_rows).chain(followers.iter().map(|follower| follower.rows.num_rows)).collect();
        let parts = std::iter::once(rows.clone()).chain(followers.iter().map(|follower| follower.rows.clone()));
        let answers = match joined(&release.input, parts) {
            Some(together) => match release.ask_alone(shared, together, deadline).await {
                Ok(answer) => split(&release.output, answer, &counts),
                Err(_) => None,
            },
            None => None,
        };
        let Some(answers) = answers else {
            // The followers find their senders gone.
            drop(followers);
            return release.ask_alone(shared, rows, deadline).await;
        };
        let mut answers = answers.into_iter();
        let own = answers.next().ok_or_else(|| Failure::new(ErrorClass::InvalidResult, "no rows came back"))?;
        for (follower, answer) in followers.into_iter().zip(answers) {
            // Whoever went away does not want to know.
            let _ = follower.answer.send(answer);
        }
        Ok(own)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lead of the open batch. Ends with it, so that a leader that is given up leaves no batch without one.
struct Leading<'b> {
    batching: &'b Batching,
    closed: bool,
}

impl Leading<'_> {
    fn close(mut self) -> Vec<Follower> {
        self.closed = true;
        std::mem::take(&mut *self.batching.open()).followers
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if !self.closed {
            drop(std::mem::take(&mut *self.batching.open()));
        }
    }
}

/// Rows of one schema, one after the other; `None` where they do not fit it, or are too many for one call.
fn joined(schema: &Schema, parts: impl Iterator<Item = Batch>) -> Option<Batch> {
    let mut builder = TableBuilder::new(schema.clone());
    for part in parts {
        builder.push(part).ok()?;
    }
    let table = builder.finish().ok()?;
    read(&table, 0, table.num_rows())
}

/// The inverse of [`joined`]: as many rows each as `counts` says.
fn split(schema: &Schema, rows: Batch, counts: &[u64]) -> Option<Vec<Batch>> {
    let mut builder = TableBuilder::new(schema.clone());
    builder.push(rows).ok()?;
    let table = builder.finish().ok()?;
    let mut offset = 0;
    let part = |count: &u64| {
        let part = read(&table, offset, *count);
        offset += count;
        part
    };
    counts.iter().map(part).collect()
}

fn read(table: &Table, offset: u64, rows: u64) -> Option<Batch> {
    let columns: Vec<u32> = (0..table.schema().fields.len() as u32).collect();
    table.read(&columns, offset, rows).ok().filter(|batch| batch.num_rows == rows)
}
