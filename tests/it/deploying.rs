//! Deployers as steps: an archive that stands for itself, a real API outside, and what they are refused.

use std::process::Command;

use serde_json::json;

use crate::outside::Outside;
use crate::support::{TestProject, step};

const PIPELINE: &str = "pipelines/breast-cancer.yaml";

/// The example with another deployer in place of its own, and this policy.
fn project(deploy: &str, policy: &str) -> TestProject {
    let project = TestProject::example("breast-cancer");
    let text = project.read(PIPELINE);
    let (before, _) = text.split_once("  # The server gives the version its traffic").unwrap();
    project.write(PIPELINE, &format!("{before}{deploy}"));
    project.edit("wasmlops.yaml", "  read: [data]\n", &format!("  read: [data]\n{policy}"));
    project
}

fn over_http(origin: &str) -> String {
    format!(
        r#"
  deploy:
    uses: http-deployer
    inputs: {{ release: publish.version }}
    with:
      deploy:
        request:
          method: POST
          url: {origin}/models/{{{{model}}}}/versions
          body: {{ version: "{{{{version}}}}", digest: "{{{{digest}}}}" }}
        id: /id
        address: /url
      undeploy: {{ method: DELETE, url: "{origin}/deployments/{{{{id}}}}" }}
    grants: {{ http: ["{origin}"] }}
    retry: {{ attempts: 3, backoff: 10ms }}
"#
    )
}

#[test]
fn a_bundle_stands_for_itself() {
    let project = project("  bundle: { uses: bundle, inputs: { release: publish.version } }\n", "");
    let run = project.json(0, &["run"]);
    let id = run["run"].as_str().unwrap();
    project.json(0, &["artifact", "export", &format!("{id}/bundle.bundle"), "release.tar"]);
    let unpacked = Command::new("tar").args(["-xf", "release.tar"]).current_dir(project.path()).status().unwrap();
    assert!(unpacked.success());
    let folder = project.path().join("breast-cancer-1");
    let sums = Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&folder).status();
    assert!(sums.unwrap().success());
    for file in ["version.json", "card.md", "model.json", "predictor.wasm", "golden/predictions.arrow"] {
        assert!(folder.join(file).is_file(), "no {file}");
    }
    // The same release gives the same bytes, though it is never taken from the cache.
    let again = project.json(0, &["run"]);
    assert_eq!(step(&again, "bundle")["cache"], "off");
    let digest = |run: &serde_json::Value| step(run, "bundle")["outputs"]["bundle"]["digest"].clone();
    assert_eq!(digest(&run), digest(&again));
}

#[test]
fn an_api_outside_is_called_until_it_takes_the_release() {
    let outside = Outside::start(|number| match number {
        0 => (503, json!({ "error": "later" })),
        _ => (201, json!({ "id": "d-7", "url": "https://serve.example/7" })),
    });
    let project = project(&over_http(&outside.origin), &format!("  http: [\"{}\"]\n", outside.origin));
    let run = project.json(0, &["run"]);
    let deploy = step(&run, "deploy");
    assert_eq!((&deploy["attempts"], &deploy["cache"]), (&2.into(), &"off".into()));
    let received = outside.received();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|request| request.line == "POST /models/breast-cancer/versions"), "{received:?}");
    assert_eq!(received[1].json()["version"], 1);
    // An attempt that is made again can be told from a new deployment.
    let key = |number: usize| received[number].header("idempotency-key");
    assert!(key(0).is_some() && key(0) == key(1), "{received:?}");
    let deployment = deploy["outputs"]["deployment"]["digest"].as_str().unwrap();
    let shown = project.json(0, &["artifact", "show", deployment]);
    assert_eq!(shown["document"]["id"], "d-7");
    assert_eq!(shown["document"]["address"], "https://serve.example/7");

    let verified = project.json(0, &["verify", run["run"].as_str().unwrap()]);
    assert_eq!(step(&verified, "deploy")["result"], "captured");
    assert_eq!(outside.received().len(), 2, "a verification deploys nothing");
}

#[test]
fn what_was_not_granted_is_refused_with_the_side_that_is_missing() {
    let outside = Outside::start(|_| (201, json!({})));
    // The project's policy names no origin.
    let project = project(&over_http(&outside.origin), "");
    let refused = project.json(2, &["run"]);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(&outside.origin) && refused["error"]["hint"].as_str().unwrap().contains("policy"),
        "{refused}"
    );
    // The grant is for another origin than the request goes to.
    let text = project.read(PIPELINE).replace("grants: { http: [", "grants: { http: [\"https://other.example\"] } #");
    project.write(PIPELINE, &text);
    project.edit("wasmlops.yaml", "  read: [data]\n", "  read: [data]\n  http: [\"https://other.example\"]\n");
    let failed = project.json(1, &["run"]);
    assert_eq!(step(&failed, "deploy")["error"]["code"], "denied", "{failed:#}");
    assert!(outside.received().is_empty());
}
