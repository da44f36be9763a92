//! Bodies that are made while they are sent. A task makes the pieces and waits where the client is slow; it ends with
//! the body, however that ends. Knows nothing of what is sent.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Pieces that wait for the client; beyond it, whoever makes them waits.
const WAITING: usize = 8;

/// Where the pieces go. An error breaks the connection off, so that nobody takes what came for a whole.
pub(super) type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// A body that `make` fills, of this size where it is known.
pub(super) fn body<F: Future<Output = ()> + Send + 'static>(size: Option<u64>, make: impl FnOnce(Pieces) -> F) -> Body {
    let (sender, pieces) = mpsc::channel(WAITING);
    let task = tokio::spawn(make(sender));
    Body::new(Stream { pieces, left: size, task })
}

struct Stream {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    /// Bytes to come.
    left: Option<u64>,
    task: JoinHandle<()>,
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        if let (Some(Ok(piece)), Some(left)) = (&piece, &mut self.left) {
            *left = left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}
