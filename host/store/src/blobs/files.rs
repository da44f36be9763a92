//! The files behind the blobs: writing, checking, moving aside, syncing. Everything here blocks.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, File, OpenOptions, OpenOptionsExt};
use wasmlops_package::{Algorithm, Digest};

use super::BlobError;

/// With more blobs than this to sync, the file system is synced as a whole.
const SYNCED_ONE_BY_ONE: usize = 32;

pub(super) struct Files {
    /// `blake3/ab/cdef...`, `sha256/ab/cdef...`, `corrupt/`
    pub(super) blobs: Dir,
    /// Blobs being written, on the same file system.
    pub(super) tmp: Dir,
    written: AtomicU64,
    unsynced: Mutex<Unsynced>,
}

/// What a power loss may take.
enum Unsynced {
    /// At the start: earlier processes may have left blobs without a barrier.
    Unknown,
    Known(Vec<Digest>),
}

impl Files {
    pub fn new(blobs: Dir, tmp: Dir) -> Self {
        Self { blobs, tmp, written: AtomicU64::new(0), unsynced: Mutex::new(Unsynced::Unknown) }
    }

    pub fn put(&self, algorithm: Algorithm, bytes: &[u8]) -> Result<Digest, BlobError> {
        let digest = match algorithm {
            Algorithm::Blake3 => Digest::blake3(bytes),
            Algorithm::Sha256 => Digest::sha256(bytes),
        };
        // What is there is not believed: after a power loss it may be empty or torn. Then it is replaced.
        let there = self.open(&digest).is_ok_and(|file| holds(file, bytes).unwrap_or(false));
        // Held, so that it is not removed before it is named.
        if !there || !self.hold(&digest)? {
            self.write(&digest, bytes).map_err(|error| match BlobError::io(digest, error) {
                // Nothing is missing when writing: somebody has removed the folders.
                BlobError::Missing(_) => BlobError::Io { digest, source: Arc::new(io::ErrorKind::NotFound.into()) },
                error => error,
            })?;
            self.note_unsynced(digest);
        }
        Ok(digest)
    }

    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let mut file = self.open(digest).map_err(|error| BlobError::io(*digest, error))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| BlobError::io(*digest, error))?;
        if digest.matches(&bytes) {
            return Ok(bytes);
        }
        self.set_aside(digest);
        Err(BlobError::Corrupt(*digest))
    }

    pub fn size(&self, digest: &Digest) -> Result<u64, BlobError> {
        let metadata = self.blobs.metadata(place(digest)).map_err(|error| BlobError::io(*digest, error))?;
        Ok(metadata.len())
    }

    pub fn open(&self, digest: &Digest) -> io::Result<File> {
        self.blobs.open(place(digest))
    }

    pub fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        self.blobs.remove_file(place(digest)).map_err(|error| BlobError::io(*digest, error))
    }

    /// Moves a damaged blob out of the way, so that storing it again heals it.
    pub fn set_aside(&self, digest: &Digest) {
        let aside = format!("corrupt/{}-{}", folder(digest), digest.hex());
        let moved = self.blobs.rename(place(digest), &self.blobs, &aside);
        // Somebody may have healed it since it was read: then what was moved is whole, and goes back.
        let whole = moved.is_ok() && self.blobs.read(&aside).is_ok_and(|bytes| digest.matches(&bytes));
        let end = if whole { self.blobs.rename(&aside, &self.blobs, place(digest)) } else { moved };
        match end {
            Ok(()) if whole => {}
            Ok(()) => tracing::error!(%digest, "a damaged blob was moved to `blobs/corrupt`"),
            Err(error) => tracing::error!(%digest, %error, "a damaged blob could not be moved aside"),
        }
    }

    pub fn has_unsynced(&self) -> bool {
        match &*self.unsynced() {
            Unsynced::Unknown => true,
            Unsynced::Known(digests) => !digests.is_empty(),
        }
    }

    /// Syncs one blob and the folders that lead to it.
    pub fn sync_one(&self, digest: &Digest) -> Result<(), BlobError> {
        self.sync_few(&[*digest]).map_err(|error| BlobError::Sync(Arc::new(error)))
    }

    /// Syncs all blobs. After a failure nothing is known of them, and trying again would prove nothing.
    pub fn sync(&self) -> Result<bool, BlobError> {
        let unsynced = std::mem::replace(&mut *self.unsynced(), Unsynced::Known(Vec::new()));
        let synced = match &unsynced {
            Unsynced::Known(digests) if digests.is_empty() => return Ok(false),
            Unsynced::Known(digests) if digests.len() <= SYNCED_ONE_BY_ONE => self.sync_few(digests),
            Unsynced::Known(_) | Unsynced::Unknown => self.sync_file_system(),
        };
        synced.map(|()| true).map_err(|error| BlobError::Sync(Arc::new(error)))
    }

    fn sync_few(&self, digests: &[Digest]) -> io::Result<()> {
        let mut folders: Vec<String> = Vec::new();
        for digest in digests {
            match self.open(digest) {
                Ok(file) => file.sync_all()?,
                // Found damaged and moved aside meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            folders.extend([shard(digest), folder(digest).to_owned()]);
        }
        folders.sort();
        folders.dedup();
        for folder in folders {
            self.blobs.open(folder)?.sync_all()?;
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn sync_file_system(&self) -> io::Result<()> {
        // Opened anew: the capability is a path without access to content, which cannot be synced.
        Ok(rustix::fs::syncfs(self.blobs.open(".")?)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_file_system(&self) -> io::Result<()> {
        rustix::fs::sync();
        Ok(())
    }

    fn write(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let (name, mut file) = self.temporary()?;
        let written = file.write_all(bytes).and_then(|()| self.publish(&name, digest));
        if written.is_err() {
            // The first error is the one to tell; what stays is removed at a later start.
            let _ = self.tmp.remove_file(&name);
        }
        written
    }

    /// A file that no other process writes to: the name has this one's number, and an old one of that name is skipped.
    pub fn temporary(&self) -> io::Result<(String, File)> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o444);
        loop {
            let name = format!("{}-{}", std::process::id(), self.written.fetch_add(1, Ordering::Relaxed));
            match self.tmp.open_with(&name, &options) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return Ok((name, opened?)),
            }
        }
    }

    pub fn publish(&self, name: &str, digest: &Digest) -> io::Result<()> {
        // An older blob of that name may be about to be removed.
        let _shared = self.share()?;
        let renamed = self.tmp.rename(name, &self.blobs, place(digest));
        if !renamed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return renamed;
        }
        match self.blobs.create_dir_with(shard(digest), DirBuilder::new().mode(0o700)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self.tmp.rename(name, &self.blobs, place(digest)),
        }
    }

    /// A power loss may take this blob until the next sync.
    pub fn note_unsynced(&self, digest: Digest) {
        if let Unsynced::Known(digests) = &mut *self.unsynced() {
            digests.push(digest);
        }
    }

    /// Removes a temporary file.
    pub fn discard(&self, name: &str) {
        let _ = self.tmp.remove_file(name);
    }

    fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a blob lies: `blake3/ab/cdef...`, made of hex digits alone.
pub(super) fn place(digest: &Digest) -> PathBuf {
    let hex = digest.hex();
    [folder(digest), &hex[..2], &hex[2..]].iter().collect()
}

fn shard(digest: &Digest) -> String {
    format!("{}/{}", folder(digest), &digest.hex()[..2])
}

fn folder(digest: &Digest) -> &'static str {
    match digest.algorithm() {
        Algorithm::Blake3 => "blake3",
        Algorithm::Sha256 => "sha256",
    }
}

/// Whether the file's content is `bytes`, without holding it twice.
fn holds(mut file: File, bytes: &[u8]) -> io::Result<bool> {
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let mut piece = vec![0; bytes.len().min(64 << 10)];
    for expected in bytes.chunks(64 << 10) {
        let piece = &mut piece[..expected.len()];
        file.read_exact(piece)?;
        if piece != expected {
            return Ok(false);
        }
    }
    Ok(true)
}
