//! Named secrets as ciphertext. What encrypts and decrypts them is the host's business: no value ever comes here.

use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::script::Script;
use crate::store::Store;
use crate::writer::Tx;

/// A secret whose value is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    pub name: String,
    /// Never used twice with one key.
    pub nonce: Vec<u8>,
    /// With the tag at its end.
    pub ciphertext: Vec<u8>,
    /// Which key it was encrypted with.
    pub key_id: String,
}

/// What may be told of a secret. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretRow {
    pub name: String,
    pub key_id: String,
    /// When the name was first set.
    pub created: i64,
    /// When its value was set, and by whom.
    pub updated: i64,
    pub actor: String,
}

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedSecret").field("name", &self.name).field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Store {
    /// Sets a secret, or gives it another value. Says whether the name is new.
    pub async fn set_secret(&self, secret: SealedSecret, stamp: Stamp) -> Result<bool, StoreError> {
        self.with_tx(move |tx| Box::pin(set(tx, secret, stamp))).await
    }

    /// The secret of this name, sealed.
    pub async fn sealed_secret(&self, name: &str) -> Result<Option<SealedSecret>, StoreError> {
        let query = sqlx::query("SELECT name, nonce, ciphertext, key_id FROM secrets WHERE name = $1").bind(name);
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        let sealed = |row: SqliteRow| -> Result<SealedSecret, sqlx::Error> {
            Ok(SealedSecret {
                name: row.try_get("name")?,
                nonce: row.try_get("nonce")?,
                ciphertext: row.try_get("ciphertext")?,
                key_id: row.try_get("key_id")?,
            })
        };
        Ok(row.map(sealed).transpose()?)
    }

    /// All secrets by name, without their values.
    pub async fn secrets(&self) -> Result<Vec<SecretRow>, StoreError> {
        let query = sqlx::query("SELECT name, key_id, created, updated, actor FROM secrets ORDER BY name");
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let secret = |row: &SqliteRow| -> Result<SecretRow, sqlx::Error> {
            Ok(SecretRow {
                name: row.try_get("name")?,
                key_id: row.try_get("key_id")?,
                created: row.try_get("created")?,
                updated: row.try_get("updated")?,
                actor: row.try_get("actor")?,
            })
        };
        Ok(rows.iter().map(secret).collect::<Result<_, _>>()?)
    }

    /// Removes a secret. Says whether there was one.
    pub async fn remove_secret(&self, name: &str, stamp: Stamp) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.with_tx(move |tx| Box::pin(remove(tx, name, stamp))).await
    }
}

async fn set(tx: &mut Tx, secret: SealedSecret, stamp: Stamp) -> Result<bool, StoreError> {
    let is_new = !exists(tx, &secret.name).await?;
    tx.audit(entry(&stamp, "secret.set", &secret.name, json!({ "new": is_new, "key": secret.key_id })));
    let mut script = Script::new();
    script
        .statement(
            "INSERT INTO secrets (name, nonce, ciphertext, key_id, created, updated, actor)
             VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET nonce = excluded.nonce, ciphertext = excluded.ciphertext,
                 key_id = excluded.key_id, updated = excluded.updated, actor = excluded.actor",
        )
        .bind(secret.name)
        .bind(secret.nonce)
        .bind(secret.ciphertext)
        .bind(secret.key_id)
        .bind(stamp.time)
        .bind(stamp.time)
        .bind(stamp.actor);
    tx.run(script).await?;
    Ok(is_new)
}

async fn remove(tx: &mut Tx, name: String, stamp: Stamp) -> Result<bool, StoreError> {
    if !exists(tx, &name).await? {
        return Ok(false);
    }
    tx.audit(entry(&stamp, "secret.removed", &name, json!({})));
    let mut script = Script::new();
    script.statement("DELETE FROM secrets WHERE name = ?").bind(name);
    tx.run(script).await?;
    Ok(true)
}

async fn exists(tx: &mut Tx, name: &str) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar::<_, i64>("SELECT 1 FROM secrets WHERE name = $1").bind(name);
    Ok(query.fetch_optional(tx.connection().await?).await?.is_some())
}

fn entry(stamp: &Stamp, action: &str, name: &str, details: serde_json::Value) -> AuditEntry {
    AuditEntry {
        stamp: stamp.clone(),
        action: action.to_owned(),
        subject: format!("secret:{name}"),
        details: details.to_string(),
    }
}
