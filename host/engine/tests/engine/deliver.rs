//! Deployers and monitors: what they reach and what is believed of what they say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use wasmlops_core::call::{
    Call, Deployment, EndpointPhase, Endpoints, ErrorCode, GuestError, Health, Http, HttpFailure, HttpRequest,
    HttpResponse, Outcome, Release, ReleaseMode, ReleaseState, Reply, Report, Rollout, Value, Window,
};

use crate::lab::{Bench, bytes, numbers};

fn release() -> Release {
    Release {
        key: "run-1/deploy".into(),
        endpoint: "breast-cancer".into(),
        model: "breast-cancer".into(),
        version: 7,
        digest: "blake3:00".into(),
        files: vec!["version.json".into()],
    }
}

pub fn deploy() -> Call {
    let previous = Deployment { id: "old".into(), address: None, details: "{}".into() };
    Call::Deploy { config: "{}".into(), release: release(), previous: Some(previous) }
}

pub fn observe() -> Call {
    let window = Window { rows: numbers(3), start: None, end: Some(5) };
    Call::Observe { config: "{}".into(), window, reference: Some(numbers(5)) }
}

fn value(report: Report) -> Value {
    match report.outcome {
        Outcome::Ok(answer) => answer.value,
        other => panic!("{other:?}"),
    }
}

/// Endpoints that keep what they are asked, and refuse the key `refused`.
#[derive(Default)]
struct Kept(Mutex<Vec<(String, String, u64, Rollout)>>);

impl Endpoints for Kept {
    fn start<'a>(
        &'a self,
        endpoint: &'a str,
        key: &'a str,
        version: u64,
        rollout: Rollout,
    ) -> Reply<'a, Result<String, GuestError>> {
        Box::pin(async move {
            self.0.lock().unwrap().push((endpoint.into(), key.into(), version, rollout));
            // The engine must not answer from a runtime that has no timers.
            tokio::time::sleep(Duration::from_millis(1)).await;
            match key {
                "refused" => Err(GuestError { code: ErrorCode::InvalidInput, message: "no".into(), field: None }),
                _ => Ok("release-3".into()),
            }
        })
    }

    fn state<'a>(&'a self, _: &'a str, _: &'a str) -> Reply<'a, Result<ReleaseState, GuestError>> {
        Box::pin(async { Ok(ReleaseState { phase: EndpointPhase::Live, share: 100, message: String::new() }) })
    }

    fn withdraw<'a>(&'a self, _: &'a str, _: &'a str) -> Reply<'a, Result<(), GuestError>> {
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn a_deployer_drives_the_endpoints_that_it_was_lent() {
    let kept = Arc::new(Kept::default());
    let report = Bench::new(deploy()).sandbox(|sandbox| sandbox.endpoints = Some(kept.clone())).run("drive-endpoint");
    assert_eq!(report.usage.host_calls, 1);
    let Value::Deployment(deployment) = value(report) else { panic!("a deployment") };
    assert_eq!(deployment, Deployment { id: "release-3".into(), address: None, details: "{}".into() });
    let rollout = Rollout {
        mode: ReleaseMode::Canary,
        steps: vec![10, 50],
        bake: Some(Duration::from_millis(1500)),
        requests: None,
    };
    assert_eq!(*kept.0.lock().unwrap(), [("breast-cancer".into(), "run-1/deploy".into(), 7, rollout)]);
}

#[test]
fn what_the_endpoints_refuse_is_the_guests_to_handle() {
    let call =
        Call::Deploy { config: "{}".into(), release: Release { key: "refused".into(), ..release() }, previous: None };
    let report =
        Bench::new(call).sandbox(|sandbox| sandbox.endpoints = Some(Arc::new(Kept::default()))).run("drive-endpoint");
    assert!(
        matches!(
            &report.outcome,
            Outcome::Failed(error) if error.code == ErrorCode::InvalidInput && error.message == "no"
        ),
        "{:?}",
        report.outcome
    );
}

#[test]
fn a_deployment_is_asked_for_and_taken_back() {
    let deployment = || Deployment { id: "id".into(), address: Some("http://a".into()), details: "{}".into() };
    let status = Call::DeploymentStatus { config: "{}".into(), deployment: deployment() };
    let Value::Status(status) = value(Bench::new(status).run("drive-endpoint")) else { panic!("a status") };
    assert_eq!((status.health, status.message.as_str()), (Health::Ready, "fine"));
    let undeploy = Call::Undeploy { config: "{}".into(), deployment: deployment() };
    assert!(matches!(value(Bench::new(undeploy).run("drive-endpoint")), Value::Nothing));
}

