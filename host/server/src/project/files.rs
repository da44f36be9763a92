//! The files that a step was granted: what is in them, by digest.
//!
//! Opened beneath the project folder: no link is followed out of it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use wasmlops_core::config::ProjectPath;
use wasmlops_package::{Algorithm, Digest};
use wasmlops_store::Blobs;

use crate::error::{Error, Result};

/// Folders that no grant covers: what the host keeps, and the history of the sources.
const NEVER: [&str; 2] = [".wasmlops", ".git"];
/// More files than this in a grant are a mistake, such as a granted home folder.
const MAX_FILES: usize = 100_000;

/// Granted files by path, `/` between names.
pub type GrantedFiles = BTreeMap<String, Digest>;

/// Reads every file that `grants` cover and gives its digest. With `keep`, the bytes go to the artifact store.
///
/// Errors: a user's mistake for a granted path that does not exist or leads out of the project.
pub fn granted_files(root: &Path, grants: &[ProjectPath], keep: Option<&Blobs>) -> Result<GrantedFiles> {
    let mut files = GrantedFiles::new();
    if grants.is_empty() {
        return Ok(files);
    }
    let folder =
        Dir::open_ambient_dir(root, ambient_authority()).map_err(Error::io(format!("open `{}`", root.display())))?;
    for grant in grants {
        collect(&folder, grant.as_str(), keep, &mut files).map_err(|error| refused(grant.as_str(), error))?;
    }
    Ok(files)
}

fn collect(folder: &Dir, path: &str, keep: Option<&Blobs>, files: &mut GrantedFiles) -> std::io::Result<()> {
    let kind = folder.metadata(path)?.file_type();
    if kind.is_file() {
        if files.len() >= MAX_FILES {
            return Err(std::io::Error::other(format!("more than {MAX_FILES} files; grant a smaller folder")));
        }
        files.insert(path.trim_start_matches("./").to_owned(), digest(folder.open(path)?, keep)?);
    } else if kind.is_dir() {
        let mut names = Vec::new();
        for entry in folder.read_dir(path)? {
            let name = entry?.file_name();
            let text = name.to_str().map(str::to_owned);
            names.push(text.ok_or_else(|| std::io::Error::other(format!("the name {name:?} is not UTF-8")))?);
        }
        names.sort();
        for name in names.iter().filter(|name| !NEVER.contains(&name.as_str())) {
            let below = if path == "." { name.clone() } else { format!("{path}/{name}") };
            collect(folder, &below, keep, files)?;
        }
    }
    // Pipes, sockets and devices are passed over: they have no content to speak of.
    Ok(())
}

fn digest(mut file: File, keep: Option<&Blobs>) -> std::io::Result<Digest> {
    if let Some(blobs) = keep {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        return blobs.put_blocking(Algorithm::Blake3, &bytes).map_err(std::io::Error::other);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(Digest::new(Algorithm::Blake3, *hasher.finalize().as_bytes()))
}

fn refused(grant: &str, error: std::io::Error) -> Error {
    let message = match error.kind() {
        std::io::ErrorKind::NotFound => format!("the granted path `{grant}` does not exist in the project"),
        _ => format!("the granted path `{grant}` cannot be read: {error}"),
    };
    Error::user("grant-unreadable", message, "put the file there, or correct `grants: { read: [...] }` of the step")
}
