//! Requests as senders write them, and as they must not be.

use proptest::prelude::*;
use serde_json::json;

use super::*;

type Headers<'h> = &'h [(&'h str, &'h str)];

fn parsed(headers: Headers<'_>, body: &str) -> Result<Vec<Event>, EventError> {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    parse(&headers, body.as_bytes())
}

fn structured_body() -> Value {
    json!({
        "specversion": "1.0", "id": "7", "source": "/bucket/a", "type": "com.example.file.created",
        "subject": "a.csv", "time": "2026-11-21T10:00:00.5+01:00", "datacontenttype": "application/json",
        "data": {"size": 3}, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "shard": 4,
    })
}

/// What `to_binary` of the Python SDK sends.
const BINARY: Headers<'_> = &[
    ("Ce-Specversion", "1.0"),
    ("ce-id", "8%25"),
    ("ce-source", "/bucket/%C3%A4"),
    ("ce-type", "com.example.file.created"),
    ("ce-subject", "\"a%20b.csv\""),
    ("ce-time", "2026-11-21T10:00:00Z"),
    ("ce-shard", "4"),
    ("content-type", "application/json; charset=utf-8"),
    ("user-agent", "python-requests/2"),
];

#[test]
fn reads_the_structured_mode() {
    let body = structured_body();
    let events = parsed(&[("Content-Type", "application/cloudevents+json; charset=UTF-8")], &body.to_string()).unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.id.as_str(), event.kind.as_str()), ("7", "com.example.file.created"));
    assert_eq!(event.data, Some(Data::Json(json!({"size": 3}))));
    assert_eq!(event.trace(), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assert_eq!(event.to_json(), body, "what was read can be written again");
}

