//! Log lines in order and by page.

use super::*;

fn line(step: &str, seq: i64, time: i64) -> LogRow {
    LogRow {
        step_key: step.to_owned(),
        attempt: 1,
        seq,
        time,
        level: "info".to_owned(),
        message: format!("{step} {seq}"),
        fields: "{}".to_owned(),
    }
}

#[tokio::test]
async fn lines_come_in_the_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.create_run(new_run("run-1")).await.unwrap();
    store.append_logs("run-1", vec![line("b", 0, 3), line("b", 1, 3)]).await.unwrap();
    store.append_logs("run-1", vec![line("a", 0, 1), line("a", 1, 5)]).await.unwrap();
    // Sent again after an answer that was lost.
    store.append_logs("run-1", vec![line("a", 0, 1)]).await.unwrap();
    let of_run = LogQuery { run: "run-1".to_owned(), ..LogQuery::default() };
    let all = store.logs(&of_run).await.unwrap();
    assert_eq!(all, [line("a", 0, 1), line("b", 0, 3), line("b", 1, 3), line("a", 1, 5)]);
    let of_step = LogQuery { step_key: Some("a".to_owned()), ..of_run.clone() };
    assert_eq!(store.logs(&of_step).await.unwrap(), [line("a", 0, 1), line("a", 1, 5)]);
    let mut paged = LogQuery { limit: 1, ..of_run };
    let mut seen = Vec::new();
    while let Some(row) = store.logs(&paged).await.unwrap().pop() {
        paged.after = Some(row.cursor());
        seen.push(row);
    }
    assert_eq!(seen, all);
    let end = store.append_logs("run-9", vec![line("a", 0, 1)]).await;
    assert!(matches!(end, Err(StoreError::RunNotFound(_))), "{end:?}");
}
