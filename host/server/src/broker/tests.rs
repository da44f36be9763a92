//! What passes the broker, and what does not.

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers one connection with these bytes and gives what was asked.
async fn answer_once(reply: &'static [u8]) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        while !seen.ends_with(b"hello") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0);
            seen.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(reply).await.unwrap();
        String::from_utf8(seen).unwrap()
    });
    (origin, asked)
}

fn post(url: String) -> HttpRequest {
    let headers = vec![("x-a".to_owned(), b"1".to_vec()), ("Host".to_owned(), b"evil".to_vec())];
    HttpRequest { method: "POST".into(), url, headers, body: b"hello".to_vec(), timeout: None }
}

async fn send(granted: &[&str], request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let granted: Vec<Origin> = granted.iter().map(|origin| origin.parse().unwrap()).collect();
    Broker::default().send(&granted, request).await
}

#[tokio::test]
async fn sends_to_what_was_granted() {
    let (origin, asked) = answer_once(b"HTTP/1.1 201 Created\r\nx-b: 2\r\ncontent-length: 2\r\n\r\nok").await;
    let response = send(&[&origin], post(format!("{origin}/path?q=1"))).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (201, b"ok".as_slice()));
    assert!(response.headers.contains(&("x-b".to_owned(), b"2".to_vec())));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("POST /path?q=1 HTTP/1.1\r\n") && asked.contains("x-a: 1\r\n"), "{asked}");
    assert!(!asked.contains("evil"), "{asked}");
}

#[tokio::test]
async fn follows_no_redirect() {
    let (origin, asked) =
        answer_once(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n").await;
    let response = send(&[&origin], post(origin.clone())).await.unwrap();
    assert_eq!(response.status, 302);
    asked.await.unwrap();
}

#[tokio::test]
async fn refuses_other_origins() {
    for (granted, url) in [
        ("https://example.com", "http://example.com/"),
        ("https://example.com", "https://example.com:8443/"),
        ("https://example.com", "https://example.com.evil.test/"),
        ("https://example.com", "https://evil.test/?https://example.com"),
        ("http://127.0.0.1:1", "http://127.0.0.1:2/"),
    ] {
        let refused = send(&[granted], post(url.to_owned())).await;
        assert!(matches!(refused, Err(HttpFailure::Denied(_))), "{url}: {refused:?}");
    }
    for url in ["file:///etc/passwd", "nonsense", "https://user:secret@example.com/"] {
        let refused = send(&["https://example.com"], post(url.to_owned())).await;
        assert!(matches!(refused, Err(HttpFailure::InvalidRequest(_))), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn refuses_an_answer_that_is_too_large() {
    let (origin, asked) = answer_once(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
    let refused = send(&[&origin], post(origin.clone())).await;
    assert!(matches!(refused, Err(HttpFailure::TooLarge(_))), "{refused:?}");
    asked.await.unwrap();
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failed = send(&[&origin], post(origin.clone())).await;
    assert!(matches!(failed, Err(HttpFailure::Unreachable(_))), "{failed:?}");
}

#[test]
fn tells_public_from_other_addresses() {
    for text in ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"] {
        assert!(address::is_public(text.parse::<IpAddr>().unwrap()), "{text}");
    }
    for text in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.0.8",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "3fff::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "100::1",
    ] {
        assert!(!address::is_public(text.parse::<IpAddr>().unwrap()), "{text}");
    }
}

fn credentials(origin: &str, secret: &str) -> Credentials {
    let credential = wasmlops_core::config::Credential {
        origin: origin.parse().unwrap(),
        header: "authorization".to_owned(),
        value: "Bearer {secret}".to_owned(),
        secret: "KEY".to_owned(),
    };
    let mut credentials = Credentials::default();
    credentials.add(&credential, secret).unwrap();
    credentials.watched_by(crate::secrets::Redactor::new([secret.as_bytes()]))
}

fn granted(origins: &[&str], credentials: Credentials) -> Granted {
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    Granted { broker: Broker::default(), origins, credentials, span: Span::none() }
}

#[tokio::test]
async fn puts_a_secret_into_requests_of_its_origin_alone() {
    const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (with, asked_with) = answer_once(REPLY).await;
    let (without, asked_without) = answer_once(REPLY).await;
    let http = granted(&[&with, &without], credentials(&with, "canary-91fe02"));
    for origin in [&with, &without] {
        let mut request = post(origin.clone());
        request.headers.push(("Authorization".to_owned(), b"of the guest".to_vec()));
        http.send(request).await.unwrap();
    }
    let (with, without) = (asked_with.await.unwrap(), asked_without.await.unwrap());
    assert!(with.contains("authorization: Bearer canary-91fe02\r\n") && !with.contains("guest"), "{with}");
    assert!(!without.to_lowercase().contains("authorization"), "{without}");
}

#[tokio::test]
async fn an_answer_that_repeats_the_secret_does_not_reach_the_guest() {
    let (origin, asked) = answer_once(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nBearer canary-91fe02").await;
    let refused = granted(&[&origin], credentials(&origin, "canary-91fe02")).send(post(origin.clone())).await;
    assert!(matches!(&refused, Err(HttpFailure::Denied(why)) if !why.contains("canary")), "{refused:?}");
    asked.await.unwrap();
}
