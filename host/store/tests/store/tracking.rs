//! Experiments, params, metrics and tags as MLflow has them.

use super::*;

async fn with_run(dir: &Path) -> Store {
    let store = open(dir).await;
    store.create_run(new_run("run-1")).await.unwrap();
    store
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn experiments_are_found_or_created_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let default = store.ensure_experiment("Default", stamp()).await.unwrap();
    assert_eq!(default.id, "0");
    let (one, again) =
        tokio::join!(store.ensure_experiment("cancer", stamp()), store.ensure_experiment("cancer", stamp()));
    let one = one.unwrap();
    assert_eq!((one.id.as_str(), &one), ("1", &again.unwrap()));
    assert_eq!(store.ensure_experiment("iris", stamp()).await.unwrap().id, "2");
    assert_eq!(store.experiment_by_name("iris").await.unwrap().unwrap().id, "2");
    assert_eq!(store.experiments().await.unwrap().len(), 3);
    for name in ["", "  ", &"x".repeat(501)] {
        assert!(matches!(store.ensure_experiment(name, stamp()).await, Err(StoreError::Refused { .. })));
    }
    store.ensure_experiment(&"x".repeat(500), stamp()).await.unwrap();
}

#[tokio::test]
async fn params_never_change() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path()).await;
    store.set_params("run-1", pairs(&[("lr", "0.1"), ("depth", "")]), stamp()).await.unwrap();
    store.set_params("run-1", pairs(&[("lr", "0.1"), ("lr", "0.1")]), stamp()).await.unwrap();
    for changed in [&[("new", "1"), ("lr", "0.2")][..], &[("new", "1"), ("new", "2")]] {
        let end = store.set_params("run-1", pairs(changed), stamp()).await;
        assert!(matches!(end, Err(StoreError::ParamChanged { .. })), "{end:?}");
    }
    assert_eq!(Vec::from_iter(store.params("run-1").await.unwrap()), pairs(&[("depth", ""), ("lr", "0.1")]));
    let end = store.set_params("run-9", pairs(&[("lr", "1")]), stamp()).await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))), "{end:?}");
    for (key, value) in [("a//b", "1".to_owned()), ("long", "x".repeat(6001))] {
        let end = store.set_params("run-1", vec![(key.to_owned(), value)], stamp()).await;
        assert!(matches!(end, Err(StoreError::Refused { .. })), "{end:?}");
    }
}

#[tokio::test]
async fn tags_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path()).await;
    store.set_tags("run-1", pairs(&[("team", "a"), ("note", "x")]), stamp()).await.unwrap();
    store.set_tags("run-1", pairs(&[("team", "b"), ("team", "c")]), stamp()).await.unwrap();
    assert_eq!(Vec::from_iter(store.tags("run-1").await.unwrap()), pairs(&[("note", "x"), ("team", "c")]));
    let end = store.set_tags("run-9", pairs(&[("team", "a")]), stamp()).await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))), "{end:?}");
    let end = store.set_tags("run-1", vec![("team".to_owned(), "x".repeat(8001))], stamp()).await;
    assert!(matches!(end, Err(StoreError::Refused { .. })), "{end:?}");
}

#[tokio::test]
async fn the_latest_metric_is_by_step_then_time_then_value() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path()).await;
    let latest = async || store.metrics("run-1").await.unwrap().remove(0);
    for (added, expected) in [
        (point("loss", 5, 100, 0.5), point("loss", 5, 100, 0.5)),
        (point("loss", 4, 200, 0.4), point("loss", 5, 100, 0.5)),
        (point("loss", 5, 99, 0.9), point("loss", 5, 100, 0.5)),
        (point("loss", 5, 100, 0.6), point("loss", 5, 100, 0.6)),
        (point("loss", 5, 100, 0.1), point("loss", 5, 100, 0.6)),
        (point("loss", 6, 1, f64::NEG_INFINITY), point("loss", 6, 1, f64::NEG_INFINITY)),
    ] {
        store.append_metric_points("run-1", vec![added]).await.unwrap();
        assert_eq!(latest().await, expected);
    }
    // In one batch as one by one; and the same point again changes nothing.
    let batch = vec![point("loss", 8, 1, 0.2), point("loss", 8, 1, 0.3), point("loss", 7, 9, 0.9)];
    store.append_metric_points("run-1", batch.clone()).await.unwrap();
    store.append_metric_points("run-1", batch).await.unwrap();
    assert_eq!(latest().await, point("loss", 8, 1, 0.3));
    assert_eq!(store.metric_history("run-1", "train", "loss").await.unwrap().len(), 9);
}

#[tokio::test]
async fn nan_comes_back_as_nan() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path()).await;
    store.append_metric_points("run-1", vec![point("loss", 1, 1, f64::NAN), point("loss", 1, 1, 0.0)]).await.unwrap();
    store.append_metric_points("run-1", vec![point("loss", 2, 1, f64::NAN)]).await.unwrap();
    assert!(store.metrics("run-1").await.unwrap()[0].value.is_nan());
    let history = store.metric_history("run-1", "train", "loss").await.unwrap();
    assert_eq!(history.iter().map(|point| point.value.is_nan()).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test]
async fn many_points_at_once_and_none_of_a_bad_batch() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_run(dir.path()).await;
    let points: Vec<_> = (0..2500).map(|i| point("loss", i, NOON, 1.0 / (i + 1) as f64)).collect();
    store.append_metric_points("run-1", points.clone()).await.unwrap();
    assert_eq!(store.metric_history("run-1", "train", "loss").await.unwrap(), points);
    for bad in [point("a/../b", 0, 0, 0.0), point("ok", 0, -1, 0.0)] {
        let end = store.append_metric_points("run-1", vec![point("fine", 0, 0, 0.0), bad]).await;
        assert!(matches!(end, Err(StoreError::Refused { .. })), "{end:?}");
    }
    let end = store.append_metric_points("run-9", vec![point("fine", 0, 0, 0.0)]).await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))), "{end:?}");
    assert!(store.metric_history("run-1", "train", "fine").await.unwrap().is_empty());
}
