//! Events in and out of a running server, as senders write them and receivers check them.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use wasmlops_core::event::{Signature, signed_bytes, written_signature};

use crate::outside::Outside;
use crate::served::{Answer, Served};
use crate::support::TestProject;

const PIPELINE: &str = "
params: { word: { type: string, default: a } }
steps: { nothing: { artifact: \"\" } }
";

const PATIENCE: Duration = Duration::from_secs(120);

const STRUCTURED: &str = "Content-Type: application/cloudevents+json\r\n";

fn project(config: &str) -> TestProject {
    let project = TestProject::empty();
    project.write("wasmlops.yaml", &format!("project: events\n{config}"));
    project.write("pipelines/one.yaml", &format!("pipeline: one{PIPELINE}"));
    project
}

/// Keeps the secret `key` with the value `hush`.
fn with_secret(project: &TestProject) {
    let mut child = project.command(&["secret", "set", "key"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hush").unwrap();
    assert!(child.wait().unwrap().success());
}

fn hmac(message: &[u8]) -> ring::hmac::Tag {
    ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"hush"), message)
}

fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come to be");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn event(id: &str) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/bucket", "type": "file.created", "subject": "a.csv" })
}

fn post(served: &Served, headers: &str, body: &str) -> Answer {
    served.ask("POST", "/api/v1/events", headers, body.as_bytes())
}

#[test]
fn events_are_taken_in_three_modes_once_and_malformed_ones_refused() {
    let config = r#"triggers: { csv: { pipeline: one, event: { type: file.created }, params: { word: "${{ event.subject }}" } } }"#;
    let project = project(config);
    let served = Served::start(&project);
    let taken = post(&served, STRUCTURED, &event("1").to_string());
    assert_eq!((taken.status, &taken.body["accepted"]), (202, &json!(1)), "{:#}", taken.body);
    let run = taken.body["runs"][0]["run"].as_str().unwrap().to_owned();
    let binary = "Ce-Specversion: 1.0\r\nce-id: 2\r\nce-source: /b%C3%A4\r\nce-type: file.created\r\nce-subject: %22b%20c%22\r\n\
                  Content-Type: application/json\r\n";
    let taken = post(&served, binary, "{\"size\": 3}");
    assert_eq!((taken.status, taken.body["runs"].as_array().unwrap().len()), (202, 1), "{:#}", taken.body);
    let batch = json!([event("1"), event("3")]).to_string();
    let taken = post(&served, "Content-Type: application/cloudevents-batch+json\r\n", &batch);
    assert_eq!((&taken.body["accepted"], &taken.body["repeated"]), (&json!(1), &json!(1)));
    for (headers, body, status) in [
        (STRUCTURED, r#"{"specversion": "0.3", "id": "1", "source": "x", "type": "y"}"#, 400),
        (STRUCTURED, r#"{"specversion": "1.0", "source": "x", "type": "y"}"#, 400),
        (STRUCTURED, r#"{"specversion": "1.0", "id": "1", "id": "2", "source": "x", "type": "y"}"#, 400),
        (STRUCTURED, "{", 400),
        ("ce-specversion: 1.0\r\nce-source: x\r\nce-type: y\r\n", "", 400),
        ("ce-specversion: 1.0\r\nce-id: %zz\r\nce-source: x\r\nce-type: y\r\n", "", 400),
        ("Content-Type: application/json\r\n", "{}", 415),
        ("Content-Type: application/cloudevents+avro\r\n", "x", 415),
    ] {
        let answer = post(&served, headers, body);
        assert_eq!(answer.status, status, "{headers}{body}: {:#}", answer.body);
        assert!(answer.body["code"].is_string(), "{:#}", answer.body);
    }
    until("the run", || (served.get(&format!("/api/v1/runs/{run}")).body["status"] == "succeeded").then_some(()));
    let trigger = served.get("/api/v1/triggers/csv").body;
    assert_eq!(trigger["runs"].as_array().unwrap().len(), 3, "{trigger:#}");
    assert_eq!(served.get("/api/v1/triggers/none").status, 404);
    let listed = served.get("/api/v1/events?type=run.succeeded&limit=2").body;
    assert!(
        listed["items"].as_array().unwrap().iter().any(|event| event["subject"] == format!("run:{run}")),
        "{listed:#}"
    );
    let shown = project.json(0, &["trigger", "list"]);
    assert_eq!(shown["triggers"][0]["trigger"], "csv");
}

#[test]
fn a_webhook_is_taken_by_its_signature_alone_and_once() {
    let project = project(
        "triggers: { push: { pipeline: one, webhook: { secret: key }, params: { word: \"${{ event.body.ref }}\" } } }",
    );
    with_secret(&project);
    let served = Served::start(&project);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap();
    let body = br#"{"ref": "main"}"#;
    let sign = |time: i64| {
        let signature = written_signature(time, hmac(&signed_bytes(time, body)).as_ref());
        format!("Wasmlops-Signature: {signature}\r\nContent-Type: application/json\r\n")
    };
    let send = |headers: &str| served.ask("POST", "/api/v1/hooks/push", headers, body);
    for headers in ["", "Wasmlops-Signature: t=1,v1=00\r\n", &sign(now).replace("v1=", "v1=0"), &sign(now - 1000)] {
        let answer = send(headers);
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!("bad-signature")), "{headers}");
    }
    let taken = send(&sign(now));
    assert_eq!((taken.status, taken.body["runs"].as_array().map(Vec::len)), (202, Some(1)), "{:#}", taken.body);
    let replay = send(&sign(now));
    assert_eq!((replay.status, &replay.body["code"]), (409, &json!("replayed")));
}

#[test]
fn notifications_survive_refusals_and_the_death_of_the_server() {
    // Refuses what comes first.
    let outside = Outside::start(|number| (if number < 2 { 503 } else { 200 }, json!({})));
    let config = format!(
        "policy: {{ http: \"{0}\" }}\nnotifications: {{ ops: {{ url: \"{0}/x\", types: \"*.run.succeeded\", secret: key }} }}\n\
         triggers: {{ go: {{ pipeline: one, event: {{ type: \"*\" }} }} }}\n",
        outside.origin
    );
    let project = project(&config);
    with_secret(&project);
    let mut served = Served::start(&project);
    // A subscription begins with what happens after it was first seen.
    until("the first message", || {
        post(&served, STRUCTURED, &event(&format!("{:?}", Instant::now())).to_string());
        (!outside.received().is_empty()).then_some(())
    });
    served.signal("-KILL");
    served.child.wait().unwrap();
    let served = Served::start(&project);
    let last =
        post(&served, STRUCTURED, &event("last").to_string()).body["runs"][0]["run"].as_str().unwrap().to_owned();
    let received = until("the last message", || {
        let received = outside.received();
        received.iter().any(|request| request.json()["subject"] == format!("run:{last}")).then_some(received)
    });
    let taken: Vec<i64> =
        received[2..].iter().map(|request| request.json()["sequence"].as_str().unwrap().parse().unwrap()).collect();
    assert!(taken.is_sorted(), "{taken:?}");
    assert_eq!(received[0].json()["id"], received[2].json()["id"], "what was refused comes again before all else");
    for request in &received {
        let signature = Signature::parse(request.header("wasmlops-signature").unwrap()).unwrap();
        assert_eq!(signature.macs[0], hmac(&signed_bytes(signature.time, &request.body)).as_ref());
        assert_eq!(request.header("content-type"), Some("application/cloudevents+json"));
    }
    let list = served.get("/api/v1/events?type=run.succeeded&limit=1000").body;
    let expected: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|event| &event["id"]).collect();
    let mut ids: Vec<Value> = received.iter().map(|request| request.json()["id"].clone()).collect();
    ids.dedup();
    assert!(expected.ends_with(&ids.iter().collect::<Vec<_>>()), "{expected:?} {ids:?}");
}

