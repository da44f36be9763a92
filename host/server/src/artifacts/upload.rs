//! Artifacts that clients bring: written as they come, believed when their digest is what was declared.

use std::io::Write;

use axum::body::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use wasmlops_package::Digest;
use wasmlops_store::{BlobError, Blobs, Stamp};

use crate::error::{Error, Result};
use crate::host::Host;

/// Pieces that wait for the disk; beyond it, the client waits.
const WAITING: usize = 8;

/// An artifact on its way in. Nothing of it is kept unless [`Upload::finish`] succeeds.
pub struct Upload {
    host: Host,
    declared: Digest,
    pieces: mpsc::Sender<Piece>,
    writer: JoinHandle<Result<u64>>,
}

enum Piece {
    Bytes(Bytes),
    /// That was all.
    End,
}

impl Upload {
    pub fn begin(host: &Host, declared: Digest) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let blobs = host.store.blobs().clone();
        let writer = tokio::task::spawn_blocking(move || write(&blobs, declared, receiver));
        Self { host: host.clone(), declared, pieces: sender, writer }
    }

    /// Takes the next bytes. A writer that has failed is found out about at the end.
    pub async fn take(&self, bytes: Bytes) {
        // The writer says why it ended.
        let _ = self.pieces.send(Piece::Bytes(bytes)).await;
    }

    /// Keeps the artifact. Durable when it returns. Gives its size.
    ///
    /// # Errors
    /// The user's, `digest-mismatch`: these are other bytes than were declared.
    pub async fn finish(self, media_type: &str, actor: &str) -> Result<u64> {
        let _ = self.pieces.send(Piece::End).await;
        let size = self.writer.await.map_err(Error::bug)??;
        let stamp = Stamp { time: self.host.clock.now(), actor: actor.to_owned() };
        let recorded = i64::try_from(size).map_err(Error::bug)?;
        self.host.store.record_artifact(self.declared, media_type, recorded, stamp).await?;
        self.host.store.barrier().await?;
        Ok(size)
    }
}

fn write(blobs: &Blobs, declared: Digest, mut pieces: mpsc::Receiver<Piece>) -> Result<u64> {
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::store(BlobError::Full),
        _ => Error::io("write an artifact")(error),
    };
    let mut writer = blobs.begin(declared.algorithm()).map_err(io)?;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Bytes(bytes)) => writer.write_all(&bytes).map_err(io)?,
            Some(Piece::End) => break,
            None => return Err(Error::user("broken-off", "the body broke off", "send it again")),
        }
    }
    let found = writer.digest();
    if found != declared {
        let message = format!("the body's digest is `{found}`, not `{declared}` as was declared");
        return Err(Error::user("digest-mismatch", message, "send the bytes that the digest is of"));
    }
    let size = writer.size();
    writer.keep().map_err(Error::store)?;
    Ok(size)
}
