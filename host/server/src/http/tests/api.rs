//! `/api/v1` at the router's door: bodies, pages, tags, streams, artifacts in and out.

use axum::http::StatusCode;
use serde_json::{Value, json};
use wasmlops_package::Digest;
use wasmlops_store::{MetricPoint, NewEvents, RunChange, RunStatus, Stamp};

use super::site::{NOON, OneProject, project};

async fn site() -> (tempfile::TempDir, OneProject) {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let site = OneProject::start(folder.path()).await;
    (folder, site)
}

fn items(value: &Value) -> &Vec<Value> {
    value["items"].as_array().unwrap_or_else(|| panic!("{value} is no page"))
}

#[tokio::test]
async fn a_run_is_asked_for_found_and_stopped() {
    let (_folder, site) = site().await;
    let told = site.post("/api/v1/pipelines/release/runs", &json!({ "params": { "version": "8" } })).await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{}", told.json());
    let run = told.json()["run"].as_str().unwrap().to_owned();
    assert_eq!(told.headers["location"], format!("/api/v1/runs/{run}"));
    let shown = site.get(&format!("/api/v1/runs/{run}")).await;
    assert_eq!((&shown.json()["status"], &shown.json()["params"]["version"]), (&json!("scheduled"), &json!("8")));
    assert_eq!(items(&site.get("/api/v1/runs?status=scheduled&pipeline=release").await.json()).len(), 1);
    assert!(items(&site.get("/api/v1/runs?status=failed").await.json()).is_empty());
    assert!(items(&site.get("/api/v1/runs?created_before=2001-01-01T00:00:00Z").await.json()).is_empty());
    let graph = site.get(&format!("/api/v1/runs/{run}/graph")).await.json();
    assert_eq!(graph["steps"][1]["inputs"]["decision"], "ask.decision");
    let stopped = site.send("POST", &format!("/api/v1/runs/{run}/cancel"), &[], "").await;
    assert_eq!((stopped.status, &stopped.json()["status"]), (StatusCode::OK, &json!("cancelled")));
    let again = site.send("POST", &format!("/api/v1/runs/{run}/cancel"), &[], "").await;
    assert_eq!((again.status, &*again.code()), (StatusCode::CONFLICT, "run-ended"));
    let unknown = site.get("/api/v1/runs/00000000000000000000000000000000").await;
    assert_eq!((unknown.status, &*unknown.code()), (StatusCode::NOT_FOUND, "unknown-run"));
}

