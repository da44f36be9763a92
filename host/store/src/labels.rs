//! What turned out to be true of predictions. A label never changes: the same one again is fine, another is not.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row};

use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::row::placeholders;
use crate::script::{Insert, Script};
use crate::store::Store;
use crate::writer::Tx;

/// Ids in one statement.
const AT_ONCE: usize = 500;

/// A label as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelRow {
    /// The prediction's.
    pub id: String,
    /// Canonical JSON.
    pub value: String,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub received: i64,
    /// It came after the endpoint's lateness: no window uses it.
    pub late: bool,
}

/// Labels of one endpoint that came together.
#[derive(Clone, Debug)]
pub struct NewLabels {
    pub endpoint: String,
    pub labels: Vec<LabelRow>,
    pub stamp: Stamp,
}

/// What became of them. With a conflict, nothing was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LabelsWritten {
    pub accepted: u64,
    pub duplicate: u64,
    /// Ids of those accepted that were late.
    pub late: Vec<String>,
    pub conflicts: Vec<LabelConflict>,
}

/// A prediction that has another label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelConflict {
    pub id: String,
    pub there: String,
    pub given: String,
}

impl Store {
    /// Adds labels in one transaction with one audit record: all of them, or none if one contradicts a label that is
    /// there or another of them.
    pub async fn record_labels(&self, labels: NewLabels) -> Result<LabelsWritten, StoreError> {
        self.with_tx(move |tx| Box::pin(write_labels(tx, labels))).await
    }

    /// The labels of these predictions, by id.
    pub async fn labels_of(&self, endpoint: &str, ids: &[String]) -> Result<BTreeMap<String, LabelRow>, StoreError> {
        read_labels(&mut *self.reader().await?, endpoint, ids).await
    }

    /// The labels that came last, newest first.
    pub async fn newest_labels(&self, endpoint: &str, limit: u32) -> Result<Vec<LabelRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, value, received, late FROM labels WHERE endpoint = $1 ORDER BY received DESC, id DESC LIMIT $2",
        );
        let rows = query.bind(endpoint).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(label_row).collect::<Result<_, _>>()?)
    }
}

async fn write_labels(tx: &mut Tx, new: NewLabels) -> Result<LabelsWritten, StoreError> {
    let ids: Vec<String> = new.labels.iter().map(|label| label.id.clone()).collect();
    let mut there = read_labels(tx.connection().await?, &new.endpoint, &ids).await?;
    let mut written = LabelsWritten::default();
    let mut rows = Vec::new();
    for label in new.labels {
        match there.get(&label.id) {
            Some(known) if known.value == label.value => written.duplicate += 1,
            Some(known) => {
                let (there, given) = (known.value.clone(), label.value);
                written.conflicts.push(LabelConflict { id: label.id, there, given });
            }
            None => {
                if label.late {
                    written.late.push(label.id.clone());
                }
                there.insert(label.id.clone(), label.clone());
                rows.push(label);
            }
        }
    }
    if !written.conflicts.is_empty() {
        return Ok(LabelsWritten { conflicts: written.conflicts, ..LabelsWritten::default() });
    }
    written.accepted = rows.len() as u64;
    if rows.is_empty() {
        return Ok(written);
    }
    tx.audit(AuditEntry {
        stamp: new.stamp,
        action: "labels.recorded".to_owned(),
        subject: format!("endpoint:{}", new.endpoint),
        details: json!({ "accepted": written.accepted, "duplicate": written.duplicate, "late": written.late.len() })
            .to_string(),
    });
    let mut script = Script::new();
    let insert =
        Insert { head: "INSERT INTO labels (endpoint, id, value, received, late)", row: "(?, ?, ?, ?, ?)", tail: "" };
    script.insert(insert, rows, |values, label| {
        values.bind(new.endpoint.clone()).bind(label.id).bind(label.value).bind(label.received).bind(label.late);
    });
    tx.run(script).await?;
    Ok(written)
}

async fn read_labels(
    connection: &mut SqliteConnection,
    endpoint: &str,
    ids: &[String],
) -> Result<BTreeMap<String, LabelRow>, StoreError> {
    let mut labels = BTreeMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let sql = format!(
            "SELECT id, value, received, late FROM labels WHERE endpoint = ? AND id IN ({})",
            placeholders(ids.len())
        );
        // The text is made of literals of this crate alone; all data is bound.
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(endpoint);
        for id in ids {
            query = query.bind(id);
        }
        for row in query.fetch_all(&mut *connection).await? {
            let label = label_row(&row)?;
            labels.insert(label.id.clone(), label);
        }
    }
    Ok(labels)
}

fn label_row(row: &SqliteRow) -> Result<LabelRow, sqlx::Error> {
    Ok(LabelRow {
        id: row.try_get("id")?,
        value: row.try_get("value")?,
        received: row.try_get("received")?,
        late: row.try_get("late")?,
    })
}
