//! Artifacts at the door: named by digest, or by the output of a run that made them.

mod upload;
pub mod view;

use wasmlops_core::artifact::media_type;
use wasmlops_core::table::Table;
use wasmlops_package::{Algorithm, Digest};

use crate::error::{Error, Result};
use crate::host::Host;

pub use upload::Upload;

/// Some bytes and what they are.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub digest: Digest,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// The table, if it is one.
    pub fn table(&self) -> Result<Option<Table>> {
        if self.media_type != media_type::TABLE {
            return Ok(None);
        }
        Table::from_ipc(self.bytes.clone()).map(Some).map_err(|error| Error::Host(error.to_string()))
    }

    /// Whether the bytes are text to be shown.
    pub fn is_text(&self) -> bool {
        (self.media_type.ends_with("json") || self.media_type.starts_with("text/")) && !self.is_page()
    }

    /// Whether it is for a browser: as text it says nothing to people.
    pub fn is_page(&self) -> bool {
        let (media_type, _) = self.media_type.split_once(';').unwrap_or((&self.media_type, ""));
        matches!(media_type.trim_end(), "text/html" | "image/svg+xml")
    }
}

/// Finds an artifact by a digest, the beginning of one, or `RUN/STEP.OUTPUT`.
pub async fn artifact(host: &Host, name: &str) -> Result<Artifact> {
    let digest = match name.split_once('/') {
        Some((run, output)) => output_of(host, run, output).await?,
        None => host.store.resolve_artifact(name).await?,
    };
    let bytes = host.store.blobs().get(&digest).await.map_err(Error::store)?;
    let row = host.store.artifact(&digest).await?;
    let usual = match digest.algorithm() {
        Algorithm::Sha256 => media_type::COMPONENT,
        Algorithm::Blake3 => media_type::BYTES,
    };
    Ok(Artifact { digest, media_type: row.map_or_else(|| usual.to_owned(), |row| row.media_type), bytes })
}

async fn output_of(host: &Host, run: &str, output: &str) -> Result<Digest> {
    let run = host.store.resolve_run(run).await?;
    let outputs = host.store.outputs(&run).await?;
    let found = outputs.iter().find(|row| format!("{}.{}", row.step_key, row.name) == output);
    found.map(|row| row.digest).ok_or_else(|| {
        let names: Vec<String> = outputs.iter().map(|row| format!("`{}.{}`", row.step_key, row.name)).collect();
        let hint = if names.is_empty() { "it made none".to_owned() } else { format!("it made {}", names.join(", ")) };
        Error::user("not-found", format!("run `{run}` made no `{output}`"), hint)
    })
}
