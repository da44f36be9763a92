//! What goes out: in order, signed, at least once, and not for ever.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use wasmlops_core::event::Signature;

use super::*;
use crate::events::sign::is_signed;

/// A system outside.
#[derive(Clone)]
struct Outside {
    status: Arc<AtomicU16>,
    /// What was sent, with the status of the answer.
    received: Arc<Mutex<Vec<(Value, u16)>>>,
    signed: Arc<Mutex<Vec<bool>>>,
    origin: String,
}

impl Outside {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let outside =
            Self { status: Arc::new(AtomicU16::new(503)), received: Arc::default(), signed: Arc::default(), origin };
        let router = Router::new().route("/x", post(take)).with_state(outside.clone());
        // Ends with the test's runtime.
        tokio::spawn(async move { axum::serve(listener, router).await });
        outside
    }

    fn config(&self) -> String {
        format!(
            "policy: {{ http: \"{0}\" }}\nnotifications:\n  ops: {{ url: \"{0}/x\", types: [\"dev.wasmlops.alias.*\", \
             \"*.drift.found\"], secret: key }}\n",
            self.origin
        )
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    fn count(&self, status: u16) -> usize {
        self.received.lock().unwrap().iter().filter(|(_, answered)| *answered == status).count()
    }

    /// The numbers of the versions in the events that were taken.
    fn taken(&self) -> Vec<u64> {
        let received = self.received.lock().unwrap();
        received
            .iter()
            .filter(|(_, status)| *status == 200)
            .map(|(event, _)| event["data"]["to"].as_u64().unwrap())
            .collect()
    }
}

async fn take(State(outside): State<Outside>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = outside.status.load(Ordering::Relaxed);
    let header = headers.get("wasmlops-signature").and_then(|header| header.to_str().ok()).unwrap_or_default();
    let signed = Signature::parse(header).is_ok_and(|signature| is_signed(b"hush", &signature, &body));
    outside.signed.lock().unwrap().push(signed && headers["content-type"] == "application/cloudevents+json");
    outside.received.lock().unwrap().push((serde_json::from_slice(&body).unwrap(), status));
    StatusCode::from_u16(status).unwrap()
}

async fn moved(site: &Site, to: u64) {
    site.happens("alias.moved", "model:m@champion", json!({ "to": to })).await;
}

#[tokio::test]
async fn events_arrive_in_order_and_signed_over_failures_and_restarts() {
    let outside = Outside::start().await;
    let site = Site::new(&outside.config()).await;
    moved(&site, 0).await;
    let served = site.serve().await;
    moved(&site, 1).await;
    site.happens("run.failed", "run:x", json!({})).await;
    moved(&site, 2).await;
    until(|| async { outside.count(503) == 1 }).await;
    served.stop().await;
    let site = site.restarted().await;
    moved(&site, 3).await;
    let state = until_state(&site, 1).await;
    assert!(state.outcome.contains("503") && state.next_attempt > site.clock.now() - 1_000_000, "{state:?}");
    outside.answers(200);
    let served = site.serve().await;
    site.clock.advance(Duration::from_secs(2));
    until(|| async { outside.taken().len() == 3 }).await;
    served.stop().await;
    assert_eq!(outside.taken(), [1, 2, 3], "what was before the subscription is not sent");
    assert!(outside.signed.lock().unwrap().iter().all(|signed| *signed));
    let (first, _) = outside.received.lock().unwrap()[0].clone();
    assert_eq!(first["type"], "dev.wasmlops.alias.moved");
    assert_eq!((&first["source"], &first["subject"]), (&json!("/projects/site"), &json!("model:m@champion")));
    assert_eq!(first["id"], format!("site-{}", first["sequence"].as_str().unwrap()));
    // Another process has nothing more to send.
    let site = site.restarted().await;
    let served = site.serve().await;
    moved(&site, 4).await;
    until(|| async { outside.taken().len() == 4 }).await;
    served.stop().await;
    assert_eq!(outside.taken(), [1, 2, 3, 4]);
}

async fn until_state(site: &Site, attempts: i64) -> wasmlops_store::DeliveryRow {
    let state = || async { site.host.store.delivery("ops").await.unwrap() };
    until(|| async { state().await.is_some_and(|state| state.attempts >= attempts) }).await;
    state().await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_delivered_for_a_day_is_dropped_and_said() {
    let outside = Outside::start().await;
    let site = Site::new(&outside.config()).await;
    let served = site.serve().await;
    moved(&site, 1).await;
    moved(&site, 2).await;
    until_state(&site, 1).await;
    site.clock.advance(Duration::from_secs(24 * 3600));
    until(|| async { site.audited("notification:ops").await == ["notification.dropped"] }).await;
    outside.answers(200);
    site.clock.advance(Duration::from_secs(3600));
    until(|| async { outside.taken() == [2] }).await;
    served.stop().await;
}

#[tokio::test]
async fn without_its_secret_nothing_goes_out() {
    let outside = Outside::start().await;
    outside.answers(200);
    let site = Site::new(&outside.config()).await;
    secrets::remove(&site.host, "key", "test").await.unwrap();
    let served = site.serve().await;
    moved(&site, 1).await;
    let state = until_state(&site, 1).await;
    assert!(state.outcome.contains("no secret `key`"), "{state:?}");
    secrets::set(&site.host, "key", Zeroizing::new(b"hush".to_vec()), "test").await.unwrap();
    site.clock.advance(Duration::from_secs(60));
    until(|| async { outside.taken() == [1] }).await;
    served.stop().await;
    assert_eq!(*outside.signed.lock().unwrap(), [true]);
}

#[tokio::test]
async fn calm_windows_are_no_events() {
    let outside = Outside::start().await;
    outside.answers(200);
    let site = Site::new(&outside.config()).await;
    let served = site.serve().await;
    site.happens("monitor.observed", "monitor:drift", json!({ "found": 0, "to": 1 })).await;
    site.happens("monitor.observed", "monitor:drift", json!({ "found": 2, "to": 2 })).await;
    until(|| async { !outside.taken().is_empty() }).await;
    served.stop().await;
    assert_eq!(outside.taken(), [2]);
}
