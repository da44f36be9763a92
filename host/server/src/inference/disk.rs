//! Where journals are: a folder for each endpoint under `inference/` in the host's home.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

use super::journal::{Journal, path};

pub(super) fn folder(home: &Path) -> PathBuf {
    home.join("inference")
}

/// Names that are plain words are shown as they are. Of any other, the hash: a name is never a path.
pub(super) fn folder_name(endpoint: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !endpoint.is_empty() && endpoint.len() <= 100 && endpoint.chars().all(is_plain) {
        return endpoint.to_owned();
    }
    format!("~{}", blake3::hash(endpoint.as_bytes()).to_hex())
}

/// Makes the folder and keeps other processes from writing to it until the file is dropped.
pub(super) fn lock(folder: &Path) -> Result<File> {
    let open = || {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        OpenOptions::new().create(true).append(true).mode(0o600).open(folder.join("lock"))
    };
    let file = open().map_err(Error::io(format!("use `{}`", folder.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another process writes the inference log in `{}`", folder.display());
            Err(Error::user("in-use", message, "stop the other server, or name another folder with `--home`"))
        }
        Err(TryLockError::Error(error)) => Err(Error::io("lock the inference log")(error)),
    }
}

/// The endpoints that have journals.
pub(super) fn endpoints(folder: &Path) -> Result<Vec<String>> {
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in entries(folder)? {
            let numbers = numbers(&entry)?;
            let mut journals = numbers.iter().map(|number| read(&entry, *number));
            if let Some(journal) = journals.find_map(|journal| journal.transpose()) {
                names.push(journal?.endpoint);
            }
        }
        Ok(names)
    };
    list().map_err(Error::io(format!("list `{}`", folder.display())))
}

/// The folders in a folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The numbers of the journals in an endpoint's folder, sorted.
pub(super) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".journal"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A journal, unless it was removed meanwhile or holds nothing.
fn read(folder: &Path, number: u64) -> io::Result<Option<Journal>> {
    match Journal::read(&path(folder, number)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        journal => journal,
    }
}

/// The journals of an endpoint by number, as they are now. Ask the database afterwards which of them are sealed: one
/// that is removed meanwhile was sealed before, so that no row is missed.
pub(crate) fn journals(home: &Path, endpoint: &str) -> Result<Vec<(u64, Journal)>> {
    let folder = folder(home).join(folder_name(endpoint));
    journals_in(&folder).map_err(Error::io("read the inference log"))
}

/// The journals of all endpoints.
pub(crate) fn journals_of(home: &Path) -> Result<Vec<(u64, Journal)>> {
    let list = || -> io::Result<Vec<_>> {
        let mut all = Vec::new();
        for folder in entries(&folder(home))? {
            all.extend(journals_in(&folder)?);
        }
        Ok(all)
    };
    list().map_err(Error::io("read the inference log"))
}

fn journals_in(folder: &Path) -> io::Result<Vec<(u64, Journal)>> {
    let mut journals = Vec::new();
    for number in numbers(folder)? {
        journals.extend(read(folder, number)?.map(|journal| (number, journal)));
    }
    Ok(journals)
}
