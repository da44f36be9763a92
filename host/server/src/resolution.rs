//! What an `artifact` step brings in: a registered model, a table or other bytes by their digest, or nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wasmlops_core::artifact::{ModelDocument, OutputRecord, StateDocument, VersionDocument, media_type};
use wasmlops_core::cache_key::KeyParts;
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_core::graph::{ArtifactType, BoundStep};
use wasmlops_core::plan::{Earlier, Resolution};
use wasmlops_core::table::Table;
use wasmlops_package::Digest;
use wasmlops_store::BlobError;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::models;

/// The engine has no part in it.
const PROFILE: &str = "host";

/// What the step's key is made of: what it was told, and what that meant.
pub(crate) struct Resolved {
    pub parts: KeyParts,
    pub outputs: BTreeMap<String, OutputRecord>,
    found: Found,
}

/// In words of the step's key parts.
enum Found {
    Nothing,
    Missing,
    Version(u64),
    Artifact(ArtifactType),
}

/// Looks up what the step names.
///
/// # Errors
/// The user's: no such version, no such blob, a blob that is no table.
pub(crate) async fn resolve(host: &Host, step: &BoundStep) -> Result<Resolved> {
    let text = step.config.get("from").and_then(Value::as_str).unwrap_or_default();
    let (output, found) = match text {
        "" => (None, Found::Nothing),
        text if text.contains('@') => model(host, text).await?,
        text => {
            let (output, kind) = artifact(host, step, text).await?;
            (Some(output), Found::Artifact(kind))
        }
    };
    let mut parts = KeyParts::new(step, Vec::new(), BTreeMap::new(), 0, PROFILE.to_owned());
    parts.config = json!({
        "from": text,
        "found": found.words(),
        "digest": output.as_ref().map(|(_, output)| output.digest),
    });
    Ok(Resolved { parts, outputs: output.into_iter().collect(), found })
}

impl Resolved {
    /// `earlier` is of the step's last run.
    pub fn resolution(self, step: &BoundStep, earlier: Option<&Earlier>) -> Resolution {
        let change = earlier.and_then(|earlier| change(step, &earlier.parts.config, &self.parts.config));
        let text = self.parts.config["from"].as_str().unwrap_or_default();
        let found = match self.found {
            Found::Nothing => "nothing was named".to_owned(),
            Found::Missing => format!("there is no `{text}` yet"),
            Found::Version(version) => format!("`{text}` is version {version}"),
            Found::Artifact(kind) => format!("{kind} {text}"),
        };
        Resolution { outputs: self.outputs, found, change }
    }
}

impl Found {
    fn words(&self) -> Option<String> {
        match self {
            Found::Nothing | Found::Missing => None,
            Found::Version(version) => Some(format!("version {version}")),
            Found::Artifact(kind) => Some(format!("a {kind}")),
        }
    }
}

/// What is different, in words.
fn change(step: &BoundStep, before: &Value, now: &Value) -> Option<String> {
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    if before["digest"] == now["digest"] {
        return None;
    }
    let name = text(now, "from").filter(|name| name.contains('@')).unwrap_or_else(|| step.key.to_string());
    Some(match (text(before, "found"), text(now, "found")) {
        (_, Some(_)) if before["from"] == "" => format!("`{}` names an artifact now", step.key),
        (_, None) if now["from"] == "" => format!("`{}` names no artifact any more", step.key),
        _ if before["from"] != now["from"] => format!(
            "`{}` brings in `{}` instead of `{}`",
            step.key,
            now["from"].as_str().unwrap_or_default(),
            before["from"].as_str().unwrap_or_default(),
        ),
        (Some(before), Some(now)) => {
            let now = now.strip_prefix("version ").unwrap_or(&now);
            format!("`{name}` moved from {before} to {now}")
        }
        (None, Some(now)) => format!("`{name}` is there now: {now}"),
        (_, None) => format!("`{name}` is gone"),
    })
}

async fn model(host: &Host, text: &str) -> Result<(Option<(String, OutputRecord)>, Found)> {
    let reference: ModelRef = text
        .parse()
        .map_err(|error| Error::user("invalid-model", format!("{error}"), "write `NAME@ALIAS` or `NAME@3`"))?;
    let version = match &reference.selector {
        // A number is meant to exist; an alias may be set later.
        Selector::Version(_) => Some(models::required(host, &reference).await?),
        Selector::Alias(_) => models::resolve(host, &reference).await?,
    };
    let Some(version) = version else { return Ok((None, Found::Missing)) };
    let output = record(host, version.document.model, media_type::MODEL, None)?;
    Ok((Some(("model".to_owned(), output)), Found::Version(version.version)))
}

/// The bytes behind a digest, if they are what the step says.
async fn artifact(host: &Host, step: &BoundStep, text: &str) -> Result<((String, OutputRecord), ArtifactType)> {
    let kind = step.outputs.first().map_or(ArtifactType::Table, |output| output.artifact);
    let wrong = |what: String| {
        let hint = format!("give it the digest of a {kind}, such as `wasmlops artifact show` prints it, or empty text");
        Error::user("invalid-input", format!("`{text}` {what}"), hint)
    };
    let digest: Digest = text.parse().map_err(|error| wrong(format!("is no digest: {error}")))?;
    let bytes = match host.store.blobs().get(&digest).await {
        Ok(bytes) => bytes,
        Err(BlobError::Missing(_)) => return Err(wrong("is not in the artifact store".to_owned())),
        Err(error) => return Err(Error::store(error)),
    };
    let other = || wrong(format!("is no {kind}, as step `{}` needs", step.key));
    let (media_type, rows) = match kind {
        ArtifactType::Table => {
            let table = Table::from_ipc(bytes).map_err(|_| other())?;
            (media_type::TABLE, Some(table.num_rows()))
        }
        ArtifactType::State => {
            serde_json::from_slice::<StateDocument>(&bytes).map_err(|_| other())?;
            (media_type::STATE, None)
        }
        ArtifactType::Model => {
            serde_json::from_slice::<ModelDocument>(&bytes).map_err(|_| other())?;
            (media_type::MODEL, None)
        }
        ArtifactType::Report => {
            serde_json::from_slice::<Value>(&bytes).map_err(|_| other())?;
            (media_type::REPORT, None)
        }
        ArtifactType::Version => {
            serde_json::from_slice::<VersionDocument>(&bytes).map_err(|_| other())?;
            (media_type::VERSION, None)
        }
        ArtifactType::Blob => (media_type::BYTES, None),
    };
    let output = record(host, digest, media_type, rows)?;
    Ok(((kind.to_string(), output), kind))
}

fn record(host: &Host, digest: Digest, media_type: &str, rows: Option<u64>) -> Result<OutputRecord> {
    let size = host.store.blobs().size(&digest).map_err(Error::store)?;
    // It is about to be named.
    host.store.blobs().hold(&digest).map_err(Error::store)?;
    Ok(OutputRecord { digest, media_type: media_type.to_owned(), size, rows })
}
