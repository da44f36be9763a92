//! A version as a folder that stands for itself: every file of a release, the reports that speak for it, and their sums.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmlops_package::Digest;

use super::{ModelVersion, files};
use crate::error::{Error, Result};
use crate::host::Host;

/// `<64 hex digits>  <path>` by path, as `sha256sum --check` reads it.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Writes a version to a folder that does not exist yet or is empty. It appears whole or not at all.
///
/// # Errors
/// The user's: the folder is in use.
pub async fn export(host: &Host, version: &ModelVersion, folder: &Path) -> Result<Vec<String>> {
    if folder.is_file() || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("`{}` exists and is not empty", folder.display());
        return Err(Error::user("folder-used", message, "name a folder that does not exist yet"));
    }
    let mut all = files(host, version).await?;
    for report in &version.document.reports {
        let bytes = host.store.blobs().get(&report.digest).await.map_err(Error::store)?;
        all.insert(report_path(&report.digest), Arc::from(bytes));
    }
    all.insert(SUMS.to_owned(), Arc::from(sums(&all).into_bytes()));
    let paths = all.keys().cloned().collect();
    let folder = folder.to_owned();
    let task = tokio::task::spawn_blocking(move || write(&folder, &all));
    task.await.map_err(Error::bug)??;
    Ok(paths)
}

/// Where a report lies in the folder.
pub(super) fn report_path(digest: &Digest) -> String {
    format!("reports/{}.json", digest.hex())
}

fn sums(files: &BTreeMap<String, Arc<[u8]>>) -> String {
    files.iter().map(|(path, bytes)| format!("{}  {path}\n", Digest::sha256(bytes).hex())).collect()
}

fn write(folder: &Path, files: &BTreeMap<String, Arc<[u8]>>) -> Result<()> {
    let what = || format!("write `{}`", folder.display());
    let draft = Draft::beside(folder).map_err(Error::io(what()))?;
    for (path, bytes) in files {
        let target = draft.0.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(Error::io(what()))?;
        }
        fs::write(&target, bytes).map_err(Error::io(what()))?;
    }
    // An empty folder of that name gives way; whatever else is there keeps its place, and the rename says so.
    let _ = fs::remove_dir(folder);
    fs::rename(&draft.0, folder).map_err(Error::io(what()))
}

/// A folder in the making; gone if it is not moved into place.
struct Draft(PathBuf);

impl Draft {
    fn beside(folder: &Path) -> std::io::Result<Self> {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent)?;
        let name = folder.file_name().map_or_else(Default::default, |name| name.to_string_lossy().into_owned());
        let draft = Self(parent.join(format!(".{name}.part-{}", std::process::id())));
        fs::create_dir_all(&draft.0)?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already where it was moved into place.
        let _ = fs::remove_dir_all(&self.0);
    }
}
