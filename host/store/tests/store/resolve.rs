//! Short ids and digests.

use super::*;

#[tokio::test]
async fn short_ids_and_digests_stand_for_one_thing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for id in ["abcdef01", "abcdef02", "abcdef0211", "0123456789"] {
        store.create_run(new_run(id)).await.unwrap();
    }
    let digest = Digest::blake3(b"model");
    store.record_artifact(digest, "text/plain", 5, stamp()).await.unwrap();
    store.record_artifact(digest, "application/json", 5, stamp()).await.unwrap();

    assert_eq!(store.resolve_run("abcdef01").await.unwrap(), "abcdef01");
    assert_eq!(store.resolve_run("012345").await.unwrap(), "0123456789");
    // A whole id names its run, even where a longer one begins with it.
    assert_eq!(store.resolve_run("abcdef02").await.unwrap(), "abcdef02");
    let error = store.resolve_run("abcdef").await.unwrap_err();
    assert_eq!(error.to_string(), "`abcdef` is short for several: abcdef01, abcdef02, abcdef0211");
    assert!(matches!(store.resolve_run("ffffff").await, Err(StoreError::NothingResolved(_))));
    assert!(matches!(store.resolve_run("abcde").await, Err(StoreError::BadPrefix(_))));

    let (whole, hex) = (digest.to_string(), digest.hex());
    for text in [&whole[..], &whole[..13], &hex[..], &hex[..6]] {
        assert_eq!(store.resolve_artifact(text).await.unwrap(), digest, "{text}");
        assert_eq!(store.resolve(text).await.unwrap(), Resolved::Artifact(digest), "{text}");
    }
    assert_eq!(store.resolve("0123456").await.unwrap(), Resolved::Run("0123456789".to_owned()));
    assert!(matches!(store.resolve("zzzzzz").await, Err(StoreError::NothingResolved(_))));
    assert!(matches!(store.resolve("blake3:abc").await, Err(StoreError::BadPrefix(_))));

    store.create_run(new_run(&hex[..10])).await.unwrap();
    assert!(matches!(store.resolve(&hex[..6]).await, Err(StoreError::Ambiguous { .. })));
}
