//! What it sends, and what it makes of the answer.

use serde_json::{Value, json};
use wasmlops_sdk::testing;

use super::*;

fn config() -> Config {
    serde_json::from_value(json!({
        "deploy": {
            "request": {
                "method": "POST", "url": "https://api.test/models/{{model}}",
                "headers": { "x-release": "{{digest}}" },
                "body": { "name": "{{model}}", "version": "{{version}}", "tag": "v{{ version }}", "list": ["{{key}}", 1] },
            },
            "id": "/data/id", "address": "/data/url",
        },
        "status": {
            "request": { "method": "GET", "url": "https://api.test/deployments/{{id}}" },
            "state": "/state", "ready": ["running"], "failed": ["crashed"],
        },
        "undeploy": { "method": "DELETE", "url": "https://api.test/deployments/{{id}}" },
    }))
    .unwrap()
}

fn release() -> Release {
    Release {
        key: "run/deploy".into(),
        endpoint: "churn".into(),
        model: "a model/1".into(),
        version: 3,
        digest: "blake3:00".into(),
        files: vec![],
    }
}

fn answer(status: u16, body: Value) {
    testing::forget();
    testing::answer_http(move |_| Ok(Response { status, body: body.to_string().into_bytes(), ..Response::default() }));
}

fn deployed() -> Deployment {
    answer(201, json!({ "data": { "id": "d 7", "url": "https://serve.test/7" } }));
    HttpDeployer::deploy(config(), release(), None).unwrap()
}

#[test]
fn fills_the_request_in_and_reads_the_answer() {
    let deployment = deployed();
    assert_eq!((deployment.id.as_str(), deployment.address.as_deref()), ("d 7", Some("https://serve.test/7")));
    let sent = testing::heard().requests.remove(0);
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("POST", "https://api.test/models/a%20model%2F1"));
    assert!(sent.headers.contains(&("idempotency-key".to_owned(), b"run/deploy".to_vec())), "{:?}", sent.headers);
    assert!(sent.headers.contains(&("x-release".to_owned(), b"blake3:00".to_vec())));
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body, json!({ "name": "a model/1", "version": 3, "tag": "v3", "list": ["run/deploy", 1] }));
}

#[test]
fn reads_the_state() {
    let deployment = deployed();
    for (status, body, health) in [
        (200, json!({ "state": "running" }), Health::Ready),
        (200, json!({ "state": "crashed" }), Health::Failed),
        (200, json!({ "state": "starting" }), Health::Pending),
        (404, json!({}), Health::Gone),
    ] {
        answer(status, body);
        assert_eq!(HttpDeployer::status(config(), deployment.clone()).unwrap().health, health);
        assert_eq!(testing::heard().requests[0].url, "https://api.test/deployments/d%207");
    }
}

#[test]
fn taking_back_what_is_gone_succeeds() {
    let deployment = deployed();
    for status in [204, 404, 410] {
        answer(status, Value::Null);
        HttpDeployer::undeploy(config(), deployment.clone()).unwrap();
    }
    answer(403, json!("no"));
    assert_eq!(HttpDeployer::undeploy(config(), deployment).unwrap_err().code, ErrorCode::InvalidInput);
}

#[test]
fn only_what_may_pass_is_tried_again() {
    for (status, code) in [(503, ErrorCode::Unavailable), (429, ErrorCode::Unavailable), (400, ErrorCode::InvalidInput)]
    {
        answer(status, json!({ "error": "because" }));
        let error = HttpDeployer::deploy(config(), release(), None).unwrap_err();
        assert_eq!(error.code, code);
        assert!(error.to_string().contains("because"), "{error}");
    }
    testing::forget();
    assert_eq!(HttpDeployer::deploy(config(), release(), None).unwrap_err().code, ErrorCode::Denied);
}

#[test]
fn mistakes_in_the_configuration_are_named() {
    answer(200, json!({ "data": {} }));
    let mut odd = config();
    odd.deploy.request.url = "https://api.test/{{modle}}".into();
    let error = HttpDeployer::deploy(odd, release(), None).unwrap_err().to_string();
    assert!(error.contains("`{{modle}}` stands for nothing") && error.contains("`{{model}}`"), "{error}");
    let error = HttpDeployer::deploy(config(), release(), None).unwrap_err().to_string();
    assert!(error.contains("nothing at `/data/id`"), "{error}");
    let mut both = config();
    both.deploy.request.file = Some("blob".into());
    assert_eq!(HttpDeployer::deploy(both, release(), None).unwrap_err().code, ErrorCode::InvalidConfig);
}
