//! Blobs that go, and those that must not: the time of a file says when somebody last put or held it, and a lock that
//! all processes share lets nobody put what is being removed. See [`gc`](crate::gc) for why that is enough.

use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use cap_std::fs::{OpenOptions, OpenOptionsExt};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
use wasmlops_package::{Algorithm, Digest};

use super::BlobError;
use super::files::{Files, place};

/// Beside the blobs.
const LOCK: &str = "gc.lock";

/// A blob on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredBlob {
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// When somebody last put or held it: microseconds since 1970.
    pub time: i64,
}

/// As if it were written now, by the clock that the file system goes by.
fn touch(file: &fs::File) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Ok(futimens(file, &Timestamps { last_access: now, last_modification: now })?)
}

impl Files {
    /// While it is held, no blob is removed. Others may hold it too.
    pub fn share(&self) -> io::Result<fs::File> {
        let lock = self.lock()?;
        lock.lock_shared()?;
        Ok(lock)
    }

    fn lock(&self) -> io::Result<fs::File> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).mode(0o600);
        Ok(self.blobs.open_with(LOCK, &options)?.into_std())
    }

    /// Makes a blob young; says whether it is there.
    pub fn hold(&self, digest: &Digest) -> Result<bool, BlobError> {
        let held = self.share().and_then(|_shared| match self.open(digest) {
            Ok(file) => touch(&file.into_std()).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        });
        held.map_err(|error| BlobError::io(*digest, error))
    }

    /// When somebody last put or held it; nothing where it is not there.
    pub fn time(&self, digest: &Digest) -> Result<Option<i64>, BlobError> {
        match self.blobs.metadata(place(digest)).and_then(|metadata| metadata.modified()) {
            Ok(time) => Ok(Some(micros(time.into_std()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::io(*digest, error)),
        }
    }

    /// Removes a blob whose time is before `cutoff`; says whether it did.
    pub fn remove_older(&self, digest: &Digest, cutoff: i64) -> Result<bool, BlobError> {
        let lock = self.lock().and_then(|lock| lock.lock().map(|()| lock));
        let _alone = lock.map_err(|error| BlobError::io(*digest, error))?;
        match self.time(digest)? {
            Some(time) if time < cutoff => self.remove(digest).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Every blob.
    pub fn list(&self) -> io::Result<Vec<StoredBlob>> {
        let mut found = Vec::new();
        for (folder, algorithm) in [("blake3", Algorithm::Blake3), ("sha256", Algorithm::Sha256)] {
            for shard in self.blobs.read_dir(folder)? {
                let shard = shard?;
                let Some(head) = shard.file_name().to_str().map(str::to_owned) else { continue };
                for entry in shard.open_dir()?.entries()? {
                    let entry = entry?;
                    let name = entry.file_name();
                    let text = name.to_str().map(|tail| format!("{folder}:{head}{tail}"));
                    // What has no digest's name is no blob.
                    let digest = text.and_then(|text| text.parse::<Digest>().ok());
                    let Some(digest) = digest.filter(|digest| digest.algorithm() == algorithm) else { continue };
                    match entry.metadata() {
                        Ok(metadata) => {
                            let time = micros(metadata.modified()?.into_std());
                            found.push(StoredBlob { digest, size: metadata.len(), time });
                        }
                        // Removed or moved aside since the folder was read.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(found)
    }

    /// Removes files that a process was writing so long ago that it is gone. Gives how many.
    pub fn clear_temporary(&self, cutoff: i64) -> io::Result<u64> {
        let mut removed = 0;
        for entry in self.tmp.entries()? {
            let entry = entry?;
            let old = entry.metadata().is_ok_and(|metadata| {
                metadata.is_file() && metadata.modified().is_ok_and(|time| micros(time.into_std()) < cutoff)
            });
            if old && self.tmp.remove_file(entry.file_name()).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
