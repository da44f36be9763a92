//! Reading a folder that [`export`](super::export) wrote. Nothing in it is believed: every sum and every digest is
//! checked, links do not lead out of it, and the model must say again what its golden vectors say.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use wasmlops_core::artifact::{ModelDocument, VersionDocument, media_type};
use wasmlops_core::call::ValidationReport;
use wasmlops_core::table::Table;
use wasmlops_package::{Algorithm, Digest};

use super::export::{SUMS, report_path};
use super::files::{blobs_of, predictions, refused, schemas};
use super::{Provenance, Registered, keep, register};
use crate::error::{Error, Result};
use crate::host::Host;

/// More files than any version has.
const MOST_FILES: usize = 10_000;

/// Registers the version that a folder holds, under the name that its content has. Its digest is the one that it had
/// where it was exported.
///
/// # Errors
/// The user's, naming the file that is missing, damaged, unlisted or not what the content says.
pub async fn import_folder(host: &Host, name: &str, folder: &Path, actor: &str) -> Result<Registered> {
    let (path, shown) = (folder.to_owned(), folder.display().to_string());
    let read = tokio::task::spawn_blocking(move || Folder::read(&path));
    let folder = read.await.map_err(Error::bug)??;
    let content = folder.content()?;
    if content.name != name {
        let message = format!("`{shown}` holds a version of `{}`, not of `{name}`", content.name);
        return Err(Error::user("other-model", message, format!("import it as `{}`", content.name)));
    }
    folder.check(&content)?;
    for (path, digest) in blobs_of(content.model, &content.document) {
        let bytes = folder.file(&path)?.to_vec();
        match digest.algorithm() {
            Algorithm::Sha256 => {
                host.store.blobs().put_as(Algorithm::Sha256, bytes).await.map_err(Error::store)?;
            }
            Algorithm::Blake3 if path == "model.json" => {
                keep(host, bytes, media_type::MODEL, actor).await?;
            }
            Algorithm::Blake3 => {
                keep(host, bytes, media_type::BYTES, actor).await?;
            }
        }
    }
    for report in &content.reports {
        keep(host, folder.file(&report_path(&report.digest))?.to_vec(), media_type::REPORT, actor).await?;
    }
    repeat_golden(host, &folder, &content.document).await?;
    register(host, name, content, Provenance::default(), actor).await
}

/// The same component, weights and rows give the same bytes on any machine.
async fn repeat_golden(host: &Host, folder: &Folder, document: &ModelDocument) -> Result<()> {
    let (input, expected) = ("golden/input.arrow", "golden/predictions.arrow");
    if !folder.files.contains_key(input) {
        return Ok(());
    }
    let rows = Table::from_ipc(folder.file(input)?.to_vec()).map_err(|error| wrong(input, &error.to_string()))?;
    let found = predictions(host, document, rows).await.map_err(refused)?.to_ipc().map_err(Error::bug)?;
    match found == folder.file(expected)? {
        true => Ok(()),
        false => Err(wrong(expected, "the model says something else of `golden/input.arrow`")),
    }
}

/// Every file of the folder by path, each with the bytes that its sum names.
struct Folder {
    files: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    fn read(folder: &Path) -> Result<Self> {
        let cannot = |error: io::Error| {
            let message = format!("cannot read `{}`: {error}", folder.display());
            Error::user("no-such-folder", message, "name a folder that `wasmlops model export` wrote")
        };
        let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(cannot)?;
        let mut files = BTreeMap::new();
        walk(&dir, "", &mut files).map_err(cannot)?;
        let Some(sums) = files.remove(SUMS) else {
            return Err(wrong(SUMS, "it is missing"));
        };
        check_sums(&files, &sums)?;
        Ok(Self { files })
    }

    fn file(&self, path: &str) -> Result<&[u8]> {
        self.files.get(path).map(Vec::as_slice).ok_or_else(|| wrong(path, "it is missing"))
    }

