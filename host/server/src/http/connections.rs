//! Connections: accepts them, keeps their number, time and memory bounded, and lets the last requests finish.
//!
//! The loop is written out because `axum::serve` installs no timer, without which hyper's time limit for headers does
//! nothing and a slow client holds its connection for ever.

mod admission;
mod open_files;
mod paced;
mod patience;
mod stall;
mod tls;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::admission::Admission;
use self::paced::Paced;
pub use self::patience::Pace;
use self::stall::Stall;
pub use self::tls::{Tls, TlsFiles};
use super::front::Front;

/// What connections may take.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Open at a time; further ones are told so (503) and closed.
    pub count: usize,
    /// Of one address at a time. Loopback is not counted: a proxy may stand there.
    pub per_address: usize,
    /// For a request's headers to come, counted from when the connection waits for them: so an idle connection lives as
    /// long.
    pub head: Duration,
    /// For the client to send the next bytes of a body, and to take the next bytes of an answer.
    pub pace: Pace,
    /// For clients that keep their connection to be told, with an answer, that it ends; then idle ones are closed.
    pub linger: Duration,
    /// For requests in flight to end after the server was told to stop.
    pub drain: Duration,
    /// Of a request's headers, in bytes.
    pub head_bytes: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            count: 4_096,
            per_address: 1_024,
            head: Duration::from_secs(20),
            pace: Pace { stall: Duration::from_secs(20), rate: 1 << 10 },
            linger: Duration::from_millis(300),
            drain: Duration::from_secs(20),
            head_bytes: 16 << 10,
        }
    }
}

/// Who is at the other end of the connection: a request's extension.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// After the stop, a connection that does nothing for this long has no request that it could end.
const QUIET: Duration = Duration::from_millis(500);

/// Where connections come in.
pub struct Listener {
    pub tcp: TcpListener,
    /// Absent: in the clear.
    pub tls: Option<Tls>,
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None }
    }
}

/// Accepts and serves until `shutdown`, then lets requests in flight finish.
pub async fn serve(
    listener: impl Into<Listener>,
    front: Front,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let Listener { tcp: listener, tls } = listener.into();
    let admission = Admission::new(open_files::room_for(limits.count), limits.per_address);
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept(&listener) => accepted,
        };
        let Some((stream, peer)) = accepted else { continue };
        let Some(place) = admission.enter(peer.ip()) else {
            front.metrics().refused_connection();
            // Who speaks TLS would not understand it.
            if tls.is_none() {
                connections.spawn(admission.clone().refuse(stream));
            }
            continue;
        };
        let (front, limits, stopping, tls) = (front.clone(), limits.clone(), stopping.clone(), tls.clone());
        connections.spawn(async move {
            let open = front.metrics().connection();
            // Answers are whole when they are written: waiting for more bytes only delays them.
            let _ = stream.set_nodelay(true);
            match tls {
                None => connection(stream, Peer(peer), front, &limits, stopping).await,
                // A client that does not get so far has asked for nothing.
                Some(tls) => tokio::select! {
                    () = told(stopping.clone(), Duration::ZERO) => {}
                    accepted = tls.accept(stream, limits.head) => match accepted {
                        Ok(stream) => connection(stream, Peer(peer), front, &limits, stopping).await,
                        Err(error) => tracing::debug!(%error, "a client did not get through TLS"),
                    },
                },
            }
            drop((place, open));
        });
    }
    drop(listener);
    drop(stop);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests did not end in time and are broken off");
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        // The client went away, or this process has no more file descriptors, which takes a while to pass.
        Err(error) => {
            tracing::warn!("cannot accept a connection: {error}");
            if error.kind() != io::ErrorKind::ConnectionAborted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            None
        }
    }
}

/// Serves one connection, whatever its bytes come through.
async fn connection<S>(stream: S, peer: Peer, front: Front, limits: &ConnectionLimits, stopping: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let activity = Activity::default();
    let service = service_fn(|request: Request<Incoming>| {
        let (front, ends, busy) = (front.clone(), stopping.clone(), activity.request());
        let mut request = request.map(|body| Body::new(Paced::new(body, limits.pace)));
        request.extensions_mut().insert(peer);
        async move {
            let mut answer = front.answer(request).await;
            if is_stopping(&ends) {
                // Else the client would send its next request into a connection that is being closed.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(busy);
            Ok::<_, Infallible>(answer)
        }
    });
    let io = TokioIo::new(Stall::new(stream, limits.pace, activity.moved.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes)
        .max_buf_size(64 << 10)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    tokio::select! {
        // What goes wrong here is the client's connection.
        _ = connection.as_mut() => return,
        () = told(stopping.clone(), limits.linger) => connection.as_mut().graceful_shutdown(),
    }
    finish(connection, &activity).await;
}

/// Until the connection ends, or does nothing any more: half of a head is no request.
async fn finish(mut connection: Pin<&mut impl Future>, activity: &Activity) {
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = tokio::time::sleep(QUIET) => if activity.is_over() { return },
        }
    }
}

/// The sender is dropped to say it.
async fn told(mut stopping: watch::Receiver<()>, linger: Duration) {
    let _ = stopping.changed().await;
    tokio::time::sleep(linger).await;
}

fn is_stopping(stopping: &watch::Receiver<()>) -> bool {
    stopping.has_changed().is_err()
}

/// What goes on in a connection.
#[derive(Default)]
struct Activity {
    /// Requests without an answer.
    requests: Arc<AtomicUsize>,
    /// Whether bytes of an answer went out since it was last asked.
    moved: Arc<AtomicBool>,
}

/// A request without an answer, until it is dropped.
struct Busy(Arc<AtomicUsize>);

impl Activity {
    fn request(&self) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Busy(self.requests.clone())
    }

    fn is_over(&self) -> bool {
        !self.moved.swap(false, Ordering::Relaxed) && self.requests.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
