//! Writing a blob piece by piece, for what is too large to hold.

use std::io::{self, Write};
use std::sync::Arc;

use cap_std::fs::File;
use sha2::Digest as _;
use wasmlops_package::{Algorithm, Digest};

use super::BlobError;
use super::files::Files;

/// A blob on its way in: a temporary file, which is gone if this is dropped. Blocks where it is written.
pub struct BlobWriter {
    files: Arc<Files>,
    name: String,
    file: File,
    hasher: Hasher,
    algorithm: Algorithm,
    size: u64,
    kept: bool,
}

enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Sha256(sha2::Sha256),
}

impl BlobWriter {
    pub(super) fn begin(files: Arc<Files>, algorithm: Algorithm) -> io::Result<Self> {
        let (name, file) = files.temporary()?;
        let hasher = match algorithm {
            Algorithm::Blake3 => Hasher::Blake3(Box::default()),
            Algorithm::Sha256 => Hasher::Sha256(sha2::Sha256::new()),
        };
        Ok(Self { files, name, file, hasher, algorithm, size: 0, kept: false })
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of the bytes so far.
    pub fn digest(&self) -> Digest {
        let bytes = match &self.hasher {
            Hasher::Blake3(hasher) => *hasher.finalize().as_bytes(),
            Hasher::Sha256(hasher) => hasher.clone().finalize().into(),
        };
        Digest::new(self.algorithm, bytes)
    }

    /// Puts the bytes in their place, under their digest. Safe from power loss after the next
    /// [`barrier`](crate::Store::barrier).
    ///
    /// # Errors
    /// [`BlobError::Full`], [`BlobError::Io`].
    pub fn keep(mut self) -> Result<Digest, BlobError> {
        let digest = self.digest();
        let flushed = self.file.flush();
        flushed.and_then(|()| self.files.publish(&self.name, &digest)).map_err(|error| BlobError::io(digest, error))?;
        self.kept = true;
        self.files.note_unsynced(digest);
        Ok(digest)
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        match &mut self.hasher {
            Hasher::Blake3(hasher) => drop(hasher.update(&bytes[..length])),
            Hasher::Sha256(hasher) => hasher.update(&bytes[..length]),
        }
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.kept {
            // What stays is removed at a later start.
            self.files.discard(&self.name);
        }
    }
}
