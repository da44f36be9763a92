//! Labels: what turned out to be true of predictions, told later by their ids.
//!
//! A label is recorded once and never changes. Its value is brought into the form of the column that the model
//! predicts, so that `"1"` from a file and `1` from a program are the same label of a whole number. Durable
//! when answered.

mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_core::canonical_json::to_canonical;
use wasmlops_core::config::LabelConfig;
use wasmlops_core::run::Micros;
use wasmlops_core::table::{DataType, Field, Table};
use wasmlops_store::{LabelConflict, LabelRow, NewLabels, Stamp};

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::inference::{columns, journals};

pub(crate) use value::{normal, type_of};

/// Labels in one transaction, with one audit record.
const BATCH: usize = 10_000;

/// Ids that a message names.
const NAMED: usize = 5;

/// The truth about a prediction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// The prediction's.
    pub id: String,
    /// A boolean, a number or a text.
    pub value: Value,
}

/// What became of labels.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct LabelAnswer {
    /// Recorded now, the late ones included.
    pub accepted: u64,
    /// Recorded before, with the same value.
    pub duplicate: u64,
    /// Ids that the endpoint's log does not hold: never logged, or removed by a cap. Nothing was recorded for them.
    pub unknown: Vec<String>,
    /// Ids whose label came after the endpoint's lateness: recorded, and used by no window.
    pub late: Vec<String>,
}

/// A label as it is shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LabelView {
    pub id: String,
    pub value: Value,
    /// RFC 3339.
    pub received: String,
    pub late: bool,
}

/// Records labels of an endpoint's predictions. The same label again changes nothing, so a caller that heard no answer
/// may repeat the call.
///
/// # Errors
/// The user's, `label-conflict` for a prediction that has another label, `invalid-label` for a value that the model
/// cannot have predicted. Then none of these 10,000 labels was recorded; earlier ones of a longer list were.
pub async fn record(host: &Host, endpoint: &str, labels: Vec<Label>, actor: &str) -> Result<LabelAnswer> {
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
    let known = Predictions::find(host, endpoint, &labels).await?;
    let mut answer = LabelAnswer::default();
    let mut rows = Vec::new();
    for label in labels {
        match known.judge(label, stamp.time)? {
            Judged::Row(row) => rows.push(row),
            Judged::Unknown(id) => answer.unknown.push(id),
        }
    }
    for rows in rows.chunks(BATCH) {
        let new = NewLabels { endpoint: endpoint.to_owned(), labels: rows.to_vec(), stamp: stamp.clone() };
        let written = host.store.record_labels(new).await?;
        if !written.conflicts.is_empty() {
            return Err(conflict(&written.conflicts));
        }
        answer.accepted += written.accepted;
        answer.duplicate += written.duplicate;
        answer.late.extend(written.late);
    }
    host.store.barrier().await?;
    Ok(answer)
}

/// Records the labels of a table with the columns `id` and `label`; rows without a label are passed over.
///
/// # Errors
/// As of [`record`], and the user's, if the table lacks a column.
pub async fn record_table(host: &Host, endpoint: &str, table: &Table, actor: &str) -> Result<LabelAnswer> {
    let column = |name: &str| {
        table.schema().index_of(name).ok_or_else(|| {
            let hint = "give a table with the columns `id` and `label`";
            Error::user("invalid-input", format!("the table of labels has no column `{name}`"), hint)
        })
    };
    let ids = columns::cells(table, column("id")?);
    let values = columns::cells(table, column("label")?);
    let pairs = ids.into_iter().zip(values).filter(|(_, value)| !value.is_null());
    let text = |id: Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let labels = pairs.map(|(id, value)| Label { id: text(id), value }).collect();
    record(host, endpoint, labels, actor).await
}

/// The labels that came last, newest first.
pub async fn list(host: &Host, endpoint: &str, limit: u32) -> Result<Vec<LabelView>> {
    check_endpoint(host, endpoint).await?;
    let rows = host.store.newest_labels(endpoint, limit).await?;
    rows.into_iter().map(view).collect()
}

pub(crate) fn view(row: LabelRow) -> Result<LabelView> {
    let value = serde_json::from_str(&row.value).map_err(Error::bug)?;
    Ok(LabelView { id: row.id, value, received: rfc3339(row.received), late: row.late })
}

/// What is known of the predictions that labels are for.
struct Predictions {
    by_id: BTreeMap<String, Prediction>,
    /// Labels of predictions that were removed since: they still answer a repetition.
    labelled: BTreeMap<String, LabelRow>,
    lateness: Micros,
}

struct Prediction {
    time: Micros,
    /// The type of the column that the model predicts, where it is known.
    data_type: Option<DataType>,
}

enum Judged {
    Row(LabelRow),
    Unknown(String),
}

