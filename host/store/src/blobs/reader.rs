//! Reading a blob piece by piece.

use std::io::{self, Read};
use std::sync::Arc;

use cap_std::fs::File;
use sha2::Digest as _;
use wasmlops_package::{Algorithm, Digest};

use super::BlobError;
use super::files::Files;

/// Reads a blob and checks it on the way: where the bytes were not what the digest names, the last read is an error
/// instead of the end, so that no one takes damaged bytes for a whole blob.
pub struct BlobReader {
    files: Arc<Files>,
    file: File,
    digest: Digest,
    size: u64,
    hasher: Hasher,
    end: Option<bool>,
}

enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Sha256(sha2::Sha256),
}

impl BlobReader {
    pub(super) fn open(files: Arc<Files>, digest: Digest) -> Result<Self, BlobError> {
        let file = files.open(&digest).map_err(|error| BlobError::io(digest, error))?;
        let size = file.metadata().map_err(|error| BlobError::io(digest, error))?.len();
        let hasher = match digest.algorithm() {
            Algorithm::Blake3 => Hasher::Blake3(Box::default()),
            Algorithm::Sha256 => Hasher::Sha256(sha2::Sha256::new()),
        };
        Ok(Self { files, file, digest, size, hasher, end: None })
    }

    /// Bytes in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    fn check(&mut self) -> bool {
        let bytes = match &self.hasher {
            Hasher::Blake3(hasher) => *hasher.finalize().as_bytes(),
            Hasher::Sha256(hasher) => hasher.clone().finalize().into(),
        };
        let whole = bytes == *self.digest.bytes();
        if !whole {
            self.files.set_aside(&self.digest);
        }
        whole
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let length = self.file.read(buffer)?;
        if length == 0 {
            let whole = match self.end {
                Some(whole) => whole,
                None => self.check(),
            };
            self.end = Some(whole);
            let corrupt = || io::Error::new(io::ErrorKind::InvalidData, BlobError::Corrupt(self.digest));
            return if whole { Ok(0) } else { Err(corrupt()) };
        }
        match &mut self.hasher {
            Hasher::Blake3(hasher) => drop(hasher.update(&buffer[..length])),
            Hasher::Sha256(hasher) => hasher.update(&buffer[..length]),
        }
        Ok(length)
    }
}
