//! Who drives a run: the process that holds the lock on its file. The lock goes with the process, however it ends.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

pub(super) struct RunLock {
    /// Holds the lock until it is dropped.
    _file: File,
    path: std::path::PathBuf,
}

impl RunLock {
    /// `None`: another process drives the run.
    pub(super) fn take(home: &Path, run: &str) -> Result<Option<Self>> {
        let folder = home.join("locks");
        fs::create_dir_all(&folder).map_err(Error::io("make the folder of locks"))?;
        let path = folder.join(run);
        let file = File::create(&path).map_err(Error::io(format!("lock run `{run}`")))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file, path })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::io(format!("lock run `{run}`"))(error)),
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // A file that stays is empty and harms nobody.
        let _ = fs::remove_file(&self.path);
    }
}
