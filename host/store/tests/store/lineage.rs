//! Edges and artifacts.

use super::*;

#[tokio::test]
async fn edges_lead_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let (table, model) = (Digest::blake3(b"table"), Digest::blake3(b"model"));
    for (run, time) in [("run-b", NOON), ("run-a", NOON + 1)] {
        store.create_run(NewRun { stamp: Stamp { time, ..stamp() }, ..new_run(run) }).await.unwrap();
        let lineage = vec![
            edge("read", Direction::Made, "output:table", table),
            edge("train", Direction::Used, "input:train", table),
            edge("train", Direction::Made, "output:model", model),
        ];
        // The facts of an attempt may be written again.
        for seq in 0..2 {
            let change = RunChange { lineage: lineage.clone(), ..RunChange::default() };
            store.append_events(events(run, seq, &["{}"], change)).await.unwrap();
        }
    }
    let runs = |edges: Vec<EdgeRow>| Vec::from_iter(edges.into_iter().map(|row| (row.run, row.edge.step_key)));
    let both = |step: &str| [("run-b".to_owned(), step.to_owned()), ("run-a".to_owned(), step.to_owned())];
    assert_eq!(runs(store.producers_of(&table).await.unwrap()), both("read"));
    assert_eq!(runs(store.consumers_of(&table).await.unwrap()), both("train"));
    assert_eq!(runs(store.producers_of(&model).await.unwrap()), both("train"));
    assert!(store.consumers_of(&model).await.unwrap().is_empty());
    assert_eq!(store.edges_of_run("run-a").await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_artifact_is_recorded_once_per_media_type() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let digest = Digest::blake3(b"{}");
    assert_eq!(store.artifact(&digest).await.unwrap(), None);
    for (media_type, time) in [("text/plain", 2), ("application/json", 3), ("text/plain", 4)] {
        store.record_artifact(digest, media_type, 2, Stamp { time, ..stamp() }).await.unwrap();
    }
    let artifact = store.artifact(&digest).await.unwrap().unwrap();
    assert_eq!((artifact.media_type.as_str(), artifact.size, artifact.created), ("text/plain", 2, 2));
    assert_eq!(assert_intact(&store.audit_verify().await.unwrap()), 2);
}