impl Predictions {
    async fn find(host: &Host, endpoint: &str, labels: &[Label]) -> Result<Self> {
        let wanted: BTreeSet<String> = labels.iter().map(|label| label.id.clone()).collect();
        // The journals first: see `inference::journals`.
        let (home, name) = (host.home.clone(), endpoint.to_owned());
        let find = move || in_journals(&home, &name, wanted);
        let (mut by_id, open) = tokio::task::spawn_blocking(find).await.map_err(Error::bug)??;
        for known in host.store.known_predictions(endpoint, &open).await? {
            let target = known.target.as_deref().map(serde_json::from_str::<Field>).transpose().map_err(Error::bug)?;
            let data_type = target.map(|target| target.data_type);
            by_id.insert(known.id, Prediction { time: known.time, data_type });
        }
        let missing: Vec<String> = open.into_iter().filter(|id| !by_id.contains_key(id)).collect();
        let labelled = match missing.is_empty() {
            true => BTreeMap::new(),
            false => {
                check_endpoint(host, endpoint).await?;
                host.store.labels_of(endpoint, &missing).await?
            }
        };
        Ok(Self { by_id, labelled, lateness: lateness(host, endpoint) })
    }

    fn judge(&self, label: Label, now: Micros) -> Result<Judged> {
        let Some(prediction) = self.by_id.get(&label.id) else {
            let same = self.labelled.get(&label.id).filter(|known| says(known, &label.value));
            return Ok(same.map_or(Judged::Unknown(label.id), |known| Judged::Row(known.clone())));
        };
        let value = match prediction.data_type {
            Some(data_type) => normal(&label.value, data_type),
            None => value::scalar(&label.value),
        };
        let Some(value) = value else {
            let expected = prediction.data_type.map_or("a boolean, a number or a text", value::expected);
            let message = format!("label of `{}`: `{}` cannot be it", label.id, label.value);
            return Err(Error::user("invalid-label", message, format!("the model predicts {expected}")));
        };
        let late = now.saturating_sub(prediction.time) > self.lateness;
        Ok(Judged::Row(LabelRow { id: label.id, value: to_canonical(&value), received: now, late }))
    }
}

/// Whether a label that is there is the given value, in any form that it may have been given in.
fn says(known: &LabelRow, given: &Value) -> bool {
    let Ok(there) = serde_json::from_str::<Value>(&known.value) else { return false };
    normal(given, type_of([&there].into_iter())).is_some_and(|given| to_canonical(&given) == known.value)
}

/// What journals know of the wanted ids, and the ids that they do not hold.
fn in_journals(
    home: &std::path::Path,
    endpoint: &str,
    mut wanted: BTreeSet<String>,
) -> Result<(BTreeMap<String, Prediction>, Vec<String>)> {
    let mut found = BTreeMap::new();
    for (_, journal) in journals(home, endpoint)? {
        for record in &journal.records {
            for id in record.ids() {
                if wanted.remove(&id) {
                    let target = journal.sources[record.source].target.as_ref();
                    let data_type = target.map(|target| target.data_type);
                    found.insert(id, Prediction { time: record.time, data_type });
                }
            }
        }
    }
    Ok((found, wanted.into_iter().collect()))
}

/// An endpoint is one that the project names, or that has answered.
async fn check_endpoint(host: &Host, endpoint: &str) -> Result<()> {
    let names = || host.project.endpoints.iter().map(|known| known.name.value.as_str());
    if names().any(|known| known == endpoint)
        || host.store.inference_state(endpoint).await?.next_seq > 0
        || !journals(&host.home, endpoint)?.is_empty()
    {
        return Ok(());
    }
    let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
    let hint = match names.is_empty() {
        true => "declare it under `endpoints:` in `wasmlops.yaml`".to_owned(),
        false => format!("there is {}", names.join(", ")),
    };
    Err(Error::user("not-found", format!("there is no endpoint `{endpoint}`"), hint))
}

/// How long after its prediction a label of the endpoint counts.
fn lateness(host: &Host, endpoint: &str) -> Micros {
    let config = host.project.endpoints.iter().find(|known| known.name.value == endpoint);
    let lateness: Duration = config.map_or_else(|| LabelConfig::default().lateness, |known| known.labels.lateness);
    Micros::try_from(lateness.as_micros()).unwrap_or(Micros::MAX)
}

fn conflict(conflicts: &[LabelConflict]) -> Error {
    let one = |conflict: &LabelConflict| format!("`{}` is {} and not {}", conflict.id, conflict.there, conflict.given);
    let mut named: Vec<String> = conflicts.iter().take(NAMED).map(one).collect();
    if conflicts.len() > NAMED {
        named.push(format!("and {} more", conflicts.len() - NAMED));
    }
    let message = format!("a label cannot change: {}", named.join(", "));
    Error::user("label-conflict", message, "leave out the labels that are there already; nothing was recorded")
}
