//! What it asks for, and what it makes of the answers.

use std::cell::RefCell;

use serde_json::{Value, json};
use wasmlops_sdk::http::{Request, Response};
use wasmlops_sdk::testing::{self, table_to_csv};

use super::*;

const ROWS: &str = "a,b\n1,x\n2,y\n";

/// A server with one resource that gives parts of it.
#[derive(Clone)]
struct Server {
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    gives_parts: bool,
}

impl Server {
    fn new(body: impl Into<Vec<u8>>, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        Self { body: body.into(), headers, gives_parts: true }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    fn answer(&self, request: &Request) -> Response {
        let asked = |name: &str| {
            let (_, value) = request.headers.iter().find(|(known, _)| known == name)?;
            Some(String::from_utf8(value.clone()).unwrap())
        };
        let owned = |headers: &[(&'static str, String)]| -> Vec<(String, Vec<u8>)> {
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect()
        };
        let mut headers = owned(&self.headers);
        if let Some(expected) = asked("if-match")
            && Some(expected.as_str()) != self.header("etag")
        {
            return Response { status: 412, headers, body: Vec::new() };
        }
        if !self.gives_parts {
            return Response { status: 200, headers, body: self.body.clone() };
        }
        let range = asked("range").unwrap();
        let (start, end) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let (start, end) = (start.parse::<usize>().unwrap(), end.parse::<usize>().unwrap() + 1);
        let (end, length) = (end.min(self.body.len()), self.body.len());
        if start >= end {
            return Response { status: 416, headers, body: Vec::new() };
        }
        headers.push(("content-range".to_owned(), format!("bytes {start}-{}/{length}", end - 1).into_bytes()));
        Response { status: 206, headers, body: self.body[start..end].to_vec() }
    }

    fn listen(self) {
        testing::forget();
        testing::answer_http(move |request| Ok(self.answer(request)));
    }
}

fn read(with: Value) -> Result<(Table, SourceReport)> {
    testing::read::<HttpSource>(with)
}

fn notes(report: &SourceReport) -> Vec<&str> {
    report.notes.iter().map(|note| note.message.as_str()).collect()
}

#[test]
fn fetches_and_says_what() {
    Server::new(ROWS, &[("etag", "\"v1\""), ("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT")]).listen();
    let (table, report) = read(json!({
        "url": "https://data.test/rows.csv", "headers": { "x-team": "ml" }, "csv": { "columns": { "a": "f64" } },
    }))
    .unwrap();
    assert_eq!(table_to_csv(&table), "a:f64,b:utf8\n1,x\n2,y\n");
    assert_eq!(
        notes(&report),
        [
            "fetched 12 bytes of `https://data.test/rows.csv`",
            "etag: \"v1\"",
            "last-modified: Sat, 21 Nov 2026 10:00:00 GMT",
            "sha256: 15920f3fb7c051cc15fceee84432e8803a139a9b53a4ea832c37bf1109e200cf",
        ]
    );
    let heard = testing::heard();
    assert_eq!(heard.requests.len(), 1);
    let headers = &heard.requests[0].headers;
    for (name, value) in [("x-team", "ml"), ("range", "bytes=0-8388607"), ("accept-encoding", "identity")] {
        assert!(headers.contains(&(name.to_owned(), value.as_bytes().to_vec())), "{name}");
    }
}

#[test]
fn the_format_is_what_the_user_the_server_or_the_url_says() {
    let lines = "{\"a\":1}\n";
    for (url, content_type, format) in [
        ("https://data.test/rows", "application/x-ndjson; charset=utf-8", None),
        ("https://data.test/rows.jsonl.gz?token=1", "application/octet-stream", None),
        ("https://data.test/rows.csv", "text/csv", Some("json")),
    ] {
        Server::new(lines, &[("content-type", content_type)]).listen();
        let mut with = json!({ "url": url });
        if let Some(format) = format {
            with["format"] = format.into();
        }
        assert_eq!(table_to_csv(&read(with).unwrap().0), "a:s64\n1\n");
    }
    Server::new(lines, &[("content-type", "text/plain")]).listen();
    let error = read(json!({ "url": "https://data.test/rows" })).unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidConfig, Some("format")));
    let error = read(json!({ "url": "https://data.test/a", "format": "csv", "json": {} })).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("json"));
}

/// Rows of about a kilobyte, so that there are parts and not too many rows.
fn long_rows(count: usize) -> String {
    let text = "text ".repeat(200);
    let rows: String = (0..count).map(|row| format!("{row},{text}\n")).collect();
    format!("a,b\n{rows}")
}

#[test]
fn large_resources_come_in_parts_and_are_kept() {
    let body = long_rows(20_000);
    assert!(body.len() > 2 * (8 << 20));
    Server::new(body.clone(), &[("etag", "\"v1\"")]).listen();
    let (table, report) = read(json!({ "url": "https://data.test/rows.csv" })).unwrap();
    assert_eq!((table.num_rows(), report.rows), (20_000, 20_000));
    assert!(notes(&report).iter().any(|note| note.starts_with("sha256: ")));
    let requests = testing::heard().requests;
    assert_eq!(requests.len(), body.len().div_ceil(8 << 20), "each part once, though the rows are read twice");
    assert!(requests[1].headers.contains(&("if-match".to_owned(), b"\"v1\"".to_vec())));
}

