//! The data folder: what lies in it, and who else uses it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::error::StoreError;

/// An open data folder. Other processes may have it open as well.
pub(crate) struct Home {
    pub database: PathBuf,
    pub blobs: Dir,
    pub tmp: Dir,
    lock: File,
    alone: bool,
}

impl Home {
    /// Creates what is missing. Until [`Home::settle`], a process that finds itself alone keeps the others out, so that
    /// one of them creates the database and clears away what killed processes left.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_folders(path).map_err(|error| StoreError::home(path, error))
    }

    /// Lets other processes in. The folder counts as in use until this is dropped.
    pub fn settle(&self) -> io::Result<()> {
        if self.alone { self.lock.lock_shared() } else { Ok(()) }
    }

    fn open_folders(path: &Path) -> io::Result<Self> {
        private_folder(path)?;
        // Absolute, so that no name can look like a `file:` URI to SQLite.
        let path = path.canonicalize()?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))?;
        let alone = match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                lock.lock_shared()?;
                false
            }
            Err(TryLockError::Error(error)) => return Err(error),
        };
        for folder in ["tmp", "blobs", "blobs/blake3", "blobs/sha256", "blobs/corrupt"] {
            private_folder(&path.join(folder))?;
        }
        let database = path.join("wasmlops.db");
        // SQLite gives its side files the mode of the database.
        OpenOptions::new().create(true).append(true).mode(0o600).open(&database)?;
        let home = Dir::open_ambient_dir(&path, ambient_authority())?;
        let tmp = home.open_dir("tmp")?;
        if alone {
            clear(&tmp)?;
        }
        Ok(Self { database, blobs: home.open_dir("blobs")?, tmp, lock, alone })
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Removes what processes that are gone were writing.
fn clear(tmp: &Dir) -> io::Result<()> {
    for entry in tmp.entries()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { tmp.remove_dir_all(entry.file_name())? } else { entry.remove_file()? }
    }
    Ok(())
}
