//! Tokens from making to revoking, with a clock that the tests move.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use wasmlops_core::access::Scope;

use super::tokens::{NewToken, TokenStatus, create, create_first, list, revoke};
use super::*;
use crate::clock::ManualClock;
use crate::error::Error;
use crate::host::{Host, HostOptions};

struct Bench {
    _folder: tempfile::TempDir,
    host: Host,
    clock: Arc<ManualClock>,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("wasmlops.yaml"), "project: test\n").unwrap();
        let clock = Arc::new(ManualClock::at(1_767_225_600_000_000));
        let options = HostOptions::for_tests(folder.path(), clock.clone());
        Self { host: Host::open(options).await.unwrap(), _folder: folder, clock }
    }

    async fn token(&self, name: &str, rights: Rights) -> (String, String) {
        let new = NewToken { name: name.to_owned(), rights, expires: None };
        let created = create(&self.host, new, &Rights::of(Role::Admin), "cli:ann").await.unwrap();
        (created.token, created.view.id)
    }
}

async fn caller(access: &Access, token: &str) -> Option<Caller> {
    match access.authenticate(&Bearer::parse(token).unwrap()).await.unwrap().unwrap() {
        Verdict::Known(caller) => Some(caller),
        Verdict::NoRole { .. } | Verdict::Unknown => None,
    }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::User(found)) => found.0[0].code.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_says_who_its_holder_is_until_it_is_revoked() {
    let bench = Bench::new().await;
    let scopes: Vec<Scope> = vec!["runs".parse().unwrap()];
    let (token, id) = bench.token("ci", Rights { role: Role::Operator, scopes: scopes.clone() }).await;
    assert!(token.starts_with("wml_") && token.len() == 47, "{token}");
    let access = Access::new(&bench.host);
    let known = caller(&access, &token).await.unwrap();
    assert_eq!((known.actor.as_str(), known.project.as_str()), ("token:ci", "test"));
    assert_eq!(known.rights, Rights { role: Role::Operator, scopes });
    assert!(known.lease.is_good().await);

    revoke(&bench.host, &id, false, "cli:ann").await.unwrap();
    bench.clock.advance(FRESH);
    assert!(caller(&access, &token).await.is_none());
    assert!(!known.lease.is_good().await);
    known.lease.ended().await;
    let listed = list(&bench.host).await.unwrap();
    assert_eq!((listed.len(), listed[0].status), (1, TokenStatus::Revoked));
    assert!(listed[0].last_used.is_some());
    let kept = format!("{listed:?}{:?}", bench.host.store.audit_records(0, 100).await.unwrap());
    assert!(!kept.contains(&token[4..]), "the token's text is kept");
}

#[tokio::test]
async fn a_token_runs_out() {
    let bench = Bench::new().await;
    let expires = Some(bench.host.clock.now() + 1_000_000);
    let new = NewToken { name: "brief".to_owned(), rights: Rights::of(Role::Viewer), expires };
    let token = create(&bench.host, new, &Rights::of(Role::Admin), "cli:ann").await.unwrap().token;
    let access = Access::new(&bench.host);
    let known = caller(&access, &token).await.unwrap();
    // Also while it is remembered.
    bench.clock.advance(Duration::from_secs(1));
    assert!(caller(&access, &token).await.is_none());
    assert!(!known.lease.is_good().await);
    assert_eq!(list(&bench.host).await.unwrap()[0].status, TokenStatus::Expired);
}

#[tokio::test]
async fn nobody_gives_more_than_they_hold() {
    let bench = Bench::new().await;
    let scoped = Rights { role: Role::Admin, scopes: vec!["access".parse().unwrap(), "runs".parse().unwrap()] };
    let new = |rights: Rights| NewToken { name: "x".to_owned(), rights, expires: None };
    for more in [Rights::of(Role::Viewer), Rights { role: Role::Admin, scopes: vec!["secrets".parse().unwrap()] }] {
        assert_eq!(code(create(&bench.host, new(more), &scoped, "token:a").await), "forbidden");
    }
    let less = Rights { role: Role::Operator, scopes: vec!["runs".parse().unwrap()] };
    create(&bench.host, new(less.clone()), &scoped, "token:a").await.unwrap();
    assert_eq!(code(create(&bench.host, new(less), &scoped, "token:a").await), "token-conflict");
    assert_eq!(bench.host.store.tokens().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_first_token_is_an_administrators_and_stays_until_there_is_another() {
    let bench = Bench::new().await;
    let first = create_first(&bench.host, "cli:ann").await.unwrap().unwrap();
    assert_eq!((first.view.name.as_str(), first.view.role), (tokens::FIRST, Role::Admin));
    assert!(create_first(&bench.host, "cli:ann").await.unwrap().is_none());
    assert_eq!(code(revoke(&bench.host, &first.view.id, false, "cli:ann").await), "last-admin-conflict");
    assert_eq!(code(revoke(&bench.host, "00000000", false, "cli:ann").await), "unknown-token");
    revoke(&bench.host, &first.view.id, true, "cli:ann").await.unwrap();
    assert!(create_first(&bench.host, "cli:ann").await.unwrap().is_none(), "only the first start makes one");
}

#[tokio::test]
async fn names_and_times_are_checked() {
    let bench = Bench::new().await;
    let admin = Rights::of(Role::Admin);
    for (name, expires) in
        [("", None), ("a b", None), ("é", None), (&*"x".repeat(65), None), ("a\n", None), ("ok", Some(0))]
    {
        let new = NewToken { name: name.to_owned(), rights: admin.clone(), expires };
        assert_eq!(code(create(&bench.host, new, &admin, "cli:ann").await), "invalid-token", "{name}");
    }
}

#[test]
fn headers_are_read_strictly() {
    let read = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        Bearer::read(&headers).map(|bearer| format!("{bearer:?}"))
    };
    let good = format!("wml_{}", "A".repeat(43));
    assert_eq!(read(&[&format!("Bearer {good}")]).as_deref(), Ok("Token"));
    assert_eq!(read(&[&format!("bearer {good}")]).as_deref(), Ok("Token"));
    assert_eq!(read(&["Bearer e30.e30.c2ln"]).as_deref(), Ok("Jwt"));
    assert_eq!(read(&[]), Err(BearerError::Missing));
    for wrong in crate::http::tests::malformed_tokens() {
        assert_eq!(read(&[&wrong]), Err(BearerError::Malformed), "{wrong}");
    }
    let twice = format!("Bearer {good}");
    assert_eq!(read(&[&twice, &twice]), Err(BearerError::Malformed));
}