#[test]
fn findings_are_made_harmless() {
    let report = Bench::new(observe()).run("findings");
    assert!(report.usage.output_bytes > 0);
    let Value::Findings(findings) = value(report) else { panic!("findings") };
    assert_eq!(findings.len(), 2);
    assert!(findings[0].value.is_nan() && findings[0].threshold.is_none() && !findings[0].found);
    assert_eq!((findings[1].value, findings[1].threshold, findings[1].found), (0.5, Some(0.25), true));
    assert_eq!((findings[1].signal.as_str(), findings[1].statistic.as_str()), ("data-drift", "psi"));
    assert_eq!((findings[1].window_rows, findings[1].reference_rows), (3, 5));
    assert_eq!(findings[1].message, "a\\u{1b}[31mb");
    let broke = Bench::new(observe()).limits(|limits| limits.output_bytes = 10).run("findings");
    assert!(
        matches!(&broke.outcome, Outcome::OutputLimit { what } if what.contains("findings")),
        "{:?}",
        broke.outcome
    );
}

/// A network that gives one answer, and keeps what it was asked.
pub struct Network {
    pub asked: Mutex<Vec<HttpRequest>>,
    answer: Result<HttpResponse, HttpFailure>,
}

impl Network {
    pub fn new(answer: Result<HttpResponse, HttpFailure>) -> Arc<Self> {
        Arc::new(Self { asked: Mutex::default(), answer })
    }
}

impl Http for Network {
    fn send(&self, request: HttpRequest) -> Reply<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(request);
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.answer.clone()
        })
    }
}

/// What the guest says came of its request: 0 and the low byte of the status, or 1 and the case of the error.
fn answer(answer: Result<HttpResponse, HttpFailure>) -> [u8; 2] {
    let network = Network::new(answer);
    let bench = Bench::train().sandbox(|sandbox| sandbox.http = Some(network.clone()));
    let said = bytes(bench.run("http-request"));
    let asked = network.asked.lock().unwrap();
    let [HttpRequest { method, url, headers, body, timeout }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((method.as_str(), url.as_str()), ("GET", "https://api.example.com/v1"));
    assert!(headers.is_empty() && body.is_empty() && timeout.is_none());
    [said[0], said[1]]
}

#[test]
fn requests_go_through_the_broker() {
    let response = |status| HttpResponse { status, headers: vec![("a".into(), b"b".into())], body: b"body".into() };
    assert_eq!(answer(Ok(response(204))), [0, 204]);
    for (failure, case) in [
        (HttpFailure::Denied("no".into()), 15),
        (HttpFailure::InvalidRequest("no".into()), 19),
        (HttpFailure::Unreachable("no".into()), 3),
        (HttpFailure::TimedOut(Duration::from_secs(1)), 8),
        (HttpFailure::TooLarge(1), 28),
    ] {
        assert_eq!(answer(Err(failure.clone())), [1, case], "{failure:?}");
    }
    // HTTP-protocol-error: what the broker gives is checked too.
    assert_eq!(answer(Ok(response(0))), [1, 35]);
    let large = HttpResponse { body: vec![0; (64 << 20) + 1], ..response(200) };
    assert_eq!(answer(Ok(large)), [1, 28]);
}

#[test]
fn a_call_on_a_runtime_is_served_there() {
    // The broker's connections live on the runtime of the caller, not on that of the guest's thread.
    struct Here(Mutex<Vec<tokio::runtime::Id>>);
    impl Http for Here {
        fn send(&self, _: HttpRequest) -> Reply<'_, Result<HttpResponse, HttpFailure>> {
            self.0.lock().unwrap().push(tokio::runtime::Handle::current().id());
            Box::pin(async { Err(HttpFailure::Denied("no".into())) })
        }
    }
    let here = Arc::new(Here(Mutex::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench = Bench::train().sandbox(|sandbox| sandbox.http = Some(here.clone()));
    let prepared = crate::lab::ENGINE.prepare(&crate::lab::component("http-request"), bench.profile).unwrap();
    let report = runtime.block_on(crate::lab::ENGINE.call(&prepared, bench.request()));
    assert_eq!(bytes(report)[..2], [1, 15]);
    assert_eq!(*here.0.lock().unwrap(), [runtime.handle().id()]);
}
