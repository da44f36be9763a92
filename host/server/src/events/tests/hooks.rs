//! Webhooks: who is believed, and how often.

use wasmlops_core::event::written_signature;

use super::*;
use crate::events::incoming::{EventsView, Hook, HookError, receive_hook};
use crate::events::sign::signature;

const HOOKS: &str = r#"
triggers:
  own: { pipeline: one, webhook: { secret: key }, params: { word: "${{ event.body.ref }}", n: "${{ event.body.n }}" } }
  push: { pipeline: one, webhook: { style: github, secret: key }, params: { word: "${{ event.type }}-${{ event.body.ref }}" } }
  keyless: { pipeline: one, webhook: { secret: lost } }
  inner: { pipeline: one, succeeded: two }
"#;

const BODY: &[u8] = br#"{"ref": "main", "n": 3}"#;

async fn post(site: &Site, trigger: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<EventsView, HookError> {
    let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    receive_hook(&site.host, Hook { trigger, header: &header, body }).await
}

fn seconds(site: &Site) -> i64 {
    site.clock.now() / 1_000_000
}

/// Signs as GitHub does.
fn github(body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"hush");
    let mac = ring::hmac::sign(&key, body);
    written_signature(0, mac.as_ref()).replace("t=0,v1=", "sha256=")
}

#[tokio::test]
async fn a_signed_message_starts_one_run_and_its_replay_none() {
    let site = Site::new(HOOKS).await;
    let header = signature(b"hush", seconds(&site), BODY);
    let signed = [("wasmlops-signature", header.as_str())];
    let taken = post(&site, "own", &signed, BODY).await.unwrap();
    assert_eq!((taken.accepted, taken.runs.len()), (1, 1));
    let params = site.host.store.params(&taken.runs[0].run).await.unwrap();
    assert_eq!((params["word"].as_str(), params["n"].as_str()), ("main", "3"));
    assert!(matches!(post(&site, "own", &signed, BODY).await, Err(HookError::Replayed)));
    let site = site.restarted().await;
    assert!(matches!(post(&site, "own", &signed, BODY).await, Err(HookError::Replayed)), "after a restart as well");
    assert_eq!(site.runs().await, 1);
    assert_eq!(site.audited("trigger:own").await, ["trigger.fired"]);
    // The same body at another time is another message.
    site.clock.advance(Duration::from_secs(1));
    let again = signature(b"hush", seconds(&site), BODY);
    post(&site, "own", &[("wasmlops-signature", &again)], BODY).await.unwrap();
    assert_eq!(site.runs().await, 2);
}

#[tokio::test]
async fn strangers_are_refused_and_noted_once_a_minute() {
    let site = Site::new(HOOKS).await;
    let now = seconds(&site);
    let good = signature(b"hush", now, BODY);
    let (late, early) = (signature(b"hush", now - 301, BODY), signature(b"hush", now + 302, BODY));
    let other = signature(b"other", now, BODY);
    let github = github(BODY);
    for (trigger, name, value, body) in [
        ("own", "wasmlops-signature", other.as_str(), BODY),
        ("own", "wasmlops-signature", &late, BODY),
        ("own", "wasmlops-signature", &early, BODY),
        ("own", "wasmlops-signature", "t=now", BODY),
        ("own", "wasmlops-signature", &good, b"{}".as_slice()),
        ("own", "x-hub-signature-256", &github, BODY),
        ("own", "authorization", "Bearer hush", BODY),
        ("keyless", "wasmlops-signature", &good, BODY),
        ("inner", "wasmlops-signature", &good, BODY),
        ("unknown", "wasmlops-signature", &good, BODY),
        ("push", "wasmlops-signature", &good, BODY),
    ] {
        let answer = post(&site, trigger, &[(name, value)], body).await;
        assert!(matches!(answer, Err(HookError::NotSigned)), "{trigger} {value}");
    }
    assert_eq!(site.audited("hook:own").await, ["access.denied"]);
    assert!(site.audited("hook:unknown").await.is_empty());
    assert_eq!(site.runs().await, 0);
    // None of them has spoiled the good one.
    post(&site, "own", &[("wasmlops-signature", &good)], BODY).await.unwrap();
}

#[tokio::test]
async fn github_is_understood() {
    let site = Site::new(HOOKS).await;
    let mac = github(BODY);
    let headers = |id: &'static str, event: &'static str| {
        [
            ("x-hub-signature-256", mac.clone()),
            ("x-github-delivery", id.to_owned()),
            ("x-github-event", event.to_owned()),
        ]
    };
    let send = |headers: [(&'static str, String); 3], body: &'static [u8]| {
        let site = &site;
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            post(site, "push", &headers, body).await
        }
    };
    let taken = send(headers("1", "push"), BODY).await.unwrap();
    let params = site.host.store.params(&taken.runs[0].run).await.unwrap();
    assert_eq!(params["word"], "push-main");
    assert!(matches!(send(headers("1", "push"), BODY).await, Err(HookError::Replayed)));
    // The id is not signed: who has seen a message cannot send it under another one.
    assert!(matches!(send(headers("2", "push"), BODY).await, Err(HookError::Replayed)));
    let ping: &[u8] = b"{\"zen\": \"x\"}";
    let ping_mac = github(ping);
    let mut ping_headers = headers("3", "ping");
    ping_headers[0].1 = ping_mac;
    assert!(send(ping_headers, ping).await.unwrap().runs.is_empty());
    assert_eq!(site.runs().await, 1);
}

#[tokio::test]
async fn a_message_that_starts_nothing_may_come_again() {
    let site = Site::new(HOOKS).await;
    for (body, part) in [
        (br#"{"n": 1}"#.as_slice(), "event.body.ref"),
        (br#"{"ref": "x", "n": "many"}"#, "`n`"),
        (br#"{"ref": {"a": 1}, "n": 1}"#, "`word`"),
    ] {
        let header = signature(b"hush", seconds(&site), body);
        for _ in 0..2 {
            match post(&site, "own", &[("wasmlops-signature", &header)], body).await {
                Err(HookError::NotStarted(reason)) => assert!(reason.contains(part), "{reason}"),
                other => panic!("{other:?}"),
            }
        }
    }
    let header = signature(b"hush", seconds(&site), b"{");
    let answer = post(&site, "own", &[("wasmlops-signature", &header)], b"{").await;
    assert!(matches!(answer, Err(HookError::Malformed(_))));
    assert_eq!(site.runs().await, 0);
    assert_eq!(site.audited("trigger:own").await, ["trigger.failed"; 6]);
}
