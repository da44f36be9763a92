//! Requests under a key: reserved once, known as done from the transaction that did it, forgotten in time.

use super::*;

fn key(key: &str, fingerprint: &str, id: &str) -> NewKey {
    NewKey {
        actor: "token:ci".to_owned(),
        route: "POST /runs".to_owned(),
        key: key.to_owned(),
        id: id.to_owned(),
        fingerprint: fingerprint.to_owned(),
        holder: "one".to_owned(),
        now: NOON,
        expired: NOON - 86_400_000_000,
    }
}

fn begun(id: &str, holder: &str, took_effect: bool) -> KeyState {
    KeyState::Begun { id: id.to_owned(), holder: holder.to_owned(), took_effect }
}

#[tokio::test]
async fn a_key_stands_for_one_request_and_its_answer() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert_eq!(store.reserve_key(key("k", "body", "first")).await.unwrap(), KeyState::New);
    assert_eq!(store.reserve_key(key("k", "body", "second")).await.unwrap(), begun("first", "one", false));
    assert_eq!(store.reserve_key(key("k", "other body", "third")).await.unwrap(), KeyState::Taken);
    let elsewhere = NewKey { actor: "token:other".to_owned(), ..key("k", "other body", "fourth") };
    assert_eq!(store.reserve_key(elsewhere).await.unwrap(), KeyState::New);

    let answer = KeptAnswer { status: 202, headers: "{}".to_owned(), body: Some(b"{\"run\": 1}".to_vec()) };
    store.keep_answer("first", answer.clone()).await.unwrap();
    store.keep_answer("first", KeptAnswer { status: 500, ..answer.clone() }).await.unwrap();
    store.release_key("first").await.unwrap();
    assert_eq!(store.reserve_key(key("k", "body", "fifth")).await.unwrap(), KeyState::Answered(answer));
}

#[tokio::test]
async fn what_a_request_changed_is_known_with_the_change() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.reserve_key(key("k", "body", "id")).await.unwrap();
    wasmlops_store::idempotency::under_key("id".to_owned(), async {
        let wrong = NewRun { experiment: "none".to_owned(), ..new_run("a") };
        store.create_run(wrong).await.unwrap_err();
    })
    .await;
    assert_eq!(store.reserve_key(key("k", "body", "x")).await.unwrap(), begun("id", "one", false));

    wasmlops_store::idempotency::under_key("id".to_owned(), store.create_run(new_run("b"))).await.unwrap();
    store.create_run(new_run("c")).await.unwrap();
    drop(store);
    let store = open(dir.path()).await;
    assert_eq!(store.reserve_key(key("k", "body", "x")).await.unwrap(), begun("id", "one", true));
    // What took effect is not forgotten, or it would happen again.
    store.release_key("id").await.unwrap();
    assert!(!store.take_over_key("id", "nobody", "two").await.unwrap());
    assert!(store.take_over_key("id", "one", "two").await.unwrap());
    assert_eq!(store.reserve_key(key("k", "body", "x")).await.unwrap(), begun("id", "two", true));
}

#[tokio::test]
async fn keys_expire_and_failures_free_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.reserve_key(key("old", "body", "old")).await.unwrap();
    store.reserve_key(key("failed", "body", "failed")).await.unwrap();
    store.release_key("failed").await.unwrap();
    assert_eq!(store.reserve_key(key("failed", "other", "again")).await.unwrap(), KeyState::New);
    let day_after = NewKey { now: NOON + 86_400_000_001, expired: NOON + 1, ..key("old", "other", "new") };
    assert_eq!(store.reserve_key(day_after).await.unwrap(), KeyState::New);
}
