//! `Idempotency-Key`: what was asked for happens once, and the answer is the same, whoever dies when.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;
use wasmlops_store::idempotency::under_key;
use wasmlops_store::{KeyState, NewKey};

use super::site::{NOON, OneProject, Told, project};
use crate::clock::new_id;
use crate::http::idempotency::fingerprint;
use crate::runs::{self, Submission};

const RUNS: &str = "/api/v1/pipelines/release/runs";

async fn post(site: &OneProject, target: &str, key: &str, body: &str) -> Told {
    site.send("POST", target, &[("idempotency-key", key)], body.to_owned()).await
}

async fn count(site: &OneProject) -> usize {
    site.get("/api/v1/runs").await.json()["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_clients_with_one_key_get_one_run_and_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let site = Arc::new(OneProject::start(folder.path()).await);
    let mut clients = JoinSet::new();
    for _ in 0..100 {
        let site = site.clone();
        clients.spawn(async move { post(&site, RUNS, "k1", "{}").await });
    }
    let answers = clients.join_all().await;
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.json());
        assert_eq!((&answer.bytes, &answer.headers["location"]), (&answers[0].bytes, &answers[0].headers["location"]));
    }
    assert_eq!(answers.iter().filter(|answer| answer.headers.contains_key("idempotent-replayed")).count(), 99);
    assert_eq!(count(&site).await, 1);
    assert_ne!(post(&site, RUNS, "k2", "{}").await.bytes, answers[0].bytes);
    assert_eq!(count(&site).await, 2);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let site = OneProject::start(folder.path()).await;
    let first = post(&site, RUNS, "k", r#"{"seed": 1}"#).await;
    for (target, body) in [(RUNS, r#"{"seed": 2}"#), ("/api/v1/pipelines/other/runs", r#"{"seed": 1}"#)] {
        let told = post(&site, target, "k", body).await;
        assert_eq!((told.status.as_u16(), &*told.code()), (422, "idempotency-mismatch"), "{target}");
    }
    // Another route is another matter.
    let run = first.json()["run"].as_str().unwrap().to_owned();
    let cancelled = post(&site, &format!("/api/v1/runs/{run}/cancel"), "k", "").await;
    assert_eq!(cancelled.status, StatusCode::OK);
    let again = post(&site, &format!("/api/v1/runs/{run}/cancel"), "k", "").await;
    assert_eq!((again.status, again.bytes), (StatusCode::OK, cancelled.bytes));
    // Refusals are the same again, to the id of the request.
    let refused = post(&site, RUNS, "wrong", r#"{"priority": 1000}"#).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post(&site, RUNS, "wrong", r#"{"priority": 1000}"#).await.bytes, refused.bytes);
    for key in ["", "a b", &"x".repeat(256)] {
        let told = post(&site, RUNS, key, "{}").await;
        assert_eq!((told.status.as_u16(), &*told.code()), (400, "invalid-idempotency-key"), "{key}");
    }
}

#[tokio::test]
async fn keys_last_a_day_and_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let site = OneProject::start(folder.path()).await;
    let first = post(&site, RUNS, "k", "{}").await;
    site.host.store.close().await;
    drop(site);
    let site = OneProject::start(folder.path()).await;
    assert_eq!(post(&site, RUNS, "k", "{}").await.bytes, first.bytes);
    site.clock.advance(Duration::from_secs(24 * 60 * 60 + 60));
    assert_ne!(post(&site, RUNS, "k", "{}").await.bytes, first.bytes);
    assert_eq!(count(&site).await, 2);
}

/// A reservation of a process that was killed. Gives its id.
async fn left_by_the_dead(site: &OneProject, route: &str, target: &str, key: &str, body: &str) -> String {
    let id = new_id(&*site.clock);
    let new = NewKey {
        actor: "local".to_owned(),
        route: route.to_owned(),
        key: key.to_owned(),
        id: id.clone(),
        fingerprint: fingerprint("POST", target, body.as_bytes()),
        holder: "dead".to_owned(),
        now: NOON,
        expired: 0,
    };
    assert_eq!(site.host.store.reserve_key(new).await.unwrap(), KeyState::New);
    id
}

#[tokio::test]
async fn a_request_that_a_dead_server_began_is_ended_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let site = OneProject::start(folder.path()).await;
    let route = "POST /api/v1/pipelines/{name}/runs";
    // Killed before the effect, and between the effect and the answer.
    for took_effect in [false, true] {
        let key = format!("k-{took_effect}");
        let id = left_by_the_dead(&site, route, RUNS, &key, "{}").await;
        if took_effect {
            let submission =
                Submission { id: Some(id.clone()), pipeline: "release".to_owned(), ..Submission::default() };
            under_key(id.clone(), runs::submit(&site.host, submission, "local")).await.unwrap();
        }
        let told = post(&site, RUNS, &key, "{}").await;
        assert_eq!((told.status, &told.json()["run"]), (StatusCode::ACCEPTED, &json!(id)), "{}", told.json());
        assert_eq!(post(&site, RUNS, &key, "{}").await.bytes, told.bytes);
    }
    assert_eq!(count(&site).await, 2);
}

#[tokio::test]
async fn what_has_no_id_of_its_own_is_not_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let site = OneProject::start(folder.path()).await;
    let run = site.run().await;
    let (target, route) = (format!("/api/v1/runs/{run}/cancel"), "POST /api/v1/runs/{id}/cancel");
    let id = left_by_the_dead(&site, route, &target, "c", "").await;
    under_key(id, runs::cancel(&site.host, &run, "local")).await.unwrap();
    let told = post(&site, &target, "c", "").await;
    assert_eq!((told.status, &told.json()["status"]), (StatusCode::OK, &json!("cancelled")), "{}", told.json());
}

#[tokio::test]
async fn a_key_that_another_living_server_works_on_is_to_be_asked_for_later() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let (site, other) = (OneProject::start(folder.path()).await, OneProject::start(folder.path()).await);
    let route = "POST /api/v1/pipelines/{name}/runs";
    let id = left_by_the_dead(&site, route, RUNS, "k", "{}").await;
    assert!(site.host.store.take_over_key(&id, "dead", other.holder()).await.unwrap());
    let told = post(&site, RUNS, "k", "{}").await;
    assert_eq!((told.status, &*told.code()), (StatusCode::CONFLICT, "in-progress"), "{}", told.json());
    assert_eq!(told.headers["retry-after"], "1");
    assert_eq!(count(&site).await, 0);
    drop(other);
    assert_eq!(post(&site, RUNS, "k", "{}").await.status, StatusCode::ACCEPTED);
}
