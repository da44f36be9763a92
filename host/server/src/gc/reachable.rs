//! Which blobs something still names: rows, versions of models, the lock, and documents that name others.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;

use wasmlops_core::run::Micros;
use wasmlops_package::Digest;
use wasmlops_store::gc::digests_in;
use wasmlops_store::{BlobError, Blobs, Named, StoredBlob};

use crate::error::{Error, Result};
use crate::host::Host;
use crate::project::LOCK_FILE;

/// Documents are small; what is larger and begins like one is data.
const LARGEST_DOCUMENT: u64 = 64 << 20;

pub(super) struct Reachable {
    pub digests: HashSet<Digest>,
    /// Keys of cache entries whose run is gone and whose outputs nothing else names.
    pub lost_cache_entries: Vec<String>,
}

/// As if the runs in `without` were gone. Artifacts that are recorded count as named, those from before `cutoff` only
/// if something else names them or somebody has used them since.
pub(super) async fn reachable(
    host: &Host,
    without: &BTreeSet<String>,
    stored: &[StoredBlob],
    cutoff: Option<Micros>,
) -> Result<Reachable> {
    let Named { mut digests, artifacts, orphans } = host.store.named_digests(without).await?;
    // Versions are never removed: read later, they are those of the snapshot and more.
    let versions = host
        .store
        .read(|connection| Box::pin(async move { Ok::<_, Error>(wasmlops_catalog::all_versions(connection).await?) }));
    for version in versions.await? {
        digests.extend([version.digest, version.model_digest]);
        digests.extend(version.evidence);
    }
    // A component that the lock names may be here alone.
    let lock = std::fs::read(host.project.root.join(LOCK_FILE)).unwrap_or_default();
    digests.extend(digests_in(&lock));
    let times: BTreeMap<Digest, &StoredBlob> = stored.iter().map(|blob| (blob.digest, blob)).collect();
    for (digest, (created, _)) in &artifacts {
        let used = times.get(digest).map_or(*created, |blob| blob.time.max(*created));
        if cutoff.is_none_or(|cutoff| used >= cutoff) {
            digests.insert(*digest);
        }
    }
    let plain: HashSet<Digest> = artifacts.iter().filter(|(_, (_, plain))| *plain).map(|(digest, _)| *digest).collect();
    let sizes: BTreeMap<Digest, u64> = stored.iter().map(|blob| (blob.digest, blob.size)).collect();
    let blobs = host.store.blobs().clone();
    let walked = tokio::task::spawn_blocking(move || walk(&blobs, digests, &plain, &sizes));
    let digests = walked.await.map_err(Error::bug)??;
    let lost = orphans.into_iter().filter(|(_, outputs)| !outputs.iter().all(|output| digests.contains(output)));
    let lost_cache_entries = lost.map(|(key, _)| key).collect();
    Ok(Reachable { digests, lost_cache_entries })
}

/// Adds what documents name, and what those name.
fn walk(
    blobs: &Blobs,
    mut reached: HashSet<Digest>,
    plain: &HashSet<Digest>,
    sizes: &BTreeMap<Digest, u64>,
) -> Result<HashSet<Digest>> {
    let mut open: Vec<Digest> = reached.iter().copied().collect();
    while let Some(digest) = open.pop() {
        let may_name = |size: &u64| !plain.contains(&digest) && *size <= LARGEST_DOCUMENT;
        if !sizes.get(&digest).is_some_and(may_name) {
            continue;
        }
        let Some(document) = document(blobs, &digest)? else { continue };
        open.extend(digests_in(&document).filter(|digest| reached.insert(*digest)));
    }
    Ok(reached)
}

/// The blob, if it begins as JSON does.
///
/// # Errors
/// One that cannot be read: what it names is unknown then, and nothing may go.
fn document(blobs: &Blobs, digest: &Digest) -> Result<Option<Vec<u8>>> {
    let mut first = [0; 1];
    let read = match blobs.open_reader(digest) {
        Ok(mut reader) => reader.read(&mut first).unwrap_or_default(),
        // Lost or moved aside since the folder was read.
        Err(BlobError::Missing(_)) => return Ok(None),
        Err(error) => return Err(Error::store(error)),
    };
    if read == 0 || !matches!(first[0], b'{' | b'[') {
        return Ok(None);
    }
    match blobs.get_blocking(digest) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(BlobError::Missing(_)) => Ok(None),
        Err(error) => Err(Error::store(error)),
    }
}
