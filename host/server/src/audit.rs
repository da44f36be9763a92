//! The record of who changed what, at the door: checking it, and reading it. Writing is part of each change, see
//! [`wasmlops_store::audit`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_store::{AuditRow, AuditVerdict};

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

/// What somebody wrote down of an earlier verification. Without it, records cut off the end do not show.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Noted {
    /// The hash of the last record then, in hex.
    pub head: Option<String>,
    /// How many records there were then.
    pub records: Option<i64>,
}

/// What a verification found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Every record is as it was written, and what was noted is still part of the chain.
    pub intact: bool,
    /// How many records there are; of a broken chain, how many are intact.
    pub records: i64,
    /// The hash of the last intact record, in hex.
    pub head: String,
    /// The first record that is not as it was written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub broken_at: Option<i64>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// A record as the outside sees it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditView {
    /// From 1, without gaps.
    pub seq: i64,
    /// RFC 3339, UTC.
    pub time: String,
    /// The same in microseconds since 1970, of which the hash is made.
    pub time_us: i64,
    pub actor: String,
    pub action: String,
    pub subject: String,
    /// A JSON object.
    pub details: Value,
    /// `details` byte for byte, where its JSON is not the text that the hash is made of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub details_text: Option<String>,
    /// Hash of the record before it, in hex.
    pub previous: String,
    /// BLAKE3 over this record and `previous`, in hex.
    pub hash: String,
}

/// Computes the whole chain again, and holds it against what was noted.
///
/// # Errors
/// The user's: a head that is no hash.
pub async fn verify(host: &Host, noted: &Noted) -> Result<Verification> {
    check(noted)?;
    match host.store.audit_verify().await? {
        AuditVerdict::Intact { records, head } => {
            let problem = missing(host, noted, records).await?;
            Ok(Verification { intact: problem.is_none(), records, head, broken_at: None, problem })
        }
        AuditVerdict::Broken { seq, why } => {
            let before = host.store.audit_records(seq - 2, 1).await?;
            let head = before.into_iter().find(|row| row.seq == seq - 1).map(|row| row.hash).unwrap_or_default();
            Ok(Verification { intact: false, records: seq - 1, head, broken_at: Some(seq), problem: Some(why) })
        }
    }
}

/// Up to `limit` records after number `after`, oldest first.
pub async fn records(host: &Host, after: i64, limit: i64) -> Result<Vec<AuditView>> {
    Ok(host.store.audit_records(after, limit).await?.into_iter().map(view).collect())
}

fn check(noted: &Noted) -> Result<()> {
    let hint = "give what an earlier `wasmlops audit verify` printed";
    if let Some(head) = &noted.head
        && !(head.len() == 64 && head.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err(Error::user("invalid-head", "a head is 64 hex digits", hint));
    }
    match noted.records {
        Some(records) if records < 0 => Err(Error::user("invalid-records", "a number of records is not below 0", hint)),
        _ => Ok(()),
    }
}

/// Why what was noted cannot be part of this chain.
async fn missing(host: &Host, noted: &Noted, records: i64) -> Result<Option<String>> {
    if let Some(known) = noted.records.filter(|known| *known > records) {
        return Ok(Some(format!("there were {known} records, and there are {records}: its end was cut off")));
    }
    let Some(head) = noted.head.as_deref().map(str::to_ascii_lowercase) else { return Ok(None) };
    Ok(match (noted.records, host.store.audit_record_of_hash(&head).await?) {
        (Some(known), Some(seq)) if known != seq => {
            Some(format!("record {known} has another hash than was noted; record {seq} has that one"))
        }
        (_, Some(_)) => None,
        // The hash before the first record.
        (Some(0) | None, None) if head.bytes().all(|byte| byte == b'0') => None,
        (_, None) => Some(format!("no record has the hash {head}: its end was cut off, or written anew")),
    })
}

fn view(row: AuditRow) -> AuditView {
    let parsed = serde_json::from_str::<Value>(&row.entry.details).ok();
    let same = parsed.as_ref().map(ToString::to_string).is_some_and(|text| text == row.entry.details);
    AuditView {
        seq: row.seq,
        time: rfc3339(row.entry.stamp.time),
        time_us: row.entry.stamp.time,
        actor: row.entry.stamp.actor,
        action: row.entry.action,
        subject: row.entry.subject,
        details: parsed.unwrap_or(Value::Null),
        details_text: (!same).then_some(row.entry.details),
        previous: row.previous,
        hash: row.hash,
    }
}
