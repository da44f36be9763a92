//! Artifacts: files named by the digest of their content.
//!
//! A blob appears whole or not at all (temporary file, then rename), never changes (mode 0444), and is checked
//! whenever it is read. No name but a digest leads to a file, and all access goes through capabilities of the two
//! folders, so that no input can become a path.
//!
//! The door is [`Blobs`]. Knows nothing of rows.

mod files;
mod keeping;
mod reader;
mod writer;

use std::io;
use std::sync::Arc;

use wasmlops_package::{Algorithm, Digest};

use crate::home::Home;
use files::Files;
pub use keeping::StoredBlob;
pub use reader::BlobReader;
pub use writer::BlobWriter;

/// Up to this size a blob is read or written where the call is made: that takes less than 0.1 ms, about what moving it
/// to another thread costs. What is larger would hold up the async threads.
const INLINE: usize = 64 << 10;

/// The artifact store. Clones share it.
#[derive(Clone)]
pub struct Blobs {
    files: Arc<Files>,
}

/// Why there are no bytes, or no digest.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BlobError {
    /// Never stored, deleted, or lost with power before a barrier.
    #[error("no blob `{0}` is stored")]
    Missing(Digest),
    /// The bytes on disk are not what the digest names. They were moved aside, so that storing it again heals it.
    #[error("blob `{0}` is damaged on disk")]
    Corrupt(Digest),
    #[error("the disk is full")]
    Full,
    /// What is on disk is unknown.
    #[error("blobs could not be synced to disk: {0}")]
    Sync(Arc<io::Error>),
    #[error("blob `{digest}` cannot be accessed: {source}")]
    Io { digest: Digest, source: Arc<io::Error> },
}

impl BlobError {
    fn io(digest: Digest, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(digest),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { digest, source: Arc::new(error) },
        }
    }
}

impl Blobs {
    pub(crate) fn new(home: &Home) -> io::Result<Self> {
        Ok(Self { files: Arc::new(Files::new(home.blobs.try_clone()?, home.tmp.try_clone()?)) })
    }

    /// Stores an artifact under its BLAKE3 digest; what is there already is left alone. Safe from the death of the
    /// process when it returns, from power loss after the next [`barrier`](crate::Store::barrier).
    ///
    /// # Errors
    /// [`BlobError::Full`], [`BlobError::Io`].
    pub async fn put(&self, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Digest, BlobError> {
        self.put_as(Algorithm::Blake3, bytes).await
    }

    /// Like [`Blobs::put`], under the digest of this algorithm: components are kept by SHA-256.
    pub async fn put_as(
        &self,
        algorithm: Algorithm,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Digest, BlobError> {
        let files = Arc::clone(&self.files);
        let size = bytes.as_ref().len();
        off_thread_if(size > INLINE, move || files.put(algorithm, bytes.as_ref())).await
    }

    /// Like [`Blobs::put`], and safe from power loss when it returns.
    ///
    /// # Errors
    /// [`BlobError::Sync`] besides those of [`Blobs::put`].
    pub async fn put_durable(&self, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Digest, BlobError> {
        let files = Arc::clone(&self.files);
        off_thread_if(true, move || {
            let digest = files.put(Algorithm::Blake3, bytes.as_ref())?;
            files.sync_one(&digest)?;
            Ok(digest)
        })
        .await
    }

    /// Like [`Blobs::put_as`], for threads that may block.
    pub fn put_blocking(&self, algorithm: Algorithm, bytes: &[u8]) -> Result<Digest, BlobError> {
        self.files.put(algorithm, bytes)
    }

    /// The whole of a blob, checked.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Corrupt`], [`BlobError::Io`].
    pub async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let digest = *digest;
        let large = self.size(&digest)? > INLINE as u64;
        let files = Arc::clone(&self.files);
        off_thread_if(large, move || files.get(&digest)).await
    }

    /// Like [`Blobs::get`], for threads that may block.
    pub fn get_blocking(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        self.files.get(digest)
    }

    /// A blob piece by piece, for what is too large to hold. Blocks where it is read.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Io`]; damage shows at the end of reading.
    pub fn open_reader(&self, digest: &Digest) -> Result<BlobReader, BlobError> {
        BlobReader::open(Arc::clone(&self.files), *digest)
    }

    /// Begins a blob that comes piece by piece. Blocks where it is written.
    ///
    /// # Errors
    /// The failure to make a temporary file.
    pub fn begin(&self, algorithm: Algorithm) -> io::Result<BlobWriter> {
        BlobWriter::begin(Arc::clone(&self.files), algorithm)
    }

    /// Bytes of a blob, which are not checked.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Io`].
    pub fn size(&self, digest: &Digest) -> Result<u64, BlobError> {
        self.files.size(digest)
    }

    /// Whether a blob is there. Its bytes are not checked.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.files.size(digest).is_ok()
    }

    /// Whether a blob is there; if so, it stays for a day whatever names it. For those who will name a blob that they
    /// have not put themselves.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn hold(&self, digest: &Digest) -> Result<bool, BlobError> {
        self.files.hold(digest)
    }

    /// When somebody last put or held a blob, in microseconds since 1970; nothing where it is not there.
    pub(crate) fn time(&self, digest: &Digest) -> Result<Option<i64>, BlobError> {
        self.files.time(digest)
    }

    /// Every blob on disk.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub async fn list(&self) -> io::Result<Vec<StoredBlob>> {
        let files = Arc::clone(&self.files);
        match tokio::task::spawn_blocking(move || files.list()).await {
            Ok(listed) => listed,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Removes a blob that nobody has put or held since `cutoff` (microseconds since 1970); says whether it did.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Io`].
    pub async fn remove_older(&self, digest: &Digest, cutoff: i64) -> Result<bool, BlobError> {
        let (files, digest) = (Arc::clone(&self.files), *digest);
        off_thread_if(true, move || files.remove_older(&digest, cutoff)).await
    }

    /// Removes files that a process was writing before `cutoff` and never finished. Gives how many.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub async fn clear_temporary(&self, cutoff: i64) -> io::Result<u64> {
        let files = Arc::clone(&self.files);
        match tokio::task::spawn_blocking(move || files.clear_temporary(cutoff)).await {
            Ok(cleared) => cleared,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Deletes a blob. For those who know that nothing names it: a reader that has it open reads on.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Io`].
    pub async fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        let (files, digest) = (Arc::clone(&self.files), *digest);
        off_thread_if(true, move || files.remove(&digest)).await
    }

    /// Makes every blob stored so far safe from power loss. Says whether there was anything to do.
    pub(crate) async fn sync(&self) -> Result<bool, BlobError> {
        let files = Arc::clone(&self.files);
        off_thread_if(files.has_unsynced(), move || files.sync()).await
    }
}

async fn off_thread_if<T: Send + 'static>(
    large: bool,
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    if !large {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