#[tokio::test]
async fn pipelines_say_what_they_take_and_refuse_all_that_is_wrong_at_once() {
    let (_folder, site) = site().await;
    assert_eq!(site.get("/api/v1/pipelines").await.json()["items"][0]["pipeline"], "release");
    let shown = site.get("/api/v1/pipelines/release").await.json();
    assert_eq!(shown["params"]["properties"]["share"]["maximum"], 1);
    let wrong = json!({ "params": { "share": 2, "version": 8, "colour": "red" }, "priority": 1000 });
    let told = site.post("/api/v1/pipelines/release/runs", &wrong).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", told.json());
    assert_eq!(told.json()["errors"].as_array().unwrap().len(), 4, "{}", told.json());
    let told = site.post("/api/v1/pipelines/nothing/runs", &json!({})).await;
    assert_eq!((told.status, &*told.code()), (StatusCode::NOT_FOUND, "unknown-pipeline"));
    let plan = site.post("/api/v1/pipelines/release/plan", &json!({ "params": { "version": "9" } })).await;
    assert_eq!((plan.status, &plan.json()["params"]["version"]), (StatusCode::OK, &json!("9")));
    for name in ["..%2f..%2fetc", "release.yaml", "%2e%2e", "release%00"] {
        assert_eq!(site.get(&format!("/api/v1/pipelines/{name}")).await.status, StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let (_folder, site) = site().await;
    let target = "/api/v1/pipelines/release/runs";
    let deep = format!("{{\"params\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    for (body, status, code) in [
        ("{\"seed\": 1, \"seed\": 2}", 400, "malformed"),
        ("{\"params\": {\"a\": 1, \"a\": 1}}", 400, "malformed"),
        ("{\"seed\": 1e400}", 400, "malformed"),
        ("{\"params\": {\"version\": \"\\ud800\"}}", 400, "malformed"),
        (&*deep, 400, "malformed"),
        ("[", 400, "malformed"),
        ("{\"path\": \"/etc/passwd\"}", 422, "invalid-body"),
        ("{\"seed\": -1}", 422, "invalid-body"),
        ("[]", 422, "invalid-body"),
        ("{\"nominal_time\": \"noon\"}", 422, "invalid-time"),
    ] {
        let told = site.send("POST", target, &[("content-type", "application/json")], body.to_owned()).await;
        assert_eq!((told.status.as_u16(), &*told.code()), (status, code), "{body}: {}", told.json());
        assert_eq!(told.headers["content-type"], "application/problem+json");
    }
    let told = site.send("POST", target, &[("content-type", "text/plain")], "{}").await;
    assert_eq!((told.status, &*told.code()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json"));
    assert!(items(&site.get("/api/v1/runs").await.json()).is_empty());
}

#[tokio::test]
async fn pages_follow_each_other() {
    let (_folder, site) = site().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, site.run().await);
    }
    let (mut seen, mut target) = (Vec::new(), "/api/v1/runs?limit=2".to_owned());
    loop {
        let page = site.get(&target).await.json();
        seen.extend(items(&page).iter().map(|run| run["run"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        target = format!("/api/v1/runs?limit=2&cursor={next}");
    }
    assert_eq!(seen, made);
    for query in ["limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=&limit=1", "colour=red", "limit=1&limit=2"] {
        let told = site.get(&format!("/api/v1/runs?{query}")).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{query}: {}", told.json());
    }
    assert_eq!(site.get("/api/v1/runs?project=people").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_unchanged_is_not_sent_again() {
    let (_folder, site) = site().await;
    let target = format!("/api/v1/runs/{}", site.run().await);
    let first = site.get(&target).await;
    let tag = first.headers["etag"].to_str().unwrap();
    let same = site.send("GET", &target, &[("if-none-match", tag)], "").await;
    assert_eq!((same.status, same.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(same.headers["etag"], tag);
    site.send("POST", &format!("{target}/cancel"), &[], "").await;
    let changed = site.send("GET", &target, &[("if-none-match", tag)], "").await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.headers["etag"], tag);
}

/// Events of a run beside those of its driver.
async fn happen(site: &OneProject, run: &str, events: &[&str], status: RunStatus) {
    let expected = site.host.store.load_run(run).await.unwrap().unwrap().next_seq;
    let new = NewEvents {
        run: run.to_owned(),
        expected_next_seq: expected,
        events: events.iter().map(|event| format!("{{\"event\":\"{event}\"}}")).collect(),
        change: RunChange { status: Some(status), ..RunChange::default() },
        stamp: Stamp { time: NOON, actor: "test".to_owned() },
    };
    site.host.store.append_events(new).await.unwrap();
}

#[tokio::test]
async fn a_run_is_followed_to_its_end_and_from_any_place() {
    let (_folder, site) = site().await;
    let run = site.run().await;
    happen(&site, &run, &["started", "one", "two"], RunStatus::Running).await;
    let target = format!("/api/v1/runs/{run}/events");
    let page = site.get(&format!("{target}?limit=2")).await.json();
    assert_eq!(
        items(&page).iter().map(|event| event["event"].as_str().unwrap()).collect::<Vec<_>>(),
        ["started", "one"]
    );
    let rest = site.get(&format!("{target}?cursor={}", page["next"].as_str().unwrap())).await.json();
    assert_eq!((rest["items"][0]["seq"].clone(), rest["next"].clone()), (json!(2), Value::Null));

    let followed = site.send("GET", &target, &[("accept", "text/event-stream"), ("last-event-id", "0")], "");
    let ending = async { happen(&site, &run, &["three"], RunStatus::Failed).await };
    let (followed, ()) = tokio::join!(followed, ending);
    assert_eq!(followed.headers["content-type"], "text/event-stream");
    let text = String::from_utf8(followed.bytes).unwrap();
    let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(ids, ["1", "2", "3"], "{text}");
    assert!(text.ends_with(&format!("event: end\ndata: {{\"run\":\"{run}\",\"status\":\"failed\"}}\n\n")), "{text}");
    let odd = site.send("GET", &target, &[("accept", "text/event-stream"), ("last-event-id", "x")], "").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let (_folder, site) = site().await;
    let run = site.run().await;
    let target = format!("/api/v1/runs/{run}/logs?follow=true");
    let (followed, ()) = tokio::join!(site.get(&target), async { site.stop() });
    assert_eq!(followed.status, StatusCode::OK);
    assert!(followed.bytes.is_empty());
}

#[tokio::test]
async fn artifacts_come_in_and_go_out_as_they_are() {
    let (_folder, site) = site().await;
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = Digest::blake3(&bytes);
    let target = format!("/api/v1/artifacts?digest={digest}");
    let kind = [("content-type", "text/html; charset=utf-8")];
    let made = site.send("POST", &target, &kind, bytes.clone()).await;
    assert_eq!((made.status, &made.json()["size"]), (StatusCode::CREATED, &json!(800_000)), "{}", made.json());
    assert_eq!(made.headers["location"], format!("/api/v1/artifacts/{digest}"));
    let content = site.get(&format!("/api/v1/artifacts/{digest}/content")).await;
    assert_eq!(content.bytes, bytes);
    for (name, value) in [
        ("etag", format!("\"{digest}\"")),
        ("content-type", "text/html".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("content-length", "800000".to_owned()),
    ] {
        assert_eq!(content.headers[name], value, "{name}");
    }
    assert!(content.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert!(content.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert!(content.headers["repr-digest"].to_str().unwrap().starts_with("blake3=:"));
    let tag = format!("\"{digest}\"");
    let same = site.send("GET", &format!("/api/v1/artifacts/{digest}/content"), &[("if-none-match", &tag)], "").await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);

    let other = Digest::sha256(b"other");
    for (target, headers, body, status, code) in [
        (format!("/api/v1/artifacts?digest={other}"), vec![], "another", 422, "digest-mismatch"),
        ("/api/v1/artifacts?digest=../../etc".to_owned(), vec![], "x", 422, "invalid-digest"),
        ("/api/v1/artifacts".to_owned(), vec![], "x", 400, "invalid-query"),
        (format!("/api/v1/artifacts?digest={other}"), vec![("content-encoding", "gzip")], "x", 415, "encoded"),
        (format!("/api/v1/artifacts?digest={other}"), vec![("content-type", "a b")], "x", 415, "media-type"),
        (format!("/api/v1/artifacts?digest={other}"), vec![("content-length", "1073741825")], "x", 413, "too-large"),
    ] {
        let told = site.send("POST", &target, &headers, body).await;
        assert_eq!((told.status.as_u16(), &*told.code()), (status, code), "{target}: {}", told.json());
    }
    assert_eq!(site.get(&format!("/api/v1/artifacts/{other}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/api/v1/artifacts/nothing/content").await.status, StatusCode::NOT_FOUND);
    let rows = site.get(&format!("/api/v1/artifacts/{digest}/rows")).await;
    assert_eq!((rows.status, &*rows.code()), (StatusCode::UNPROCESSABLE_ENTITY, "not-a-table"));
}

#[tokio::test]
async fn metrics_params_and_tags_are_recorded_all_or_none() {
    let (_folder, site) = site().await;
    let run = format!("/api/v1/runs/{}", site.run().await);
    let points: Vec<Value> = (0..1000).map(|step| json!({ "key": "loss", "step": step, "value": 0.5 })).collect();
    let told = site.post(&format!("{run}/metrics"), &json!({ "points": points })).await;
    assert_eq!((told.status, &told.json()["recorded"]), (StatusCode::OK, &json!(1000)), "{}", told.json());
    let first = site.get(&format!("{run}/metrics?key=loss&limit=600")).await.json();
    assert_eq!(items(&first).len(), 600);
    let rest = site.get(&format!("{run}/metrics?key=loss&limit=600&cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!(items(&rest.json()).len(), 400);
    let too_many: Vec<&Value> = points.iter().chain(&points).collect();
    let told = site.post(&format!("{run}/metrics"), &json!({ "points": too_many })).await;
    assert_eq!((told.status, &*told.code()), (StatusCode::UNPROCESSABLE_ENTITY, "too-many-points"));
    let told = site.post(&format!("{run}/metrics"), &json!({ "points": [{ "key": "../x", "value": 1 }] })).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", told.json());

    assert_eq!(
        site.post(&format!("{run}/params"), &json!({ "values": { "depth": "3" } })).await.status,
        StatusCode::OK
    );
    let told = site.post(&format!("{run}/params"), &json!({ "values": { "depth": "4" } })).await;
    assert_eq!((told.status, &*told.code()), (StatusCode::CONFLICT, "param-conflict"));
    site.post(&format!("{run}/tags"), &json!({ "values": { "owner": "ann" } })).await;
    assert_eq!(site.get(&format!("{run}/tags")).await.json()["values"]["owner"], "ann");
    let point = MetricPoint { step_key: String::new(), key: "x".to_owned(), step: 0, time: NOON, value: f64::NAN };
    let id = run.rsplit('/').next().unwrap();
    site.host.store.append_metric_points(id, vec![point]).await.unwrap();
    let shown = site.get(&format!("{run}/metrics")).await.json();
    assert!(items(&shown).iter().any(|point| point["key"] == "x" && point["value"].is_null()), "{shown}");
}

#[tokio::test]
async fn secrets_are_set_and_never_given_back() {
    let (_folder, site) = site().await;
    let set = site.send("PUT", "/api/v1/secrets/db-password", &[], json!({ "value": "s3cr3t-w0rd" }).to_string()).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.json());
    let listed = site.get("/api/v1/secrets").await;
    assert_eq!(listed.json()["items"][0]["name"], "db-password");
    let audit = site.get("/api/v1/audit?limit=1000").await;
    for told in [&set, &listed, &audit] {
        assert!(!String::from_utf8_lossy(&told.bytes).contains("s3cr3t"));
    }
    assert_eq!(site.send("DELETE", "/api/v1/secrets/db-password", &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.send("DELETE", "/api/v1/secrets/db-password", &[], "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/api/v1/audit/verification").await.json()["intact"], true);
}

/// Every route that can be asked without knowing a name answers what it is described to answer.
#[tokio::test]
async fn answers_have_the_statuses_and_types_that_are_described() {
    let (_folder, site) = site().await;
    site.run().await;
    let document: Value = site.get("/openapi.json").await.json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let operation = &operations["get"];
        if !operation.is_object() || path == "/metrics" {
            continue;
        }
        let target = path.replace("{digest}", "none").replace("{version}", "1");
        let target = target.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
        let told = site.get(&target.collect::<Vec<_>>().join("/")).await;
        let described = &operation["responses"][told.status.as_str()];
        assert!(described.is_object(), "{path} answers {} and is not described to", told.status);
        let kind = told.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
        assert!(described["content"][kind].is_object(), "{path} answers `{kind}` and is not described to");
    }
}