#[test]
fn a_change_between_two_parts_is_seen() {
    for headers in [&[("etag", "\"v1\"")][..], &[("etag", "W/\"v1\"")], &[("last-modified", "now")], &[]] {
        let server = Server::new(long_rows(10_000), headers);
        let asked = RefCell::new(0);
        testing::forget();
        testing::answer_http(move |request| {
            *asked.borrow_mut() += 1;
            let mut server = server.clone();
            if *asked.borrow() > 1 {
                server
                    .headers
                    .iter_mut()
                    .for_each(|(_, value)| *value = value.replace("v1", "v2").replace("now", "then"));
                server.body.push(b'\n');
            }
            Ok(server.answer(request))
        });
        let error = read(json!({ "url": "https://data.test/rows.csv" })).unwrap_err();
        assert!(matches!(error.code, ErrorCode::Unavailable | ErrorCode::InvalidInput), "{error:?}");
        assert!(
            error.message.contains("changed while") || error.message.contains("not the expected version"),
            "{error}"
        );
    }
}

#[test]
fn a_pinned_version_must_be_there() {
    let url = "https://data.test/rows.csv";
    for (there, expected) in [("\"v1\"", "\"v1\""), ("W/\"v1\"", "W/\"v1\""), ("\"v1\"", "W/\"v1\"")] {
        Server::new(ROWS, &[("etag", there)]).listen();
        read(json!({ "url": url, "etag": expected })).unwrap();
    }
    for (there, expected) in [("\"v2\"", "\"v1\""), ("W/\"v2\"", "W/\"v1\"")] {
        Server::new(ROWS, &[("etag", there)]).listen();
        let error = read(json!({ "url": url, "etag": expected })).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidInput, Some("etag")));
        assert!(error.message.contains("not the expected version any more: it is"), "{error}");
    }
    Server::new(ROWS, &[]).listen();
    let error = read(json!({ "url": url, "etag": "v1" })).unwrap_err();
    assert!(error.message.contains("in quotes"), "{error}");
    let error = read(json!({ "url": url, "etag": "W/\"v1\"" })).unwrap_err();
    assert!(error.message.contains("has no ETag"), "{error}");
}

#[test]
fn answers_that_are_no_table() {
    let url = "https://data.test/rows.csv";
    for (status, header, code, expected) in [
        (429, Some(("retry-after", "30")), ErrorCode::Unavailable, "status 429, and asks to wait (`retry-after: 30`)"),
        (503, None, ErrorCode::Unavailable, "status 503"),
        (404, None, ErrorCode::InvalidInput, "answers with status 404: no such thing"),
        (401, None, ErrorCode::InvalidInput, "have credentials configured"),
        (302, Some(("location", "https://b.test/")), ErrorCode::InvalidInput, "leads on to `https://b.test/`"),
        (200, Some(("content-encoding", "br")), ErrorCode::InvalidInput, "the encoding `br`"),
        (206, Some(("content-range", "bytes 5-9/10")), ErrorCode::InvalidInput, "a part of it calls itself"),
        (206, Some(("content-range", "bytes 0-12/99")), ErrorCode::InvalidInput, "its first part has 13 bytes"),
        (206, Some(("content-range", "bytes 0-18446744073709551615/9")), ErrorCode::InvalidInput, "calls itself"),
    ] {
        testing::forget();
        testing::answer_http(move |_| {
            let headers = header.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
            Ok(Response { status, headers: headers.into_iter().collect(), body: b"no such thing".to_vec() })
        });
        let error = read(json!({ "url": url })).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (code, Some("url")), "{status}");
        assert!(error.message.contains(expected), "{status}: {error}");
    }
    testing::forget();
    assert_eq!(read(json!({ "url": url })).unwrap_err().code, ErrorCode::Denied);
    Server::new("", &[]).listen();
    assert_eq!(read(json!({ "url": url })).unwrap_err().code, ErrorCode::InvalidInput);
    Server::new("{\"a\":1", &[]).listen();
    let error = read(json!({ "url": "https://data.test/a.json" })).unwrap_err();
    assert!(error.message.contains("line 1") && error.field.as_deref() == Some("url"), "{error}");
}

#[test]
fn parquet_and_servers_without_parts() {
    let file = std::fs::read("../parquet-source/cases/types/input.parquet").unwrap();
    for gives_parts in [true, false] {
        let server = Server { gives_parts, ..Server::new(file.clone(), &[]) };
        server.listen();
        let with = json!({ "url": "https://data.test/a.parquet", "parquet": { "columns": ["id", "name"] } });
        let (table, _) = read(with).unwrap();
        assert_eq!(table_to_csv(&table), "id:s64,name:utf8\n1,Ann\n2,\n3,Zoë\n");
        assert_eq!(testing::heard().requests.len(), 1);
    }
}
