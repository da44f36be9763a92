//! Who gets where: every role at every route of every project, as the list of routes says, and every way to be nobody.

use axum::body::Body;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::Value;
use wasmlops_core::access::{Rights, Role};

use super::*;
use crate::access::tokens::{self, NewToken};
use crate::clock::Clock;
use crate::host::{Host, HostOptions};
use crate::http::{Exposure, ServedProject, Server, ServerOptions, routes};
use crate::serving::{Options, Service};

/// A server of the projects `red` and `blue`, without connections.
struct Projects {
    _folder: tempfile::TempDir,
    hosts: Vec<Host>,
    server: Server,
    clock: Arc<ManualClock>,
}

impl Projects {
    async fn start(exposure: Exposure) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(1_767_225_600_000_000));
        let (mut hosts, mut projects) = (Vec::new(), Vec::new());
        for name in ["red", "blue"] {
            let root = folder.path().join(name);
            std::fs::create_dir(&root).unwrap();
            std::fs::write(root.join("wasmlops.yaml"), format!("project: {name}\n")).unwrap();
            let host = Host::open(HostOptions::for_tests(&root, clock.clone())).await.unwrap();
            let options = Options { host: host.clone(), endpoints: Vec::new(), log: None };
            let (_, serving) = Service::new(options).await.unwrap();
            hosts.push(host.clone());
            projects.push(ServedProject { host, serving });
        }
        let bind = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(ServerOptions { projects, bind, exposure }).await.unwrap();
        Self { _folder: folder, hosts, server, clock }
    }

    /// A token of the project at `index`, and its id.
    async fn token(&self, index: usize, name: &str, rights: Rights) -> (String, String) {
        let new = NewToken { name: name.to_owned(), rights, expires: None };
        let made = tokens::create(&self.hosts[index], new, &Rights::of(Role::Admin), "cli:ann").await.unwrap();
        (made.token, made.view.id)
    }

    async fn ask(&self, method: &str, target: &str, authorization: Option<&str>) -> Response {
        let mut request = Request::builder().method(method).uri(target).header("host", "localhost");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = self.server.front.answer(request.body(Body::empty()).unwrap());
        tokio::time::timeout(Duration::from_secs(60), answer).await.expect(target)
    }

    async fn actions(&self, index: usize) -> Vec<(String, String)> {
        let records = self.hosts[index].store.audit_records(0, 10_000).await.unwrap();
        let denied = records.into_iter().filter(|record| record.entry.action == "access.denied");
        denied.map(|record| (record.entry.stamp.actor, record.entry.details)).collect()
    }
}

async fn problem(response: Response) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap_or_default()
}

/// Whether the route itself refused the caller.
async fn is_forbidden(response: Response) -> bool {
    response.status() == StatusCode::FORBIDDEN && {
        let text = problem(response).await.to_string();
        text.contains(" lacks `")
    }
}

/// A path that fits the pattern, in which nothing is there.
fn path(pattern: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "none".to_owned() } else { part.to_owned() };
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// `Authorization` headers that carry no token, however near they come.
pub(crate) fn malformed_tokens() -> Vec<String> {
    let good = format!("wml_{}", "A".repeat(43));
    let secret = "A".repeat(43);
    let mut wrong: Vec<String> = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Basic dXNlcjpwYXNz",
        "Digest x",
        "Token abc",
        "Bearer abc",
        "Bearer null",
        "Bearer wml_",
        "Bearer wml",
        "Bearer a.b",
        "Bearer a..c",
        "Bearer ..",
        "Bearer .b.c",
        "Bearer a.b.",
        "Bearer a.b.c.d",
        "Bearer a.b.c=",
        "Bearer a b c",
        "Bearer eyJhbGciOiJub25lIn0.e30",
        "Bearer {}",
        "Bearer ../../etc/passwd",
    ]
    .map(str::to_owned)
    .to_vec();
    wrong.extend([
        good.clone(),
        format!("Bearer{good}"),
        format!("Bearer  {good}"),
        format!("Bearer\t{good}"),
        format!("Bearer {good} "),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {good},"),
        format!("Bearer \"{good}\""),
        format!("Bearer WML_{secret}"),
        format!("Bearer wml-{secret}"),
        format!("Bearer wml_{secret}A"),
        format!("Bearer wml_{}", &secret[1..]),
        format!("Bearer wml_{secret}="),
        format!("Bearer wml_{}B", &secret[1..]),
        format!("Bearer wml_{}/", &secret[1..]),
        format!("Bearer wml_{}+", &secret[1..]),
        format!("Bearer wml_{}%41", &secret[1..]),
        format!("Bearer token={good}"),
        format!("Basic {good}"),
        format!("Bearer a.b.{}", "c".repeat(9_000)),
    ]);
    wrong
}

