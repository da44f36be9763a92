//! Connections: accepts them, keeps their number, time and memory bounded, and lets the last requests finish.
//!
//! The loop is written out because `axum::serve` installs no timer, without which hyper's time limit for headers does
//! nothing and a slow client holds its connection for ever.

mod stall;

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::stall::Stall;
use super::front::Front;

/// What connections may take.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Open at a time; further ones wait to be accepted.
    pub count: usize,
    /// For a request's headers to come, counted from when the connection waits for them: so an idle connection lives as
    /// long.
    pub head: Duration,
    /// For the client to take the next bytes of an answer.
    pub stall: Duration,
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
            head: Duration::from_secs(20),
            stall: Duration::from_secs(20),
            linger: Duration::from_millis(300),
            drain: Duration::from_secs(20),
            head_bytes: 16 << 10,
        }
    }
}

/// Accepts and serves until `shutdown`, then lets requests in flight finish.
pub async fn serve(
    listener: TcpListener,
    front: Front,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let room = Arc::new(Semaphore::new(limits.count));
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (stream, permit) = accept(&listener, &room) => {
                let (front, limits, stopping) = (front.clone(), limits.clone(), stopping.clone());
                connections.spawn(async move {
                    let open = front.metrics().connection();
                    connection(stream, front, &limits, stopping).await;
                    drop((permit, open));
                });
            }
        }
    }
    drop(listener);
    drop(stop);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests did not end in time and are broken off");
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    let permit = room.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            // The client went away, or this process has no more file descriptors, which takes a while to pass.
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, front: Front, limits: &ConnectionLimits, mut stopping: watch::Receiver<()>) {
    // Answers are whole when they are written: waiting for more bytes only delays them.
    let _ = stream.set_nodelay(true);
    let ends = stopping.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (front, ends) = (front.clone(), ends.clone());
        async move {
            let mut answer = front.answer(request.map(Body::new)).await;
            if is_stopping(&ends) {
                // Else the client would send its next request into a connection that is being closed.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let io = TokioIo::new(Stall::new(stream, limits.stall));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes)
        .max_buf_size(64 << 10)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let stop = async {
        // The sender is dropped to say it.
        let _ = stopping.changed().await;
        tokio::time::sleep(limits.linger).await;
    };
    tokio::select! {
        // What goes wrong here is the client's connection.
        _ = connection.as_mut() => return,
        () = stop => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

fn is_stopping(stopping: &watch::Receiver<()>) -> bool {
    stopping.has_changed().is_err()
}
