//! Requests that clients repeat: what was asked under which key, whether it took effect, and what was answered.
//!
//! A key is reserved before its request is worked on. While a future runs inside [`under_key`], every transaction that
//! it submits counts itself as an effect of the key, in that transaction: after a crash it is known whether the
//! request had changed anything. These rows are about requests and not about the project, so that they have no audit
//! records of their own. Knows nothing of HTTP: a route, a hash and an answer are opaque here.

use std::future::Future;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::error::StoreError;
use crate::script::Script;
use crate::store::Store;
use crate::writer::{Tx, Work};

tokio::task_local! {
    static KEY: String;
}

/// A request under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewKey {
    /// Keys of different clients, and of different routes, do not meet.
    pub actor: String,
    pub route: String,
    pub key: String,
    /// Of the reservation, unless there is one already.
    pub id: String,
    pub fingerprint: String,
    pub holder: String,
    /// Microseconds since 1970.
    pub now: i64,
    /// Keys from before this time are forgotten.
    pub expired: i64,
}

/// What is known of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyState {
    /// It is reserved now.
    New,
    /// Reserved earlier for the same request, which has no answer yet.
    Begun {
        id: String,
        holder: String,
        took_effect: bool,
    },
    Answered(KeptAnswer),
    /// Used for another request.
    Taken,
}

/// An answer as it was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptAnswer {
    pub status: u16,
    /// A JSON object.
    pub headers: String,
    /// Absent: it held what must not be kept.
    pub body: Option<Vec<u8>>,
}

/// Runs `work` on behalf of the reservation of this id.
pub async fn under_key<F: Future>(id: String, work: F) -> F::Output {
    KEY.scope(id, work).await
}

/// The reservation that the current task works for.
pub(crate) fn current() -> Option<String> {
    KEY.try_with(String::clone).ok()
}

/// Work that counts as an effect of a key, in its own transaction.
pub(crate) fn noted<T, E, F>(work: F, id: String) -> impl for<'t> FnOnce(&'t mut Tx) -> Work<'t, T, E> + Send + 'static
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T, E> + Send + 'static,
{
    move |tx| {
        Box::pin(async move {
            let value = work(tx).await?;
            if tx.was_used() {
                let mut script = Script::new();
                script.statement("UPDATE idempotency_keys SET effects = effects + 1 WHERE id = ?").bind(id);
                tx.run(script).await?;
            }
            Ok(value)
        })
    }
}

impl Store {
    /// Reserves a key, or says what is known of it. Forgets what has expired.
    pub async fn reserve_key(&self, new: NewKey) -> Result<KeyState, StoreError> {
        self.with_tx(move |tx| Box::pin(reserve(tx, new))).await
    }

    /// Makes a reservation this process's, if it still is `from`'s and has no answer.
    pub async fn take_over_key(&self, id: &str, from: &str, to: &str) -> Result<bool, StoreError> {
        let (id, from, to) = (id.to_owned(), from.to_owned(), to.to_owned());
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query(
                    "UPDATE idempotency_keys SET holder = $1 WHERE id = $2 AND holder = $3 AND status IS NULL",
                );
                let done = query.bind(to).bind(id).bind(from).execute(tx.connection().await?).await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Keeps what was answered. The first answer stays.
    pub async fn keep_answer(&self, id: &str, answer: KeptAnswer) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let mut script = Script::new();
                script
                    .statement(
                        "UPDATE idempotency_keys SET status = ?, headers = ?, body = ? WHERE id = ? AND status IS NULL",
                    )
                    .bind(i64::from(answer.status))
                    .bind(answer.headers)
                    .bind(answer.body)
                    .bind(id);
                tx.run(script).await
            })
        })
        .await
    }

    /// Forgets a reservation that came to nothing, so that the key can be used again. One that took effect stays.
    pub async fn release_key(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let mut script = Script::new();
                script
                    .statement("DELETE FROM idempotency_keys WHERE id = ? AND effects = 0 AND status IS NULL")
                    .bind(id);
                tx.run(script).await
            })
        })
        .await
    }
}

async fn reserve(tx: &mut Tx, new: NewKey) -> Result<KeyState, StoreError> {
    let mut script = Script::new();
    script.statement("DELETE FROM idempotency_keys WHERE created < ?").bind(new.expired);
    tx.run(script).await?;
    if let Some(known) = known(tx.connection().await?, &new).await? {
        return Ok(known);
    }
    let mut script = Script::new();
    script
        .statement(
            "INSERT INTO idempotency_keys (actor, route, key, id, fingerprint, holder, created)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.actor)
        .bind(new.route)
        .bind(new.key)
        .bind(new.id)
        .bind(new.fingerprint)
        .bind(new.holder)
        .bind(new.now);
    tx.run(script).await?;
    Ok(KeyState::New)
}

async fn known(connection: &mut SqliteConnection, new: &NewKey) -> Result<Option<KeyState>, StoreError> {
    let query = sqlx::query(
        "SELECT id, fingerprint, holder, effects, status, headers, body FROM idempotency_keys
         WHERE actor = $1 AND route = $2 AND key = $3",
    );
    let query = query.bind(&new.actor).bind(&new.route).bind(&new.key);
    let row = query.fetch_optional(connection).await?;
    Ok(row.as_ref().map(|row| state(row, &new.fingerprint)).transpose()?)
}

fn state(row: &SqliteRow, fingerprint: &str) -> Result<KeyState, sqlx::Error> {
    if row.try_get::<&str, _>("fingerprint")? != fingerprint {
        return Ok(KeyState::Taken);
    }
    let status: Option<i64> = row.try_get("status")?;
    Ok(match status {
        Some(status) => KeyState::Answered(KeptAnswer {
            status: u16::try_from(status).unwrap_or(500),
            headers: row.try_get::<Option<String>, _>("headers")?.unwrap_or_default(),
            body: row.try_get("body")?,
        }),
        None => KeyState::Begun {
            id: row.try_get("id")?,
            holder: row.try_get("holder")?,
            took_effect: row.try_get::<i64, _>("effects")? > 0,
        },
    })
}