#[tokio::test]
async fn every_role_gets_exactly_as_far_as_the_routes_say() {
    let site = Projects::start(Exposure::default()).await;
    let mut holders = Vec::new();
    for role in Role::ALL {
        holders.push((Rights::of(role), site.token(0, role.as_str(), Rights::of(role)).await.0));
    }
    let scoped = Rights { role: Role::Admin, scopes: vec!["runs:read".parse().unwrap(), "models".parse().unwrap()] };
    holders.push((scoped.clone(), site.token(0, "scoped", scoped).await.0));
    let stranger = site.token(1, "stranger", Rights::of(Role::Admin)).await.0;
    let mut denied = 0;
    for route in routes::all() {
        let (method, target) = (route.method.as_str(), path(route.pattern));
        let nobody = site.ask(method, &target, None).await;
        let Some(permission) = route.permission else {
            // A hook asks for a signature, which is no token.
            let asks_for_token = nobody.headers().contains_key(WWW_AUTHENTICATE);
            assert!(!asks_for_token, "{method} {target} is for everybody: {}", nobody.status());
            continue;
        };
        assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED, "{method} {target} without a token");
        assert!(nobody.headers().contains_key(WWW_AUTHENTICATE), "{method} {target}");
        for (rights, token) in &holders {
            let bearer = format!("Bearer {token}");
            let answer = site.ask(method, &target, Some(&bearer)).await;
            assert_ne!(answer.status(), StatusCode::UNAUTHORIZED, "{method} {target} as {rights:?}");
            let refused = is_forbidden(answer).await;
            assert_eq!(refused, !rights.may(permission), "{method} {target} as {rights:?}");
            denied += usize::from(refused);
            let elsewhere = site.ask(method, &format!("{target}?project=blue"), Some(&bearer)).await;
            assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND, "{method} {target} in another project");
        }
        // A stranger is somebody in a project of their own alone.
        let red = site.ask(method, &format!("{target}?project=red"), Some(&format!("Bearer {stranger}"))).await;
        assert_eq!(red.status(), StatusCode::NOT_FOUND, "{method} {target} as a stranger");
    }
    assert!(denied > 10, "{denied}");
    assert_eq!(site.actions(0).await.len(), denied, "each refusal is in the audit");
}

#[tokio::test]
async fn what_is_no_token_is_nobodys() {
    let site = Projects::start(Exposure::default()).await;
    let wrong = malformed_tokens();
    assert!(wrong.len() >= 40, "{}", wrong.len());
    let unknown = format!("Bearer wml_{}", "A".repeat(43));
    for header in wrong.iter().map(String::as_str).chain([unknown.as_str(), "Bearer e30.e30.c2ln"]) {
        let answer = site.ask("GET", "/metrics", Some(header)).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{header}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        assert_eq!(problem(answer).await["code"], "unauthenticated");
    }
    // Neither the query nor a cookie is looked at, and what is not there is nobody's business.
    for target in
        [&*format!("/metrics?access_token={}", &unknown[7..]), "/nothing", "/api/v1/nothing", "/%2e%2e/healthz"]
    {
        assert_eq!(site.ask("GET", target, None).await.status(), StatusCode::UNAUTHORIZED, "{target}");
    }
    let asked = wrong.len() + 6;
    // One record for all of them, once their minute is over.
    site.server.gate.denials().write(&site.server.gate.accesses(), false).await;
    assert!(site.actions(0).await.is_empty());
    site.clock.advance(Duration::from_secs(60));
    site.server.gate.denials().write(&site.server.gate.accesses(), false).await;
    let recorded = site.actions(0).await;
    assert_eq!(recorded.len(), 1);
    let details: Value = serde_json::from_str(&recorded[0].1).unwrap();
    assert_eq!((recorded[0].0.as_str(), &details["count"]), ("anonymous", &Value::from(asked)), "{details}");
}

#[tokio::test]
async fn revoked_and_expired_tokens_are_nobodys() {
    let site = Projects::start(Exposure::default()).await;
    let (token, id) = site.token(0, "a", Rights::of(Role::Admin)).await;
    let bearer = format!("Bearer {token}");
    assert_eq!(site.ask("GET", "/metrics", Some(&bearer)).await.status(), StatusCode::OK);
    tokens::revoke(&site.hosts[0], &id, true, "cli:ann").await.unwrap();
    site.clock.advance(crate::access::FRESH);
    assert_eq!(site.ask("GET", "/metrics", Some(&bearer)).await.status(), StatusCode::UNAUTHORIZED);
    let expires = Some(site.clock.now() + 1_000_000);
    let new = NewToken { name: "b".to_owned(), rights: Rights::of(Role::Admin), expires };
    let brief = tokens::create(&site.hosts[0], new, &Rights::of(Role::Admin), "cli:ann").await.unwrap().token;
    let bearer = format!("Bearer {brief}");
    assert_eq!(site.ask("GET", "/metrics", Some(&bearer)).await.status(), StatusCode::OK);
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(site.ask("GET", "/metrics", Some(&bearer)).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn projects_are_chosen_by_name_or_by_token() {
    let site = Projects::start(Exposure::default()).await;
    let red = format!("Bearer {}", site.token(0, "a", Rights::of(Role::Admin)).await.0);
    let blue = format!("Bearer {}", site.token(1, "a", Rights::of(Role::Admin)).await.0);
    for (target, bearer, status) in [
        ("/metrics", &red, 200),
        ("/metrics", &blue, 200),
        ("/metrics?project=blue", &blue, 200),
        ("/metrics?project=red", &blue, 404),
        ("/metrics?project=green", &blue, 404),
        ("/metrics?project=red&project=blue", &red, 400),
        ("/metrics?project=", &red, 404),
    ] {
        assert_eq!(site.ask("GET", target, Some(bearer)).await.status(), status, "{target}");
    }
    // That a project is there is not told to those who are nobody in it.
    let (there, not) = (
        problem(site.ask("GET", "/metrics?project=red", Some(&blue)).await).await,
        problem(site.ask("GET", "/metrics?project=green", Some(&blue)).await).await,
    );
    assert_eq!(there["code"], "unknown-project");
    assert_eq!(
        there["detail"].as_str().map(|text| text.replace("red", "green")),
        not["detail"].as_str().map(str::to_owned)
    );
}

#[tokio::test]
async fn an_open_server_takes_everyone_on_this_machine_for_an_administrator() {
    let site = Projects::start(Exposure { open: true, ..Exposure::default() }).await;
    for target in ["/metrics", "/metrics?project=blue"] {
        assert_eq!(site.ask("GET", target, None).await.status(), StatusCode::OK, "{target}");
    }
    assert_eq!(site.ask("GET", "/metrics?project=green", None).await.status(), StatusCode::NOT_FOUND);
}
