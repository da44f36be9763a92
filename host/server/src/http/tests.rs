//! The surface over real connections, with routes of its own: what every request passes, whatever it asks for.

mod access;
mod api;
mod keys;
mod site;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::body::BodyLimits;
use super::connections::{ConnectionLimits, Pace, serve};
use super::failure::Failure;
use super::front::Front;
use super::metrics::Metrics;
use crate::clock::ManualClock;
pub(crate) use access::malformed_tokens;

struct Site {
    address: SocketAddr,
    /// A handler of `/wait` has begun.
    begun: Arc<Notify>,
    /// Lets it end.
    go_on: Arc<Notify>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

async fn echo(State(bodies): State<BodyLimits>, request: Request) -> Result<String, Failure> {
    Ok(format!("{}", bodies.read(request).await?.bytes.len()))
}

impl Site {
    async fn start(limits: ConnectionLimits, bodies: BodyLimits) -> Self {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let wait = {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            move || async move {
                begun.notify_one();
                go_on.notified().await;
                "waited"
            }
        };
        let router = Router::new()
            .route("/echo", post(echo))
            .route("/v2/fail", get(async || Failure::internal("the secret of the disk")))
            .route("/panic", get(async || if true { panic!("a bug of the test") } else { "" }))
            .route("/large", get(async || "x".repeat(64 << 20)))
            .route("/wait", get(wait))
            .with_state(bodies);
        let front = Front::unguarded(router, Arc::new(Metrics::default()), Arc::new(ManualClock::at(0)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { stopped.await.unwrap_or_default() };
        let served = tokio::spawn(serve(listener, front, limits, shutdown));
        Self { address, begun, go_on, stop, served }
    }

    async fn usual() -> Self {
        Self::start(ConnectionLimits::default(), BodyLimits::new(1000, Duration::from_secs(60), 1000)).await
    }

    /// Sends bytes and reads until the server closes.
    async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect(request).await;
        read_to_end(&mut stream).await
    }

    async fn connect(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is an end, too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_request(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n")
}

fn post_request(length: &str, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}\r\n\r\n{body}")
}

#[tokio::test]
async fn answers_carry_an_id_and_security_headers() {
    let site = Site::usual().await;
    let answer = site.ask(&get_request("/nothing", "X-Request-Id: mine-7\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    for header in
        ["x-request-id: mine-7", "x-content-type-options: nosniff", "x-frame-options: DENY", "cache-control: no-store"]
    {
        assert!(answer.contains(&format!("{header}\r\n")), "no `{header}` in {answer}");
    }
    assert!(!answer.contains("access-control"), "{answer}");
    let odd = site.ask(&get_request("/nothing", "X-Request-Id: a b\"c\r\n")).await;
    assert!(odd.contains("x-request-id: ") && !odd.contains("a b"), "{odd}");
}

#[tokio::test]
async fn a_fault_is_told_by_a_fixed_text_and_an_id() {
    let site = Site::usual().await;
    let fault = site.ask(&get_request("/v2/fail", "X-Request-Id: q1\r\n")).await;
    assert!(fault.starts_with("HTTP/1.1 500"), "{fault}");
    assert!(fault.ends_with(r#"{"error":"the server failed; its log has the detail under request `q1`"}"#), "{fault}");
    let panicked = site.ask(&get_request("/panic", "")).await;
    assert!(panicked.starts_with("HTTP/1.1 500") && panicked.contains(r#""code":"internal""#), "{panicked}");
    assert!(site.ask(&post_request("Content-Length: 2", "hi")).await.ends_with("\r\n\r\n2"));
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let site = Site::usual().await;
    let foreign = site.ask("GET /echo HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n").await;
    assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
    let page = site.ask(&get_request("/echo", "Origin: https://example.com\r\n")).await;
    assert!(page.starts_with("HTTP/1.1 403"), "{page}");
}

#[tokio::test]
async fn bodies_are_bounded_however_they_are_sent() {
    let site = Site::usual().await;
    let ask = async |length: &str, body: &str| site.ask(&post_request(length, body)).await;
    assert!(ask("Content-Length: 1000", &"x".repeat(1000)).await.starts_with("HTTP/1.1 200"));
    // The refusal does not wait for a body that never comes.
    assert!(ask("Content-Length: 1001", "").await.starts_with("HTTP/1.1 413"));
    assert!(ask("Content-Length: 99999999999999999999", "").await.starts_with("HTTP/1.1 4"));
    let chunks = format!("400\r\n{}\r\n0\r\n\r\n", "x".repeat(0x400));
    assert!(ask("Transfer-Encoding: chunked", &chunks).await.starts_with("HTTP/1.1 413"));
    assert!(ask("Transfer-Encoding: chunked", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await.ends_with("\r\n\r\n5"));
    assert!(ask("Content-Length: 2\r\nContent-Encoding: gzip", "hi").await.starts_with("HTTP/1.1 415"));
}

#[tokio::test]
async fn large_bodies_share_a_bounded_room() {
    let bodies = BodyLimits::new(100_000, Duration::from_secs(60), 100_000);
    let site = Site::start(ConnectionLimits::default(), bodies).await;
    let mut first = site.connect(&post_request("Content-Length: 100000\r\nExpect: 100-continue", "")).await;
    // Once the server asks for the body, it has taken room for it.
    let mut asked = [0; 25];
    first.read_exact(&mut asked).await.unwrap();
    let second = site.ask(&post_request("Content-Length: 100000", "")).await;
    assert!(second.starts_with("HTTP/1.1 503") && second.contains("retry-after: 1\r\n"), "{second}");
    first.write_all(&[b'x'; 100_000]).await.unwrap();
    assert!(read_to_end(&mut first).await.ends_with("\r\n\r\n100000"));
}

#[tokio::test]
async fn slow_clients_lose_their_connection() {
    let pace = Pace { stall: Duration::from_millis(50), rate: 1_000_000_000 };
    let limits = ConnectionLimits { head: Duration::from_millis(50), pace, ..Default::default() };
    let site = Site::start(limits, BodyLimits::new(1000, Duration::from_millis(50), 1000)).await;
    // Neither a head that stops, nor none at all, nor a connection that is done holds anything for long.
    assert_eq!(site.ask("GET /echo HTTP/1.1\r\nHost: loc").await, "");
    assert_eq!(site.ask("").await, "");
    let idle = site.ask("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(idle.starts_with("HTTP/1.1 404"), "{idle}");
    let body = site.ask(&post_request("Content-Length: 3", "ab")).await;
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
    // An answer that nobody takes is given up: the server can end.
    let unread = site.connect(&get_request("/large", "")).await;
    unread.readable().await.unwrap();
    site.stop.send(()).unwrap();
    site.served.await.unwrap();
    drop(unread);
}

#[tokio::test]
async fn heads_are_bounded() {
    let site = Site::usual().await;
    let answer = site.ask(&get_request("/echo", &format!("X-Long: {}\r\n", "x".repeat(20_000)))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = site.ask(&get_request("/echo", &"X-A: b\r\n".repeat(200))).await;
    assert!(many.starts_with("HTTP/1.1 431"), "{many}");
    let long = site.ask(&get_request(&format!("/{}", "x".repeat(9_000)), "")).await;
    assert!(long.starts_with("HTTP/1.1 414"), "{long}");
}

#[tokio::test]
async fn connections_beyond_the_cap_are_told_at_once() {
    let limits = ConnectionLimits { count: 1, ..Default::default() };
    let site = Site::start(limits, BodyLimits::new(10, Duration::from_secs(60), 10)).await;
    let mut first = site.connect(&get_request("/wait", "")).await;
    site.begun.notified().await;
    let refused = site.ask(&get_request("/nothing", "")).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains(r#""code":"too-many-connections""#), "{refused}");
    site.go_on.notify_one();
    assert!(read_to_end(&mut first).await.ends_with("waited"));
    // The place is free a moment after the answer.
    while site.ask(&get_request("/nothing", "")).await.starts_with("HTTP/1.1 503") {}
}

#[tokio::test]
async fn half_of_a_head_does_not_delay_the_end() {
    let site = Site::usual().await;
    let mut half = site.connect("GET /nothing HTTP/1.1\r\nHost: loc").await;
    site.ask(&get_request("/nothing", "")).await;
    site.stop.send(()).unwrap();
    // The time limit for heads is far away.
    site.served.await.unwrap();
    assert_eq!(read_to_end(&mut half).await, "");
}

#[tokio::test]
async fn whoever_says_both_lengths_gets_one_answer_and_no_second_request() {
    let site = Site::usual().await;
    for both in ["Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3"] {
        let smuggled = "0\r\n\r\nGET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let request = format!("POST /echo HTTP/1.1\r\nHost: localhost\r\n{both}\r\n\r\n{smuggled}");
        let answers = site.ask(&request).await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    }
}

#[tokio::test]
async fn framing_that_can_be_read_in_two_ways_is_refused() {
    let site = Site::usual().await;
    for (length, body) in [
        ("Content-Length: 3\r\nContent-Length: 4", "abcd"),
        ("Content-Length: +3", "abc"),
        ("Content-Length: -1", ""),
        ("Content-Length: 3, 3", "abc"),
        ("Content-Length: 0x3", "abc"),
        ("Transfer-Encoding: gzip", "abc"),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "zz\r\nabc\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "fffffffffffffffff\r\nabc"),
        ("Transfer-Encoding: chunked", "3\r\nabcX\r\n0\r\n\r\n"),
        ("Content-Length : 3", "abc"),
        ("X-Folded: a\r\n b", ""),
    ] {
        let answer = site.ask(&post_request(length, body)).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.is_empty(), "{length:?}: {answer}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let site = Site::usual().await;
    let one = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi";
    let requests = one.repeat(500) + &get_request("/nothing", "");
    let answers = site.ask(&requests).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 500);
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 1);
}

#[tokio::test]
async fn a_body_that_is_refused_is_not_asked_for() {
    let site = Site::usual().await;
    let answer = site.ask(&post_request("Content-Length: 1001\r\nExpect: 100-continue", "")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let asked = site.ask(&post_request("Content-Length: 2\r\nExpect: 100-continue", "hi")).await;
    assert!(asked.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), "{asked}");
}

#[tokio::test]
async fn requests_in_flight_end_when_the_server_stops() {
    let site = Site::usual().await;
    let mut idle = site.connect("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    let mut waiting = site.connect("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    site.begun.notified().await;
    site.stop.send(()).unwrap();
    // Idle connections are closed, which also says that the stop has come through.
    read_to_end(&mut idle).await;
    site.go_on.notify_one();
    let answer = read_to_end(&mut waiting).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("waited"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    site.served.await.unwrap();
    assert!(TcpStream::connect(site.address).await.is_err());
}
