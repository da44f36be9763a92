//! What it asks of the host, which stands in for itself here.

use std::cell::RefCell;
use std::rc::Rc;

use wasmlops_sdk::endpoints::ReleaseState;
use wasmlops_sdk::testing;

use super::*;

/// Remembers what it was asked and says one phase of every release.
struct Fake {
    asked: Rc<RefCell<Vec<String>>>,
    phase: Phase,
}

impl testing::Endpoints for Fake {
    fn start(&mut self, endpoint: &str, key: &str, version: u64, rollout: &Rollout) -> Result<String> {
        let Rollout { mode, steps, bake, requests } = rollout;
        self.asked
            .borrow_mut()
            .push(format!("start {endpoint} {key} {version} {mode:?} {steps:?} {bake:?} {requests:?}"));
        Ok("r-1".to_owned())
    }

    fn state(&mut self, _endpoint: &str, release: &str) -> Result<ReleaseState> {
        Ok(ReleaseState { phase: self.phase, share: 10, message: format!("release {release}") })
    }

    fn withdraw(&mut self, endpoint: &str, release: &str) -> Result<()> {
        self.asked.borrow_mut().push(format!("withdraw {endpoint} {release}"));
        Ok(())
    }
}

fn lend(phase: Phase) -> Rc<RefCell<Vec<String>>> {
    let asked = Rc::default();
    testing::lend_endpoints(Fake { asked: Rc::clone(&asked), phase });
    asked
}

fn config(more: &str) -> Config {
    serde_json::from_str(&format!(r#"{{"endpoint": "churn"{more}}}"#)).unwrap()
}

fn release() -> Release {
    Release {
        key: "run/deploy".into(),
        endpoint: "churn".into(),
        model: "churn".into(),
        version: 3,
        digest: "blake3:00".into(),
        files: vec![],
    }
}

#[test]
fn hands_the_release_over() {
    let asked = lend(Phase::Pending);
    let config = config(r#", "steps": [10, 50], "bake": "2m", "requests": 20"#);
    let deployment = LocalEndpoint::deploy(config, release(), None).unwrap();
    assert_eq!(*asked.borrow(), ["start churn run/deploy 3 Mode::Canary [10, 50] Some(120000) Some(20)"]);
    assert_eq!(deployment.id, "r-1");
    assert_eq!(deployment.address.as_deref(), Some("/api/v1/endpoints/churn/predict"));
}

#[test]
fn says_how_it_is_and_takes_it_back() {
    for (phase, health) in [
        (Phase::Pending, Health::Pending),
        (Phase::Canary, Health::Ready),
        (Phase::Live, Health::Ready),
        (Phase::RolledBack, Health::Failed),
        (Phase::Retired, Health::Gone),
    ] {
        let asked = lend(phase);
        let deployment = LocalEndpoint::deploy(config(""), release(), None).unwrap();
        assert_eq!(LocalEndpoint::status(config(""), deployment.clone()).unwrap().health, health);
        LocalEndpoint::undeploy(config(""), deployment).unwrap();
        assert_eq!(asked.borrow().last().map(String::as_str), Some("withdraw churn r-1"));
    }
}

#[test]
fn refuses_what_is_no_rollout() {
    lend(Phase::Pending);
    for more in [r#", "steps": [50, 10]"#, r#", "steps": [0]"#, r#", "bake": "soon""#, r#", "bake": "10""#] {
        let error = LocalEndpoint::deploy(config(more), release(), None).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidConfig, "{more}");
    }
}

#[test]
fn without_a_grant_it_is_denied() {
    testing::forget();
    assert_eq!(LocalEndpoint::deploy(config(""), release(), None).unwrap_err().code, ErrorCode::Denied);
}
