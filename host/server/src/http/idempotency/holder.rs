//! Whether the process that reserved a key lives. Each holds a lock on a file of its own, which goes with the process,
//! however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// This process, as others see it.
pub(super) struct Holder {
    id: String,
    path: PathBuf,
    /// Holds the lock until it is dropped.
    _file: File,
}

impl Holder {
    pub fn take(home: &Path, id: String) -> Result<Self> {
        let path = place(home, &id);
        fs::create_dir_all(home.join("locks")).map_err(Error::io("make the folder of locks"))?;
        let file = File::create(&path).map_err(Error::io("make the lock of a server"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { id, path, _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::bug("a new server is locked by somebody else")),
            Err(TryLockError::Error(error)) => Err(Error::io("lock a server")(error)),
        }
    }

    /// 32 hex digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the process of this id has ended.
    pub fn is_gone(home: &Path, id: &str) -> Result<bool> {
        let path = place(home, id);
        let file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(Error::io("look at the lock of a server")(error)),
        };
        match file.try_lock() {
            Ok(()) => {
                // What stays is empty and harms nobody.
                let _ = fs::remove_file(&path);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(Error::io("look at the lock of a server")(error)),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // What stays is empty and harms nobody.
        let _ = fs::remove_file(&self.path);
    }
}

/// Ids are this program's own: hex digits.
fn place(home: &Path, id: &str) -> PathBuf {
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    home.join("locks").join(format!("server-{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_there_until_it_ends() {
        let home = tempfile::tempdir().unwrap();
        let holder = Holder::take(home.path(), "a1".to_owned()).unwrap();
        assert!(!Holder::is_gone(home.path(), "a1").unwrap());
        assert!(Holder::is_gone(home.path(), "b2").unwrap());
        drop(holder);
        assert!(Holder::is_gone(home.path(), "a1").unwrap());
        // What a killed process leaves.
        fs::write(place(home.path(), "c3"), "").unwrap();
        assert!(Holder::is_gone(home.path(), "c3").unwrap());
    }
}
