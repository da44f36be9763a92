//! The server against clients that mean no good, or are just slow, over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::served::{self, PREDICT, Served};
use crate::support::TestProject;

/// Connections that hold on to half of a head.
const HALF_OPEN: usize = 2_000;
const HEALTHY: usize = 300;

/// A project without endpoints: ready at once.
fn bare() -> TestProject {
    let project = TestProject::empty();
    project.write("wasmlops.yaml", "project: bare\n");
    project
}

fn connect(served: &Served, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&served.address).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

/// What comes until the server closes.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    match stream.read_to_end(&mut answer) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
            panic!("the server does not let go of a slow client")
        }
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}

#[test]
fn healthy_requests_go_on_beside_half_open_ones() {
    let project = bare();
    let served = Served::start(&project);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let held = maximum.map_or(HALF_OPEN, |files| HALF_OPEN.min(usize::try_from(files).unwrap().saturating_sub(600)));
    let half: Vec<TcpStream> = (0..held).map(|_| connect(&served, "GET /healthz HTTP/1.1\r\nHost: local")).collect();
    let mut took = Vec::new();
    for _ in 0..HEALTHY {
        let begun = Instant::now();
        assert_eq!(served.get("/healthz").status, 200);
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    let (p50, p99) = (took[HEALTHY / 2], took[HEALTHY * 99 / 100]);
    println!(
        "beside {held} half-open connections: p50 {p50:?}, p99 {p99:?} of {HEALTHY} requests, each with a connection of its own"
    );
    // The time limit for heads really fires.
    for stream in half {
        assert_eq!(rest(stream), "");
    }
}

#[test]
fn whoever_trickles_is_cut() {
    let project = bare();
    let served = Served::start(&project);
    let body = "POST /api/v1/endpoints/any/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{";
    let mut slow = vec![connect(&served, "GET /healthz HTTP/1.1\r\nX-A: "), connect(&served, body)];
    let idle = connect(&served, "");
    // A byte now and then, until the connection breaks.
    let mut patience = 400;
    while !slow.is_empty() {
        slow.retain_mut(|stream| stream.write_all(b" ").is_ok());
        std::thread::sleep(Duration::from_millis(500));
        patience -= 1;
        assert!(patience > 0, "the server does not let go of a slow client");
    }
    assert_eq!(rest(idle), "");
    assert_eq!(served.get("/healthz").status, 200);
}

#[test]
fn bodies_that_are_too_much_are_refused_early() {
    let project = served::published();
    let served = Served::start(&project);
    // No byte of it comes, and the answer does.
    let head = format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n");
    let answer = rest(connect(&served, &format!("{head}\r\n")));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let deep = format!("{{\"rows\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(served.ask("POST", PREDICT, "", deep.as_bytes()).status, 400);
    let twice = br#"{"rows": [], "rows": []}"#;
    assert_eq!(served.ask("POST", PREDICT, "", twice).status, 400);
    let encoded = served.ask("POST", PREDICT, "Content-Encoding: gzip\r\n", b"\x1f\x8b");
    assert_eq!(encoded.status, 415);
    let good = json!({ "rows": served::rows(&project, 1) });
    assert_eq!(served.post(PREDICT, &good).status, 200);
}

#[test]
fn a_server_that_is_told_to_stop_answers_what_has_begun() {
    let project = served::published();
    let rows = served::rows(&project, 1);
    let mut served = Served::start(&project);
    // One half of a request, the other after the signal.
    let body = json!({ "rows": rows }).to_string();
    let head = format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
    let mut begun = connect(&served, &format!("{head}\r\n{}", &body[..10]));
    assert_eq!(served.get("/readyz").status, 200);
    served.signal("-TERM");
    while TcpStream::connect(&served.address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.write_all(&body.as_bytes()[10..]).unwrap();
    let answer = rest(begun);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"predictions\""), "{answer}");
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    let id = answer.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap();
    let lineage = project.json(0, &["lineage", id]);
    assert!(lineage.to_string().contains("breast-cancer"), "what was answered is on record: {lineage}");
}
