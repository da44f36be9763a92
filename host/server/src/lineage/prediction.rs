//! The lineage of one answer: which release gave it, what stood behind it at that time, and from which data that came.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_core::artifact::VersionDocument;
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_core::run::Micros;
use wasmlops_core::table::{DataType, Table};
use wasmlops_store::Direction;

use super::{EdgeView, Walk};
use crate::clock::{parse_rfc3339, rfc3339};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::inference::columns;
use crate::inference::pieces::{self, Piece};
use crate::inference::{Journal, JournalRecord, journals_of};
use crate::labels::{self, LabelView};
use crate::models::{self, MoveView};

/// A prediction and what is behind it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PredictionView {
    pub id: String,
    pub endpoint: String,
    /// RFC 3339.
    pub time: String,
    pub latency_ms: f64,
    /// The code of the error that was answered instead.
    pub error: Option<String>,
    pub release: String,
    pub model: String,
    pub version: u64,
    /// The aliases that stood for the version at that time, with who moved them there and why.
    pub aliases: Vec<MoveView>,
    pub features: Map<String, Value>,
    pub prediction: Map<String, Value>,
    /// What turned out to be true.
    pub label: Option<LabelView>,
    /// Absent if the registry does not know the version.
    pub origin: Option<Origin>,
    /// The steps and artifacts that the model was made from, nearest first.
    pub upstream: Vec<EdgeView>,
    /// Whether there was more than is shown.
    pub truncated: bool,
}

/// Where the version is from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Of the version's content.
    pub digest: String,
    pub run: Option<String>,
    pub step: Option<String>,
    pub git_commit: Option<String>,
    /// Digests of the reports that speak for it.
    pub evidence: Vec<String>,
    /// With the data and the code that it was made from.
    #[schemars(with = "crate::view::shapes::ContentShape")]
    pub content: VersionDocument,
}

/// The prediction of this id; the newest, if a caller has used the id several times.
pub async fn prediction(host: &Host, id: &str) -> Result<Option<PredictionView>> {
    let Some(found) = find(host, id).await? else { return Ok(None) };
    let time = found.time()?;
    let version = ModelRef { name: found.text("_model"), selector: Selector::Version(found.version()) };
    let origin = match models::show_version(host, &version).await {
        Ok(view) => Some(Origin {
            digest: view.digest,
            run: view.run,
            step: view.step,
            git_commit: view.git_commit,
            evidence: view.evidence,
            content: view.content,
        }),
        Err(Error::User(_)) => None,
        Err(error) => return Err(error),
    };
    let mut walk = Walk { host, edges: BTreeSet::new(), truncated: false };
    if let Some(origin) = &origin {
        walk.follow(origin.content.model, Direction::Made).await?;
    }
    let label = host.store.labels_of(&found.endpoint, &[id.to_owned()]).await?.remove(id);
    Ok(Some(PredictionView {
        id: id.to_owned(),
        time: rfc3339(time),
        latency_ms: found.meta("_latency_ms").as_f64().unwrap_or_default(),
        error: found.meta("_error").as_str().map(str::to_owned),
        release: found.text("_release"),
        aliases: aliases(host, &version.name, found.version(), time).await?,
        model: version.name,
        version: found.version(),
        features: found.cells(|piece, column| column < piece.features),
        prediction: found.cells(Piece::is_prediction),
        label: label.map(labels::view).transpose()?,
        upstream: walk.edges.into_iter().collect(),
        truncated: walk.truncated,
        endpoint: found.endpoint,
        origin,
    }))
}

/// A row of the log.
struct Found {
    endpoint: String,
    piece: Piece,
    row: usize,
}

/// The journals first, then what is sealed, so that a row that is being sealed is seen.
async fn find(host: &Host, id: &str) -> Result<Option<Found>> {
    let (home, wanted) = (host.home.clone(), id.to_owned());
    let live = tokio::task::spawn_blocking(move || in_journals(&home, &wanted)).await.map_err(Error::bug)??;
    if live.is_some() {
        return Ok(live);
    }
    let Some(place) = host.store.sealed_predictions(id).await?.into_iter().next() else { return Ok(None) };
    let bytes = host.store.blobs().get(&place.digest).await.map_err(Error::store)?;
    let piece = Piece::of_segment(bytes, place.features as usize, None)?;
    Ok(Some(Found { endpoint: place.endpoint, piece, row: place.row as usize }))
}

fn in_journals(home: &std::path::Path, id: &str) -> Result<Option<Found>> {
    for (_, mut journal) in journals_of(home)?.into_iter().rev() {
        let has_it = |record: &JournalRecord| record.ids().any(|known| known == id);
        let Some(at) = journal.records.iter().rposition(has_it) else { continue };
        let record = journal.records.swap_remove(at);
        return in_record(journal, record, id).map(Some);
    }
    Ok(None)
}

/// A table of one record.
fn in_record(mut journal: Journal, record: JournalRecord, id: &str) -> Result<Found> {
    let row = record.ids().position(|known| known == id).ok_or_else(|| Error::bug("a record lost a row"))?;
    journal.records = vec![record];
    let piece = pieces::of_journal(&journal)?.pop().ok_or_else(|| Error::bug("a record makes no table"))?;
    Ok(Found { endpoint: journal.endpoint, piece, row })
}

impl Found {
    fn table(&self) -> &Table {
        &self.piece.table
    }

    fn meta(&self, name: &str) -> Value {
        let column = self.table().schema().index_of(name);
        column.map_or(Value::Null, |column| columns::cell(self.table(), column, self.row))
    }

    fn text(&self, name: &str) -> String {
        self.meta(name).as_str().unwrap_or_default().to_owned()
    }

    fn version(&self) -> u64 {
        self.meta("_version").as_u64().unwrap_or_default()
    }

    fn time(&self) -> Result<Micros> {
        let rows = self.piece.index();
        rows.get(self.row).map(|row| row.time).ok_or_else(|| Error::bug("a row is outside its segment"))
    }

    fn cells(&self, is_meant: impl Fn(&Piece, usize) -> bool) -> Map<String, Value> {
        let fields = self.table().schema().fields.iter().enumerate();
        let meant =
            fields.filter(|(column, field)| is_meant(&self.piece, *column) && field.data_type != DataType::Binary);
        meant.map(|(column, field)| (field.name.clone(), columns::cell(self.table(), column, self.row))).collect()
    }
}

/// What stood for the version at that time.
async fn aliases(host: &Host, model: &str, version: u64, time: Micros) -> Result<Vec<MoveView>> {
    let history = match models::alias_history(host, model, None).await {
        Ok(history) => history,
        // A model that the registry does not know has none.
        Err(Error::User(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names: BTreeSet<String> = history.into_iter().map(|made| made.alias).collect();
    let mut standing = Vec::new();
    for alias in names {
        let made = models::alias_at(host, model, &alias, time).await?;
        standing.extend(made.filter(|made| made.to == Some(version)));
    }
    standing.sort_by_key(|made| parse_rfc3339(&made.time));
    Ok(standing)
}
