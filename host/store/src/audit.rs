//! Who changed what, and when: records that cannot be changed or left out without it showing.
//!
//! Every record carries the hash of the one before it. The chain shows that nothing in the middle was touched; that its
//! end was not cut off shows only against a copy of an earlier [`AuditVerdict::Intact`].

use sqlx::Row;
use sqlx::error::ErrorKind;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::error::StoreError;
use crate::script::{Insert, Script};
use crate::store::Store;

/// Hashed first, so that a record can be mistaken for nothing else.
const DOMAIN: &[u8] = b"wasmlops-audit/1";

/// What the first record names as the hash before it.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Records read in one go while verifying.
const PAGE: i64 = 1000;

/// Who changes something, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Microseconds since 1970.
    pub time: i64,
    /// A user, a token or a part of the system: `cli:ann`, `schedule:nightly`.
    pub actor: String,
}

/// A record to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    pub stamp: Stamp,
    /// Noun and participle: `run.created`.
    pub action: String,
    /// What it was done to: `run:<id>`.
    pub subject: String,
    /// A JSON object, without secrets.
    pub details: String,
}

/// A record as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub seq: i64,
    pub entry: AuditEntry,
    /// Hash of the record before it, in hex.
    pub previous: String,
    /// BLAKE3 over this record and `previous`, in hex.
    pub hash: String,
}

/// What verifying found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuditVerdict {
    /// All records are as they were written. `head` is the hash of the last.
    Intact { records: i64, head: String },
    /// The first record that is not.
    Broken { seq: i64, why: String },
}

impl Store {
    /// Recomputes the whole chain.
    pub async fn audit_verify(&self) -> Result<AuditVerdict, StoreError> {
        let mut head = Head::genesis();
        loop {
            let page = self.audit_records(head.seq, PAGE).await?;
            if page.is_empty() {
                return Ok(AuditVerdict::Intact { records: head.seq, head: head.hash });
            }
            for row in page {
                let expected = head.follow(&row.entry);
                let why = if row.seq != expected.seq {
                    format!("record {} is missing", expected.seq)
                } else if row.previous != expected.previous {
                    "it does not follow the record before it".to_owned()
                } else if row.hash != expected.hash {
                    "its content was changed".to_owned()
                } else {
                    head = Head { seq: row.seq, hash: row.hash };
                    continue;
                };
                return Ok(AuditVerdict::Broken { seq: expected.seq, why });
            }
        }
    }

    /// The number of the record with this hash (in hex).
    pub async fn audit_record_of_hash(&self, hash: &str) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query_scalar("SELECT seq FROM audit WHERE hash = $1").bind(hash);
        Ok(query.fetch_optional(&mut *self.reader().await?).await?)
    }

    /// Up to `limit` records after number `after`, oldest first.
    pub async fn audit_records(&self, after: i64, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let query = sqlx::query(
            "SELECT seq, time, actor, action, subject, details, previous, hash FROM audit
             WHERE seq > $1 ORDER BY seq LIMIT $2",
        );
        let rows = query.bind(after).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(audit_row).collect()
    }
}

pub(crate) fn audit_row(row: &SqliteRow) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        seq: row.try_get("seq")?,
        entry: AuditEntry {
            stamp: Stamp { time: row.try_get("time")?, actor: row.try_get("actor")? },
            action: row.try_get("action")?,
            subject: row.try_get("subject")?,
            details: row.try_get("details")?,
        },
        previous: row.try_get("previous")?,
        hash: row.try_get("hash")?,
    })
}

/// The end of the chain as the writer knows it, to save reading it for every commit.
#[derive(Default)]
pub(crate) struct Chain {
    head: Option<Head>,
}

#[derive(Clone)]
struct Head {
    seq: i64,
    hash: String,
}

impl Chain {
    /// Appends the records and commits the transaction. `before` is run first.
    pub async fn commit(
        &mut self,
        connection: &mut SqliteConnection,
        before: Option<&'static str>,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        match self.try_commit(connection, before, entries).await {
            // Another process has appended since: its records have the numbers that ours were to get.
            Err(error) if error.violated() == Some(ErrorKind::UniqueViolation) => {
                self.try_commit(connection, None, entries).await
            }
            end => end,
        }
    }

    /// Forgets the head unless all goes well.
    async fn try_commit(
        &mut self,
        connection: &mut SqliteConnection,
        before: Option<&'static str>,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut script = Script::new();
        if let Some(before) = before {
            script.statement(before);
        }
        let head = if entries.is_empty() {
            self.head.clone()
        } else {
            let mut head = match self.head.take() {
                Some(head) => head,
                None => read_head(connection).await?,
            };
            let rows: Vec<_> = entries
                .iter()
                .map(|entry| {
                    let row = head.follow(entry);
                    head = Head { seq: row.seq, hash: row.hash.clone() };
                    row
                })
                .collect();
            insert_records(&mut script, rows);
            Some(head)
        };
        script.statement("COMMIT");
        script.run(connection).await?;
        self.head = head;
        Ok(())
    }
}

async fn read_head(connection: &mut SqliteConnection) -> Result<Head, StoreError> {
    let query = sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
    let last: Option<(i64, String)> = query.fetch_optional(connection).await?;
    Ok(last.map_or_else(Head::genesis, |(seq, hash)| Head { seq, hash }))
}

fn insert_records(script: &mut Script, rows: Vec<AuditRow>) {
    let insert = Insert {
        head: "INSERT INTO audit (seq, time, actor, action, subject, details, previous, hash)",
        row: "(?, ?, ?, ?, ?, ?, ?, ?)",
        tail: "",
    };
    script.insert(insert, rows, |values, AuditRow { seq, entry, previous, hash }| {
        values.bind(seq).bind(entry.stamp.time).bind(entry.stamp.actor).bind(entry.action);
        values.bind(entry.subject).bind(entry.details).bind(previous).bind(hash);
    });
}

impl Head {
    fn genesis() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }

    /// The record that follows.
    fn follow(&self, entry: &AuditEntry) -> AuditRow {
        let seq = self.seq + 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(DOMAIN).update(&seq.to_le_bytes()).update(&entry.stamp.time.to_le_bytes());
        // Lengths, so that no text can borrow from its neighbour.
        for text in [&entry.stamp.actor, &entry.action, &entry.subject, &entry.details, &self.hash] {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        let hash = hasher.finalize().to_hex().to_string();
        AuditRow { seq, entry: entry.clone(), previous: self.hash.clone(), hash }
    }
}
