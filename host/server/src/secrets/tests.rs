//! Secrets at the door.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::clock::SystemClock;
use crate::host::HostOptions;

async fn host(folder: &Path) -> Host {
    Host::open(HostOptions::for_tests(folder, Arc::new(SystemClock))).await.unwrap()
}

fn value(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

#[tokio::test]
async fn set_listed_revealed_removed() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path()).await;
    assert!(set(&host, "DB_PASSWORD", value("canary-5be1f0"), "cli:ann").await.unwrap());
    assert!(!set(&host, "DB_PASSWORD", value("canary-77aa21"), "cli:bob").await.unwrap());
    let listed = list(&host).await.unwrap();
    assert_eq!((listed.len(), listed[0].name.as_str(), listed[0].by.as_str()), (1, "DB_PASSWORD", "cli:bob"));
    assert_eq!(reveal(&host, "DB_PASSWORD").await.unwrap().unwrap().as_slice(), b"canary-77aa21");
    assert!(reveal(&host, "OTHER").await.unwrap().is_none());
    remove(&host, "DB_PASSWORD", "cli:ann").await.unwrap();
    assert!(remove(&host, "DB_PASSWORD", "cli:ann").await.is_err());
    let records = host.store.audit_records(0, 100).await.unwrap();
    let actions: Vec<_> = records.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!(actions, ["secret.set", "secret.set", "secret.removed"]);
    assert!(!format!("{records:?}").contains("canary"));
    for (name, bytes) in [("no name", "x"), ("A", ""), ("", "x")] {
        assert!(set(&host, name, value(bytes), "cli").await.is_err(), "{name}");
    }
}
