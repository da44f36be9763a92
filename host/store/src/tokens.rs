//! Tokens, of which only hashes are kept. What a role may do is the caller's to know.

use serde_json::{Value, json};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Tx;

/// Microseconds between two notes of a token's use.
const TOUCH: i64 = 60_000_000;

/// A token as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRow {
    /// What people call it by.
    pub id: String,
    pub name: String,
    pub role: String,
    /// A JSON list of texts.
    pub scopes: String,
    /// Its holder may give access to others.
    pub administers: bool,
    /// Microseconds since 1970-01-01T00:00:00Z, as are the others.
    pub created: i64,
    pub created_by: String,
    pub expires: Option<i64>,
    /// To the minute.
    pub last_used: Option<i64>,
    pub revoked: Option<i64>,
}

impl TokenRow {
    /// Neither revoked nor run out.
    pub fn is_good(&self, now: i64) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }

    /// Its last use was noted so long ago that this one should be.
    pub fn is_stale(&self, now: i64) -> bool {
        self.last_used.is_none_or(|last| now - last >= TOUCH)
    }
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub id: String,
    pub name: String,
    /// SHA-256 of the token in lower-case hex.
    pub hash: String,
    pub role: String,
    pub scopes: String,
    pub administers: bool,
    pub expires: Option<i64>,
    /// Makes it only where the project has no token yet and never had one.
    pub first: bool,
    pub stamp: Stamp,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenCreated {
    Created,
    /// A good token has the name.
    NameTaken,
    /// It was to be the first, and is not.
    NotFirst,
}

/// What became of a wish to revoke one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenRevoked {
    Revoked(TokenRow),
    /// By whomever, before.
    Already(TokenRow),
    Unknown,
    /// Nobody could give access any more.
    LastAdmin(TokenRow),
}

impl Store {
    /// Makes a token, with its audit record.
    pub async fn create_token(&self, new: NewToken) -> Result<TokenCreated, StoreError> {
        self.with_tx(move |tx| Box::pin(create(tx, new))).await
    }

    /// Revokes a token, with its audit record. The last one that can give access stays unless `force`.
    pub async fn revoke_token(&self, id: &str, force: bool, stamp: Stamp) -> Result<TokenRevoked, StoreError> {
        let id = id.to_owned();
        self.with_tx(move |tx| Box::pin(revoke(tx, id, force, stamp))).await
    }

    /// Notes that a token was used, at most once a minute.
    pub async fn touch_token(&self, id: &str, now: i64) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.with_tx(move |tx| Box::pin(touch(tx, id, now))).await
    }

    /// The token with this hash, whatever became of it.
    pub async fn token_by_hash(&self, hash: &str) -> Result<Option<TokenRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, name, role, scopes, administers, created, created_by, expires, last_used, revoked FROM tokens
             WHERE hash = $1",
        );
        let row = query.bind(hash).fetch_optional(&mut *self.reader().await?).await?;
        row.as_ref().map(token_row).transpose()
    }

    /// All tokens, those that were revoked included, newest first.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, name, role, scopes, administers, created, created_by, expires, last_used, revoked FROM tokens
             ORDER BY created DESC, id DESC",
        );
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(token_row).collect()
    }
}

async fn create(tx: &mut Tx, new: NewToken) -> Result<TokenCreated, StoreError> {
    if new.first && has_any(tx).await? {
        return Ok(TokenCreated::NotFirst);
    }
    if has_name(tx, &new.name).await? {
        return Ok(TokenCreated::NameTaken);
    }
    let scopes: Value = serde_json::from_str(&new.scopes).unwrap_or_default();
    tx.audit(AuditEntry {
        stamp: new.stamp.clone(),
        action: "token.created".to_owned(),
        subject: format!("token:{}", new.id),
        details: json!({ "name": new.name, "role": new.role, "scopes": scopes, "expires": new.expires }).to_string(),
    });
    insert(tx, new).await?;
    Ok(TokenCreated::Created)
}

async fn has_any(tx: &mut Tx) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar("SELECT COUNT(*) FROM tokens");
    let count: i64 = query.fetch_one(tx.connection().await?).await?;
    Ok(count > 0)
}

async fn has_name(tx: &mut Tx, name: &str) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar("SELECT COUNT(*) FROM tokens WHERE name = $1 AND revoked IS NULL");
    let count: i64 = query.bind(name).fetch_one(tx.connection().await?).await?;
    Ok(count > 0)
}

async fn insert(tx: &mut Tx, new: NewToken) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO tokens (id, name, hash, role, scopes, administers, created, created_by, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    let query = query.bind(new.id).bind(new.name).bind(new.hash).bind(new.role).bind(new.scopes);
    let query = query.bind(new.administers).bind(new.stamp.time).bind(new.stamp.actor).bind(new.expires);
    query.execute(tx.connection().await?).await?;
    Ok(())
}

async fn revoke(tx: &mut Tx, id: String, force: bool, stamp: Stamp) -> Result<TokenRevoked, StoreError> {
    let Some(row) = by_id(tx, &id).await? else { return Ok(TokenRevoked::Unknown) };
    if row.revoked.is_some() {
        return Ok(TokenRevoked::Already(row));
    }
    let gives_access = row.administers && row.is_good(stamp.time);
    if gives_access && !force && other_admins(tx, &id, stamp.time).await? == 0 {
        return Ok(TokenRevoked::LastAdmin(row));
    }
    tx.audit(AuditEntry {
        action: "token.revoked".to_owned(),
        subject: format!("token:{id}"),
        details: json!({ "name": row.name }).to_string(),
        stamp: stamp.clone(),
    });
    set_revoked(tx, &id, stamp.time).await?;
    Ok(TokenRevoked::Revoked(TokenRow { revoked: Some(stamp.time), ..row }))
}

async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<TokenRow>, StoreError> {
    let query = sqlx::query(
        "SELECT id, name, role, scopes, administers, created, created_by, expires, last_used, revoked FROM tokens
         WHERE id = $1",
    );
    let row = query.bind(id).fetch_optional(tx.connection().await?).await?;
    row.as_ref().map(token_row).transpose()
}

async fn other_admins(tx: &mut Tx, id: &str, now: i64) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar(
        "SELECT COUNT(*) FROM tokens
         WHERE administers = 1 AND revoked IS NULL AND (expires IS NULL OR expires > $1) AND id <> $2",
    );
    Ok(query.bind(now).bind(id).fetch_one(tx.connection().await?).await?)
}

async fn set_revoked(tx: &mut Tx, id: &str, now: i64) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE tokens SET revoked = $1 WHERE id = $2");
    query.bind(now).bind(id).execute(tx.connection().await?).await?;
    Ok(())
}

async fn touch(tx: &mut Tx, id: String, now: i64) -> Result<(), StoreError> {
    let query =
        sqlx::query("UPDATE tokens SET last_used = $1 WHERE id = $2 AND (last_used IS NULL OR last_used <= $3)");
    query.bind(now).bind(id).bind(now - TOUCH).execute(tx.connection().await?).await?;
    Ok(())
}

fn token_row(row: &SqliteRow) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        scopes: row.try_get("scopes")?,
        administers: row.try_get("administers")?,
        created: row.try_get("created")?,
        created_by: row.try_get("created_by")?,
        expires: row.try_get("expires")?,
        last_used: row.try_get("last_used")?,
        revoked: row.try_get("revoked")?,
    })
}
