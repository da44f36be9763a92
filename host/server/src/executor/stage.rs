//! A private copy of the files that a step was granted.
//!
//! The guest sees the copy alone: a way around the engine's read-only check would change nothing that matters, and no
//! link leads out, because there are none.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use wasmlops_core::run::Failure;
use wasmlops_package::Digest;
use wasmlops_store::Blobs;

use super::failure::host_failure;

/// The copy; gone when dropped.
pub(super) struct Stage {
    folder: Option<tempfile::TempDir>,
}

impl Stage {
    /// `files` are blobs by the path at which the guest sees them. No files, no copy, no file system for the guest.
    pub(super) fn make(scratch: &Path, blobs: &Blobs, files: &BTreeMap<String, Digest>) -> Result<Self, Failure> {
        if files.is_empty() {
            return Ok(Self { folder: None });
        }
        let folder = tempfile::Builder::new().prefix("stage-").tempdir_in(scratch).map_err(host_failure)?;
        for (path, digest) in files {
            let target: PathBuf = folder.path().join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(host_failure)?;
            }
            let bytes = blobs.get_blocking(digest).map_err(host_failure)?;
            fs::write(&target, bytes).map_err(host_failure)?;
        }
        Ok(Self { folder: Some(folder) })
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(tempfile::TempDir::path)
    }
}