#[test]
fn reads_the_binary_mode() {
    let events = parsed(BINARY, r#"{"size": 3}"#).unwrap();
    let event = &events[0];
    assert_eq!((event.id.as_str(), event.source.as_str()), ("8%", "/bucket/ä"));
    assert_eq!(event.subject.as_deref(), Some("a b.csv"));
    assert_eq!(event.extensions["shard"], json!("4"));
    assert_eq!(event.data, Some(Data::Json(json!({"size": 3}))));
    assert_eq!(event.data_content_type.as_deref(), Some("application/json; charset=utf-8"));
}

#[test]
fn reads_data_of_any_kind() {
    let with = |content_type: Option<&'static str>, body: &'static [u8]| {
        let mut headers: Vec<(&str, &[u8])> =
            vec![("ce-specversion", b"1.0"), ("ce-id", b"1"), ("ce-source", b"x"), ("ce-type", b"t")];
        headers.extend(content_type.map(|value| ("content-type", value.as_bytes())));
        parse(&headers, body).map(|mut events| events.remove(0).data)
    };
    assert_eq!(with(None, b"[1]").unwrap(), Some(Data::Json(json!([1]))));
    assert_eq!(with(None, b"hello").unwrap(), Some(Data::Text("hello".to_owned())));
    assert_eq!(with(Some("text/plain"), b"7").unwrap(), Some(Data::Text("7".to_owned())));
    assert_eq!(with(Some("image/png"), b"\xff\x00").unwrap(), Some(Data::Base64("/wA=".to_owned())));
    assert_eq!(with(Some("application/json"), b"").unwrap(), None);
    assert!(with(Some("application/json"), b"{").is_err());
}

#[test]
fn reads_batches_whole_or_not_at_all() {
    let headers: Headers<'_> = &[("content-type", "application/cloudevents-batch+json")];
    let event = structured_body();
    assert_eq!(parsed(headers, &json!([event, event]).to_string()).unwrap().len(), 2);
    assert_eq!(parsed(headers, "[]").unwrap(), vec![]);
    let error = parsed(headers, &json!([event, {"specversion": "1.0"}, 3]).to_string()).unwrap_err();
    let said = error.to_string();
    for part in ["event 1 lacks `id`", "event 1 lacks `source`", "event 1 lacks `type`", "event 2 is not an object"] {
        assert!(said.contains(part), "{said}");
    }
    let many = vec![event; MOST_EVENTS + 1];
    assert_eq!(parsed(headers, &json!(many).to_string()), Err(EventError::TooMany));
}

#[test]
fn refuses_what_is_no_event() {
    for (headers, body) in [
        (&[("content-type", "application/json")] as Headers<'_>, "{}"),
        (&[], "{}"),
        (&[("content-type", "application/cloudevents+avro"), ("ce-id", "1")], "{}"),
    ] {
        assert!(matches!(parsed(headers, body), Err(EventError::ContentType(_))), "{headers:?}");
    }
    let changed = |name: &str, value: Value| {
        let mut body = structured_body();
        body[name] = value;
        parsed(&[("content-type", STRUCTURED)], &body.to_string()).unwrap_err()
    };
    assert_eq!(changed("specversion", json!("0.3")), EventError::Version("0.3".to_owned()));
    for (name, value) in [
        ("specversion", Value::Null),
        ("id", Value::Null),
        ("id", json!("")),
        ("id", json!(7)),
        ("id", json!("a\nb")),
        ("id", json!("x".repeat(5000))),
        ("source", json!("a b")),
        ("type", json!([])),
        ("time", json!("yesterday")),
        ("time", json!("2026-11-21T10:00:00")),
        ("Upper", json!("x")),
        ("data_base64", json!("AAAA")),
    ] {
        assert!(matches!(changed(name, value.clone()), EventError::Malformed(_)), "{name}: {value}");
    }
    for body in ["", "[]", "{", r#"{"id": "1", "id": "2"}"#, &format!("{}1{}", "[".repeat(80), "]".repeat(80))] {
        assert!(matches!(parsed(&[("content-type", STRUCTURED)], body), Err(EventError::Malformed(_))), "{body}");
    }
    let mut twice = BINARY.to_vec();
    twice.push(("CE-ID", "9"));
    assert!(parsed(&twice, "{}").unwrap_err().to_string().contains("the attribute `id` twice"));
    for broken in ["%zz", "%", "%+1", "%ff"] {
        let with_broken =
            |(name, value): &(&'static str, &'static str)| (*name, if *name == "ce-id" { broken } else { *value });
        let headers: Vec<_> = BINARY.iter().map(with_broken).collect();
        assert!(parsed(&headers, "{}").is_err(), "{broken}");
    }
}

#[test]
fn globs_match_whole_texts() {
    for (pattern, text, fits) in [
        ("*", "", true),
        ("/bucket*", "/bucket/a/b", true),
        ("*.csv", "a.csv.gz", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("dev.wasmlops.run.*", "dev.wasmlops.run.failed", true),
        ("exact", "exactly", false),
        ("", "", true),
        ("**x", "x", true),
    ] {
        assert_eq!(Glob::new(pattern).matches(text), fits, "{pattern} {text}");
    }
}

#[test]
fn templates_keep_types_and_name_what_is_missing() {
    let event = json!({"subject": "a.csv", "body": {"ref": "main", "n": 3, "list": [{"id": "x"}], "odd key": true}});
    let filled = |text: &str| text.parse::<ParamTemplate>().unwrap().fill(&event);
    assert_eq!(filled("${{ event.body.n }}"), Ok(json!(3)));
    assert_eq!(filled("${{event.body.list[0].id}}"), Ok(json!("x")));
    assert_eq!(filled(r#"${{ event.body["odd key"] }}"#), Ok(json!(true)));
    assert_eq!(filled("in/${{ event.subject }}@${{ event.body.n }}"), Ok(json!("in/a.csv@3")));
    assert_eq!(filled("plain"), Ok(json!("plain")));
    assert_eq!(filled("${{ event.body.list[1].id }}").unwrap_err().0, "event.body.list[1].id");
    for text in
        ["${{ event.x", "${{ params.x }}", "${{ event }}", "${{ event. }}", "${{ event.a[b] }}", "${{ eventual }}"]
    {
        assert!(text.parse::<ParamTemplate>().is_err(), "{text}");
    }
}

#[test]
fn signatures_have_a_form_and_a_time() {
    let hex = "ab".repeat(32);
    let signature = Signature::parse(&format!("t=1000, v1={hex},v0=x")).unwrap();
    assert_eq!((signature.time, signature.macs.as_slice()), (1000, [[0xab; 32]].as_slice()));
    assert_eq!(written_signature(1000, &[0xab; 32]), format!("t=1000,v1={hex}"));
    assert_eq!(signed_bytes(5, b"x"), b"5.x");
    assert!(signature.check_time(1300).is_ok() && signature.check_time(700).is_ok());
    assert!(signature.check_time(1301).is_err() && signature.check_time(699).is_err());
    assert!(signature.check_time(i64::MIN).is_err());
    let long = format!("t=1,v1={hex}00");
    for text in
        ["", "t=1", "v1=ab", "t=x,v1=ab", "t=1,t=2,v1=ab", "t=1,v1=zz", &long, &format!("t=1,v1={}", "+1".repeat(32))]
    {
        assert!(Signature::parse(text).is_err(), "{text}");
    }
    assert_eq!(github_mac(&format!("sha256={hex}")), Ok([0xab; 32]));
    assert!(github_mac(&format!("sha1={hex}")).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200), value in "\\PC{0,20}") {
        let headers: Vec<(&str, &[u8])> = vec![("content-type", b"application/cloudevents+json"), ("ce-id", value.as_bytes())];
        let _ = parse(&headers, &body);
        let _ = parse(&headers[1..], &body);
        let _ = value.parse::<ParamTemplate>();
        let _ = Signature::parse(&value);
    }
}
