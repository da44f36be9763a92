//! Who gets in, as users meet it: the first token, tokens by the command, TLS, several projects, and what is not safe.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::TestProject;

/// A server that asks who is there; dies with the test.
struct Guarded {
    child: Child,
    line: Value,
}

impl Guarded {
    fn start(project: &TestProject, more: &[&str]) -> Self {
        let mut command = project.command(&[&["serve", "--bind", "127.0.0.1:0", "--json"], more].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, line: serde_json::from_str(&line).unwrap_or_else(|_| panic!("`{line}` is no JSON")) }
    }

    fn token(&self) -> Option<&str> {
        self.line["admin_token"].as_str()
    }

    fn address(&self) -> &str {
        self.line["listening"].as_str().unwrap().split_once("://").unwrap().1
    }

    /// The status of a `GET`.
    fn get(&self, path: &str, token: Option<&str>) -> u16 {
        let stream = TcpStream::connect(self.address()).unwrap();
        get(stream, path, token)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(mut stream: impl Read + Write, path: &str, token: Option<&str>) -> u16 {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

fn project(name: &str) -> TestProject {
    let project = TestProject::empty();
    project.write("wasmlops.yaml", &format!("project: {name}\n"));
    project
}

#[test]
fn the_first_start_shows_a_token_once() {
    let project = project("first");
    let first = Guarded::start(&project, &[]);
    let token = first.token().unwrap().to_owned();
    assert_eq!((first.get("/metrics", None), first.get("/metrics", Some(&token))), (401, 200));
    assert_eq!(first.get("/healthz", None), 200);
    drop(first);
    let second = Guarded::start(&project, &[]);
    assert_eq!(second.token(), None);
    assert_eq!(second.get("/metrics", Some(&token)), 200);

    // Beside the running server, by the command.
    let made = project.json(0, &["token", "create", "ci", "--role", "viewer", "--expires", "1h"]);
    assert_eq!(second.get("/metrics", made["token"].as_str()), 200);
    let listed = project.json(0, &["token", "list"]);
    let tokens = listed["tokens"].as_array().unwrap();
    let id = |name: &str| tokens.iter().find(|token| token["name"] == name).unwrap()["id"].as_str().unwrap();
    assert!(!listed.to_string().contains(&token[4..]));
    let last = project.json(2, &["token", "revoke", id("first-admin")]);
    assert_eq!(last["error"]["code"], "last-admin-conflict");
    project.json(0, &["token", "revoke", id("ci")]);
    // The server believes what it knows for two seconds.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while second.get("/metrics", made["token"].as_str()) != 401 {
        assert!(std::time::Instant::now() < deadline, "a revoked token is still taken");
    }
    let mistaken = project.wasmlops(&["token", "create", "x", "--role", "root"]);
    assert_eq!(mistaken.code, Some(2));
    assert!(mistaken.stderr.contains("`root` is no role"), "{}", mistaken.stderr);
}

#[test]
fn several_projects_are_served_apart() {
    let (red, blue) = (project("red"), project("blue"));
    let other = blue.path().to_str().unwrap();
    let here = red.path().to_str().unwrap();
    let server = Guarded::start(&red, &["--project", here, "--project", other]);
    let token = |name: &str| server.line["admin_tokens"][name].as_str().unwrap().to_owned();
    let (red, blue) = (token("red"), token("blue"));
    for (path, token, status) in [
        ("/metrics?project=red", &red, 200),
        ("/metrics?project=blue", &red, 404),
        ("/metrics?project=blue", &blue, 200),
        ("/metrics", &blue, 200),
        ("/metrics?project=green", &blue, 404),
    ] {
        assert_eq!(server.get(path, Some(token)), status, "{path}");
    }
}

#[test]
fn tls_is_spoken_where_it_is_asked_for() {
    let project = project("tls");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    project.write("server.pem", &made.cert.pem());
    project.write("server.key", &made.signing_key.serialize_pem());
    let tls = ["--tls-cert", "server.pem", "--tls-key", "server.key"];
    let key = project.path().join("server.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    let refused = project.wasmlops(&[&["serve", "--bind", "127.0.0.1:0"], &tls[..]].concat());
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("can be used by others") && refused.stderr.contains("chmod 600"),
        "{}",
        refused.stderr
    );
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let swapped = project.wasmlops(&["serve", "--tls-cert", "server.key", "--tls-key", "missing.key"]);
    assert!(
        swapped.stderr.contains("holds no certificate") && swapped.stderr.contains("missing.key"),
        "{}",
        swapped.stderr
    );

    let server = Guarded::start(&project, &tls);
    assert!(server.line["listening"].as_str().unwrap().starts_with("https://"));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let connect = || {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(config.clone(), name).unwrap();
        StreamOwned::new(connection, TcpStream::connect(server.address()).unwrap())
    };
    let token = server.token().unwrap();
    assert_eq!((get(connect(), "/healthz", None), get(connect(), "/metrics", Some(token))), (200, 200));
    // Whoever speaks no TLS gets no answer.
    let mut plain = TcpStream::connect(server.address()).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn what_is_not_safe_is_refused() {
    let project = project("unsafe");
    for (arguments, hint) in [
        (&["--bind", "0.0.0.0:0"][..], "--tls-cert"),
        (&["--bind", "0.0.0.0:0", "--open"], "leave `--open` out"),
        (&["--open", "--behind-proxy", "--host-name", "ml.example.org"], "leave `--open` out"),
        (&["--behind-proxy"], "--host-name"),
        (&["--tls-cert", "x.pem"], "--tls-key"),
        (&["--host-name", "https://ml.example.org"], "without scheme"),
    ] {
        let refused = project.wasmlops(&[&["serve"], arguments].concat());
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(hint), "{arguments:?}: {}", refused.stderr);
    }
    let several = project.json(2, &["runs", "list", "--project", ".", "--project", "."]);
    assert_eq!(several["error"]["code"], json!("several-projects"));
}