    fn content(&self) -> Result<VersionDocument> {
        const FILE: &str = "version.json";
        let bytes = self.file(FILE)?;
        let content: VersionDocument =
            serde_json::from_slice(bytes).map_err(|error| wrong(FILE, &format!("it is no content: {error}")))?;
        match content.to_bytes() == bytes {
            true => Ok(content),
            false => Err(wrong(FILE, "it is not canonical JSON, or has fields that this version does not know")),
        }
    }

    /// Whether every file is what the content says.
    fn check(&self, content: &VersionDocument) -> Result<()> {
        for (path, digest) in blobs_of(content.model, &content.document) {
            self.check_digest(&path, &digest)?;
        }
        let document: Option<ModelDocument> = serde_json::from_slice(self.file("model.json")?).ok();
        if document.as_ref() != Some(&content.document) {
            return Err(wrong("model.json", "it is another model than `version.json` describes"));
        }
        if self.file("schema.json")? != schemas(&content.document).as_bytes() {
            return Err(wrong("schema.json", "it is not the schema of `model.json`"));
        }
        for reference in &content.reports {
            let path = report_path(&reference.digest);
            self.check_digest(&path, &reference.digest)?;
            let report: Option<ValidationReport> = serde_json::from_slice(self.file(&path)?).ok();
            if report.is_none_or(|report| report.passed != reference.passed) {
                return Err(wrong(&path, "it does not say what `version.json` says of it"));
            }
        }
        Ok(())
    }

    fn check_digest(&self, path: &str, digest: &Digest) -> Result<()> {
        match digest.matches(self.file(path)?) {
            true => Ok(()),
            false => Err(wrong(path, &format!("it is not `{digest}`, which the content names"))),
        }
    }
}

/// Reads all files below a folder; a link out of it cannot be opened.
fn walk(dir: &Dir, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if files.len() >= MOST_FILES || path.matches('/').count() > 8 {
            return Err(io::Error::other("it holds more files than a version has"));
        }
        if entry.file_type()?.is_dir() {
            walk(&dir.open_dir(&name)?, &format!("{path}/"), files)?;
        } else {
            files.insert(path, dir.read(&name)?);
        }
    }
    Ok(())
}

fn check_sums(files: &BTreeMap<String, Vec<u8>>, sums: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(sums).map_err(|_| wrong(SUMS, "it is no text"))?;
    let mut listed = BTreeMap::new();
    for line in text.lines() {
        let (sum, path) = line.split_once("  ").ok_or_else(|| wrong(SUMS, "a line has not the form `SUM  PATH`"))?;
        listed.insert(path, sum);
    }
    for (path, bytes) in files {
        match listed.remove(path.as_str()) {
            Some(sum) if sum == Digest::sha256(bytes).hex() => {}
            Some(_) => return Err(wrong(path, &format!("its bytes are not those that `{SUMS}` names"))),
            None => return Err(wrong(path, &format!("`{SUMS}` does not list it"))),
        }
    }
    match listed.keys().next() {
        Some(path) => Err(wrong(path, &format!("`{SUMS}` lists it, and it is missing"))),
        None => Ok(()),
    }
}

fn wrong(path: &str, why: &str) -> Error {
    Error::user("damaged-model", format!("`{path}` cannot be trusted: {why}"), "get the folder again from its source")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_find_what_was_changed_added_or_taken_away() {
        let files = BTreeMap::from([("a".to_owned(), b"1".to_vec()), ("d/b".to_owned(), b"2".to_vec())]);
        let line = |path: &str, bytes: &[u8]| format!("{}  {path}\n", Digest::sha256(bytes).hex());
        let good = line("a", b"1") + &line("d/b", b"2");
        check_sums(&files, good.as_bytes()).unwrap();
        for (sums, file) in [
            (line("a", b"1") + &line("d/b", b"3"), "`d/b`"),
            (line("a", b"1"), "`d/b`"),
            (good.clone() + &line("c", b"1"), "`c`"),
            ("no sums".to_owned(), "`SHA256SUMS`"),
        ] {
            let error = check_sums(&files, sums.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(file), "{error}");
        }
    }
}
