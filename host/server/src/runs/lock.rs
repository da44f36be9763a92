//! Who drives a run: the process that holds the lock on its file. The lock goes with the process, however it ends.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub(crate) struct RunLock {
    /// Holds the lock until it is dropped.
    _file: File,
    path: PathBuf,
}

impl RunLock {
    /// `None`: another process drives the run, or another task of this one.
    pub fn take(home: &Path, run: &str) -> Result<Option<Self>> {
        let folder = home.join("locks");
        fs::create_dir_all(&folder).map_err(Error::io("make the folder of locks"))?;
        let path = folder.join(run);
        loop {
            let file = File::create(&path).map_err(Error::io(format!("lock run `{run}`")))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(Error::io(format!("lock run `{run}`"))(error)),
            }
            // Whoever held it may have removed the file after it was opened here: then this is nobody's lock.
            let opened = file.metadata().map_err(Error::io(format!("lock run `{run}`")))?;
            if fs::metadata(&path).is_ok_and(|there| there.ino() == opened.ino() && there.dev() == opened.dev()) {
                return Ok(Some(Self { _file: file, path }));
            }
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // A file that stays is empty and harms nobody.
        let _ = fs::remove_file(&self.path);
    }
}
