//! That an index serves every list of runs: asked of SQLite's planner, which decides without statistics, so that some
//! thousand rows say as much as a million.

use sqlx::Row;

use super::*;
use crate::{RunStatus, StoreOptions};

const RUNS: i64 = 5_000;

/// Runs of ten pipelines and four origins; one in a thousand failed, the others succeeded.
const FILL: &str = "
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $1)
    INSERT INTO runs (id, experiment, pipeline, name, status, nominal_time, seed, parent, origin, created)
    SELECT printf('%032x', n), '0', 'p' || (n % 10), 'run', IIF(n % 1000 = 0, 'failed', 'succeeded'), n, 0,
           IIF(n % 100 = 99, printf('%032x', 0), NULL), 'schedule:s' || (n % 4), n
    FROM numbers";

async fn filled(home: &std::path::Path) -> Store {
    let store = Store::open(StoreOptions { home: home.join("home"), ..Default::default() }).await.unwrap();
    let fill = store.with_tx(|tx| {
        Box::pin(async move {
            sqlx::query(FILL).bind(RUNS).execute(tx.connection().await?).await?;
            let documents = "INSERT INTO run_documents (run, params, graph) SELECT id, '{}', '{}' FROM runs";
            sqlx::query(documents).execute(tx.connection().await?).await?;
            Ok::<_, StoreError>(())
        })
    });
    fill.await.unwrap();
    store
}

/// What the planner says, in lines.
async fn plan(store: &Store, filter: &RunFilter) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {}", list_sql(filter));
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *store.reader().await.unwrap()).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
}

fn filters() -> Vec<(&'static str, RunFilter)> {
    let all = RunFilter::default();
    let pipeline = || Some("p3".to_owned());
    let origin = || Some("schedule:s1".to_owned());
    vec![
        ("runs_by_created", all.clone()),
        ("runs_by_created", RunFilter { from: Some(10), to: Some(4_000), ..all.clone() }),
        ("runs_by_pipeline", RunFilter { pipeline: pipeline(), ..all.clone() }),
        ("runs_by_status", RunFilter { status: Some(RunStatus::Failed), ..all.clone() }),
        ("runs_by_pipeline_status", RunFilter { pipeline: pipeline(), status: Some(RunStatus::Failed), ..all.clone() }),
        ("runs_by_origin", RunFilter { origin: origin(), ..all.clone() }),
        ("runs_by_origin", RunFilter { origin: origin(), from: Some(10), ..all.clone() }),
        ("runs_by_parent", RunFilter { parent: Some(format!("{:032x}", 0)), ..all }),
    ]
}

#[tokio::test]
async fn an_index_serves_every_list() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    for (index, filter) in filters() {
        for cursor in [None, Some(format!("{}.{:032x}", 2_500, 2_500))] {
            let filter = RunFilter { cursor, ..filter.clone() };
            let plan = plan(&store, &filter).await;
            assert!(plan.split_whitespace().any(|word| word == index), "{filter:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{filter:?} sorts: {plan}");
        }
    }
}

#[tokio::test]
async fn pages_hold_every_run_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    for (_, filter) in filters() {
        let expected = (0..RUNS).filter(|n| matches(*n, &filter)).count();
        let mut seen = Vec::new();
        let mut filter = RunFilter { limit: 1000, ..filter };
        loop {
            let page = store.list_runs(&filter).await.unwrap();
            seen.extend(page.runs.into_iter().map(|run| run.created));
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), expected, "{filter:?}");
        assert!(seen.is_sorted_by(|a, b| a > b), "{filter:?}");
    }
}

fn matches(n: i64, filter: &RunFilter) -> bool {
    filter.pipeline.as_ref().is_none_or(|pipeline| *pipeline == format!("p{}", n % 10))
        && filter.status.is_none_or(|status| (status == RunStatus::Failed) == (n % 1000 == 0))
        && filter.origin.as_ref().is_none_or(|origin| *origin == format!("schedule:s{}", n % 4))
        && filter.parent.as_ref().is_none_or(|_| n % 100 == 99)
        && filter.from.is_none_or(|from| n >= from)
        && filter.to.is_none_or(|to| n < to)
}
