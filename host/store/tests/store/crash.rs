//! kill -9 at any moment: what was acknowledged is there once, and nothing is there by half.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

const HOME: &str = "WASMLOPS_STORE_CRASH_HOME";
const ROUND: &str = "WASMLOPS_STORE_CRASH_ROUND";
const ROUNDS: u64 = 30;

/// Not a test by itself: what the other one kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(home), Ok(round)) = (std::env::var(HOME), std::env::var(ROUND)) else { return };
    let store = open(Path::new(&home)).await;
    let writers: Vec<_> =
        (0..3).map(|writer| tokio::spawn(write_until_killed(store.clone(), format!("run-{round}-{writer}")))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn write_until_killed(store: Store, run: String) {
    store.create_run(new_run(&run)).await.unwrap();
    acknowledge(&format!("run {run}"));
    for seq in 0.. {
        let content = content(&run, seq);
        let digest = store.blobs().put(content.clone()).await.unwrap();
        let key = format!("s{seq}");
        let change = RunChange {
            steps: vec![step(&key, StepStatus::Succeeded)],
            outputs: vec![output(&key, "table", &content)],
            lineage: vec![edge(&key, Direction::Made, "output:table", digest)],
            ..RunChange::default()
        };
        store.append_events(events(&run, seq, &["{}"], change)).await.unwrap();
        acknowledge(&format!("event {run} {seq}"));
        if seq % 16 == 15 {
            store.barrier().await.unwrap();
        }
    }
}

/// Some small, some large, all different.
fn content(run: &str, seq: i64) -> Vec<u8> {
    let size = if seq % 5 == 0 { 200_000 } else { 300 };
    format!("{run}/{seq}/").into_bytes().into_iter().cycle().take(size).collect()
}

fn acknowledge(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {what}").unwrap();
    out.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_there_by_half() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.extend(run_and_kill(dir.path(), round));
        check(dir.path(), &acknowledged).await;
    }
    let events = acknowledged.iter().filter(|line| line.starts_with("event")).count();
    println!("{ROUNDS} kills, {events} acknowledged events");
    assert!(events > 0, "the child never got to write");
}

/// Two processes write at once and die at once.
fn run_and_kill(home: &Path, round: u64) -> Vec<String> {
    let mut children = [start(home, 2 * round), start(home, 2 * round + 1)];
    let mut lines: Vec<_> =
        children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap()).lines()).collect();
    // Every other kill comes while the stores open, the others once they write; all at different moments.
    let mut said = Vec::new();
    if round % 2 == 1 {
        said.extend(lines.iter_mut().flat_map(|lines| lines.by_ref().take(8)));
    }
    std::thread::sleep(Duration::from_micros((round * 7919) % 60_000));
    for child in &mut children {
        child.kill().unwrap();
    }
    for child in &mut children {
        child.wait().unwrap();
    }
    said.extend(lines.into_iter().flatten());
    // The harness of the tests writes to the same pipe, without a line break at times.
    said.into_iter().filter_map(|line| Some(line.unwrap().split_once("ack ")?.1.to_owned())).collect()
}

fn start(home: &Path, round: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(HOME, home)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn check(dir: &Path, acknowledged: &[String]) {
    let store = open(dir).await;
    let report: String = store
        .with_tx::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                Ok(sqlx::query_scalar("PRAGMA integrity_check").fetch_one(tx.connection().await?).await?)
            })
        })
        .await
        .unwrap();
    assert_eq!(report, "ok");
    assert_intact(&store.audit_verify().await.unwrap());
    assert_eq!(std::fs::read_dir(dir.join("home/tmp")).unwrap().count(), 0, "a half-written blob was left");
    assert_eq!(std::fs::read_dir(dir.join("home/blobs/corrupt")).unwrap().count(), 0);
    let runs = store.list_runs(&RunFilter { limit: 1000, ..RunFilter::default() }).await.unwrap().runs;
    for line in acknowledged {
        let mut words = line.split(' ').skip(1);
        let run = runs.iter().find(|run| Some(run.id.as_str()) == words.clone().next());
        let run = run.unwrap_or_else(|| panic!("`{line}` is lost"));
        words.next();
        let seq = words.next().map_or(-1, |seq| seq.parse::<i64>().unwrap());
        assert!(run.next_seq > seq, "`{line}` is lost");
    }
    // Whatever is there, acknowledged or not, is there as a whole.
    for run in runs {
        let count = run.next_seq as usize;
        let events = store.events(&run.id).await.unwrap();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), Vec::from_iter(0..run.next_seq));
        assert_eq!(store.steps(&run.id).await.unwrap().len(), count);
        assert_eq!(store.edges_of_run(&run.id).await.unwrap().len(), count);
        let outputs = store.outputs(&run.id).await.unwrap();
        assert_eq!(outputs.len(), count);
        for output in outputs {
            let seq = output.step_key[1..].parse().unwrap();
            assert_eq!(store.blobs().get(&output.digest).await.unwrap(), content(&run.id, seq));
        }
    }
    store.close().await;
}
