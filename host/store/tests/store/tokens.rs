//! Tokens at the store's door: hashes alone, audited, and never nobody left who could give access.

use super::*;

fn token(id: &str, administers: bool) -> NewToken {
    NewToken {
        id: id.to_owned(),
        name: format!("name-{id}"),
        hash: format!("hash-{id}"),
        role: if administers { "admin" } else { "viewer" }.to_owned(),
        scopes: "[]".to_owned(),
        administers,
        expires: None,
        first: false,
        stamp: stamp(),
    }
}

#[tokio::test]
async fn tokens_are_made_found_and_revoked_with_a_record_each() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert_eq!(store.create_token(token("a", true)).await.unwrap(), TokenCreated::Created);
    assert_eq!(
        store.create_token(NewToken { expires: Some(NOON + 10), ..token("b", false) }).await.unwrap(),
        TokenCreated::Created
    );
    let b = store.token_by_hash("hash-b").await.unwrap().unwrap();
    assert!(b.is_good(NOON + 9) && !b.is_good(NOON + 10), "{b:?}");
    assert_eq!(store.token_by_hash("hash-c").await.unwrap(), None);
    assert!(matches!(store.revoke_token("b", false, stamp()).await.unwrap(), TokenRevoked::Revoked(_)));
    assert!(matches!(store.revoke_token("b", false, stamp()).await.unwrap(), TokenRevoked::Already(_)));
    assert_eq!(store.revoke_token("c", false, stamp()).await.unwrap(), TokenRevoked::Unknown);
    assert!(!store.token_by_hash("hash-b").await.unwrap().unwrap().is_good(NOON));
    assert_eq!(store.tokens().await.unwrap().len(), 2);
    let records = store.audit_records(0, 10).await.unwrap();
    let actions: Vec<&str> = records.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!(actions, ["token.created", "token.created", "token.revoked"]);
    assert!(records.iter().all(|record| !record.entry.details.contains("hash")));
}

#[tokio::test]
async fn a_name_is_one_good_tokens_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let again = || NewToken { name: "ci".to_owned(), ..token("a", true) };
    assert_eq!(store.create_token(again()).await.unwrap(), TokenCreated::Created);
    let second = || NewToken { id: "b".to_owned(), hash: "hash-b".to_owned(), ..again() };
    assert_eq!(store.create_token(second()).await.unwrap(), TokenCreated::NameTaken);
    store.revoke_token("a", true, stamp()).await.unwrap();
    assert_eq!(store.create_token(second()).await.unwrap(), TokenCreated::Created);
}

#[tokio::test]
async fn the_first_token_is_made_once_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let first = |id: &str| NewToken { first: true, ..token(id, true) };
    assert_eq!(store.create_token(first("a")).await.unwrap(), TokenCreated::Created);
    store.revoke_token("a", true, stamp()).await.unwrap();
    assert_eq!(store.create_token(first("b")).await.unwrap(), TokenCreated::NotFirst);
}

#[tokio::test]
async fn the_last_that_gives_access_stays_unless_forced() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for new in [token("a", true), token("b", false), NewToken { expires: Some(NOON), ..token("c", true) }] {
        store.create_token(new).await.unwrap();
    }
    assert!(matches!(store.revoke_token("a", false, stamp()).await.unwrap(), TokenRevoked::LastAdmin(_)));
    // One that has run out gives no access, and holds nobody up.
    assert!(matches!(store.revoke_token("c", false, stamp()).await.unwrap(), TokenRevoked::Revoked(_)));
    store.create_token(token("d", true)).await.unwrap();
    assert!(matches!(store.revoke_token("a", false, stamp()).await.unwrap(), TokenRevoked::Revoked(_)));
    assert!(matches!(store.revoke_token("d", true, stamp()).await.unwrap(), TokenRevoked::Revoked(_)));
}

#[tokio::test]
async fn uses_are_noted_to_the_minute_and_not_audited() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.create_token(token("a", true)).await.unwrap();
    for (now, noted) in [(NOON, NOON), (NOON + 59_999_999, NOON), (NOON + 60_000_000, NOON + 60_000_000)] {
        store.touch_token("a", now).await.unwrap();
        assert_eq!(store.token_by_hash("hash-a").await.unwrap().unwrap().last_used, Some(noted));
    }
    assert_eq!(store.audit_records(0, 10).await.unwrap().len(), 1);
}