#[test]
fn an_alias_that_moves_starts_one_run() {
    let project = TestProject::example("breast-cancer");
    project.write("pipelines/one.yaml", &format!("pipeline: one{PIPELINE}"));
    let trigger = "{ pipeline: one, alias: breast-cancer@blessed, params: { word: \"${{ event.subject }}\" } }";
    let config = project.read("wasmlops.yaml");
    project.write("wasmlops.yaml", &format!("{config}\ntriggers:\n  moved: {trigger}\n"));
    project.json(0, &["run", "breast-cancer"]);
    let served = Served::start(&project);
    let shown = |served: &Served| served.get("/api/v1/triggers/moved").body;
    until("the reader", || shown(&served)["looked_at"].is_i64().then_some(()));
    project.json(0, &["model", "alias", "breast-cancer", "blessed", "1"]);
    let ended = |served: &Served| {
        let runs = shown(served)["runs"].as_array().unwrap().clone();
        (runs.len() == 1 && runs[0]["status"] == "succeeded").then(|| runs[0].clone())
    };
    let run = until("the run", || ended(&served));
    let run = served.get(&format!("/api/v1/runs/{}", run["run"].as_str().unwrap())).body;
    assert_eq!(run["params"]["word"], "model:breast-cancer@blessed");
    drop(served);
    // Another server, and the same move again, which is none.
    let served = Served::start(&project);
    project.json(0, &["model", "alias", "breast-cancer", "blessed", "1"]);
    until("the reader", || shown(&served)["looked_at"].is_i64().then_some(()));
    assert!(ended(&served).is_some());
}
