//! Writes a release as one archive that needs nothing else: model, components, schema, golden vectors, checksums. The
//! same release gives the same bytes.
//!
//! Data goes one way: the release's files (from the host) → `archive` (pure) → the output `bundle`.

mod archive;
mod config;

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Deployment, DeploymentStatus, Health, Release, blobs};

use archive::Archive;
use config::Config;

/// Bytes asked for at a time; the host gives at most 2 MiB.
const CHUNK: u64 = 1 << 20;

const MEDIA_TYPE: &str = "application/x-tar";

struct Bundle;

impl Deployer for Bundle {
    type Config = Config;

    fn deploy(config: Config, release: Release, _previous: Option<Deployment>) -> Result<Deployment> {
        let folder = config.folder.unwrap_or_else(|| format!("{}-{}", release.model, release.version));
        let mut archive = Archive::new(&folder);
        for (done, name) in release.files.iter().enumerate() {
            progress::update(done as u64, Some(release.files.len() as u64), name);
            archive.add(name, read(name)?)?;
        }
        let archive = archive.finish()?;
        let out = blobs::create("bundle", MEDIA_TYPE)?;
        for chunk in archive.bytes.chunks(CHUNK as usize) {
            out.write(chunk)?;
        }
        let details = serde_json::json!({
            "folder": folder, "files": archive.files, "bytes": archive.bytes.len(), "sha256": archive.sha256,
        });
        Ok(Deployment { id: format!("sha256:{}", archive.sha256), address: None, details: details.to_string() })
    }

    /// An archive is there as long as the run that made it is kept.
    fn status(_config: Config, _deployment: Deployment) -> Result<DeploymentStatus> {
        Ok(DeploymentStatus { health: Health::Ready, message: "the archive is kept with its run".to_owned() })
    }

    /// Retention removes artifacts; there is nothing outside to take back.
    fn undeploy(_config: Config, _deployment: Deployment) -> Result<()> {
        Ok(())
    }
}

fn read(name: &str) -> Result<Vec<u8>> {
    let blob = blobs::open(name)?;
    let size = blob.size();
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    while (bytes.len() as u64) < size {
        let part = blob.read(bytes.len() as u64, CHUNK)?;
        if part.is_empty() {
            return Err(Error::internal(format!("`{name}` ended before its {size} bytes")));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

wasmlops_sdk::export! { deployer: Bundle }
