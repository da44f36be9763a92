//! Endpoints at work: a real engine, small guests, real tables.

mod bench;
mod guest;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use wasmlops_core::call::{EndpointPhase, ErrorCode, Finding, ReleaseMode, Rollout};
use wasmlops_package::Digest;
use wasmlops_store::WindowRow;

use super::{PredictError, control, view};
use bench::{Bench, NAME, PATIENCE, Site, events, numbers, predict, register_parts};
use guest::Behaviour;

/// Quick to judge, and patient with a busy machine.
const QUICK: &str = "    deadline: 4s\n    instances: 2\n    canary: { steps: [50], bake: 10m, requests: 5 }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_the_alias_moves_a_hundred_times() {
    let bench = Bench::new("    deadline: 30s\n    instances: 2\n    queue: 64\n");
    let site = Site::with_live(&bench).await;
    assert_eq!(site.register(Behaviour::Adds(2.0)).await, 2);

    let first = site.logs.head(NAME).unwrap();
    let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let client = |seed: u64| {
        let (serving, over, asked) = (site.serving.clone(), over.clone(), asked.clone());
        async move {
            let mut versions = [false; 2];
            while !over.load(Ordering::Acquire) {
                let x = (asked.fetch_add(1, Ordering::Relaxed) * 10 + seed) as f64;
                let prediction = predict(&serving, &[x, x + 0.5], None).await.unwrap();
                let number = prediction.version as f64;
                assert_eq!(numbers(&prediction), [x + number, x + 0.5 + number], "version {number}");
                versions[prediction.version as usize - 1] = true;
            }
            versions
        }
    };
    let clients: Vec<_> = (0..4).map(|seed| tokio::spawn(client(seed))).collect();
    for turn in 0..100 {
        let version = 2 - turn % 2;
        site.move_alias(version).await;
        site.until(|view| view.live == Some(version) && view.ready == Some(true)).await;
    }
    over.store(true, Ordering::Release);
    for client in clients {
        assert_eq!(client.await.unwrap(), [true, true]);
    }
    let asked = asked.load(Ordering::Relaxed);
    assert!(asked > 100);
    assert_eq!(site.logs.head(NAME).unwrap() - first, 2 * asked, "every row is recorded");
    let lives = events(&site.host).await.into_iter().filter(|(event, _)| event == "live").count();
    assert_eq!(lives, 101);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_candidate_is_taken_back_and_no_client_sees_it() {
    for (behaviour, class) in [
        (Behaviour::Traps, "trapped"),
        (Behaviour::WrongShape, "invalid-result"),
        (Behaviour::Slow, "slow"),
        (Behaviour::Refuses, "model"),
    ] {
        let bench = Bench::new(QUICK);
        let site = Site::with_live(&bench).await;
        let version = site.register(behaviour).await;
        let release = site.start(version, ReleaseMode::Canary, &[]).await;
        site.until(|view| view.release(&release).is_some_and(|release| release.phase == "canary")).await;

        // How many requests come in between is the machine's business; none of them may notice.
        let taken_back = async {
            for asked in 0.. {
                if site.serving.status(NAME).unwrap().release(&release).unwrap().phase != "canary" {
                    return;
                }
                let prediction = site.predict(f64::from(asked)).await.unwrap();
                assert_eq!((prediction.version, numbers(&prediction)), (1, vec![f64::from(asked) + 1.0]));
            }
        };
        assert!(tokio::time::timeout(PATIENCE, taken_back).await.is_ok(), "{class}: it was not taken back");
        let view = site.serving.status(NAME).unwrap();
        let reason = view.release(&release).unwrap().reason.clone().unwrap();
        assert!(reason.contains("failed at 2 of 2 requests"), "{class}: {reason}");
        assert_eq!((view.live, view.release(&release).unwrap().phase.as_str()), (Some(1), "rolled-back"));
        let history = view::history(&site.host, NAME, None, 10).await.unwrap();
        assert_eq!((history[0].event.as_str(), &history[0].details["code"]), ("rolled-back", &"error-rate".into()));
        let audit = site.host.store.audit_records(0, 1000).await.unwrap();
        assert!(audit.iter().any(|row| row.entry.action == "release.rolled-back"
            && row.entry.details.contains("error-rate")
            && row.entry.subject == format!("release:{release}")));
        let champion = crate::models::alias_target(&site.host, NAME, "champion").await.unwrap();
        assert_eq!(champion, Some(1));
        // The instances that died are of no more use to anyone.
        assert_eq!(site.predict(1.0).await.unwrap().version, 1);
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_candidate_climbs_and_takes_the_alias_along() {
    let bench = Bench::new(QUICK);
    let site = Site::with_live(&bench).await;
    let version = site.register(Behaviour::Adds(2.0)).await;
    let release = site.start(version, ReleaseMode::Canary, &[50, 90]).await;
    assert_eq!(site.start(version, ReleaseMode::Canary, &[50, 90]).await, release, "the same key is the same release");
    site.until(|view| view.release(&release).is_some_and(|release| release.share == 50)).await;

    for share in [90, 100] {
        let answered = |site: &Site| {
            let view = site.serving.status(NAME).unwrap();
            view.release(&release).unwrap().statistics.as_ref().map_or(0, |statistics| statistics.requests)
        };
        let before = answered(&site);
        while answered(&site) < before + 5 {
            let prediction = site.predict(1.0).await.unwrap();
            assert_eq!(numbers(&prediction), [1.0 + prediction.version as f64]);
        }
        site.advance(Duration::from_secs(601));
        site.until(|view| view.release(&release).is_some_and(|release| release.share == share)).await;
    }
    assert_eq!(site.predict(1.0).await.unwrap().version, 2);
    let champion = crate::models::alias_target(&site.host, NAME, "champion").await.unwrap();
    assert_eq!(champion, Some(2));

    // And back: the alias first, then the traffic, and no request in between goes unanswered.
    let done = control::rollback(&site.host, NAME, "ann", "numbers look odd").await.unwrap();
    assert_eq!((done.version, done.to), (2, Some(1)));
    let champion = crate::models::alias_target(&site.host, NAME, "champion").await.unwrap();
    assert_eq!(champion, Some(1));
    site.until(|view| view.live == Some(1)).await;
    assert_eq!(site.predict(1.0).await.unwrap().version, 1);
    let view = site.serving.status(NAME).unwrap();
    assert!(view.release(&release).unwrap().reason.as_ref().unwrap().contains("numbers look odd"));
    let again = control::rollback(&site.host, NAME, "ann", "").await.unwrap_err();
    assert!(again.to_string().contains("no other version"), "{again}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_brings_back_what_was_there() {
    let bench = Bench::new(QUICK);
    let site = Site::with_live(&bench).await;
    let version = site.register(Behaviour::Adds(2.0)).await;
    let release = site.start(version, ReleaseMode::Canary, &[]).await;
    site.until(|view| view.release(&release).is_some_and(|release| release.share == 50)).await;
    assert!(control::hold_canary(&site.host, NAME, "ann", control::Hold::Pause { reason: "wait" }).await.unwrap());
    site.stop().await;

    let site = bench.serve().await;
    site.until(|view| view.ready == Some(true) && view.release(&release).is_some_and(|it| it.share == 50)).await;
    let view = site.serving.status(NAME).unwrap();
    assert!(view.release(&release).unwrap().paused);
    assert_eq!(view.live, Some(1));
    let mut versions = [0; 2];
    for _ in 0..100 {
        versions[site.predict(1.0).await.unwrap().version as usize - 1] += 1;
    }
    assert!(versions.iter().all(|count| *count > 20), "{versions:?}");
    site.stop().await;

    // Nobody serves: a rollback is a matter of tables.
    let host = bench.host().await;
    control::rollback(&host, NAME, "ann", "").await.unwrap();
    host.store.close().await;
    let site = bench.serve().await;
    site.until(|view| view.ready == Some(true)).await;
    let view = site.serving.status(NAME).unwrap();
    assert_eq!((view.live, view.release(&release).unwrap().phase.as_str()), (Some(1), "rolled-back"));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_cannot_be_loaded_changes_nothing_but_the_message() {
    let bench = Bench::new(QUICK);
    let site = Site::with_live(&bench).await;
    let version = register_parts(&site.host, Digest::sha256(b"nowhere"), Digest::blake3(b"model")).await;
    site.move_alias(version).await;
    site.until(|view| view.message.is_some()).await;
    let view = site.serving.status(NAME).unwrap();
    assert_eq!((view.live, view.version(2).unwrap().phase.as_str()), (Some(1), "rolled-back"));
    assert_eq!(site.predict(1.0).await.unwrap().version, 1);
    // A version that can be loaded makes it good.
    let version = site.register(Behaviour::Adds(3.0)).await;
    site.move_alias(version).await;
    site.until(|view| view.live == Some(3) && view.message.is_none()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_is_compared_and_never_answers() {
    let bench = Bench::new(QUICK);
    let site = Site::with_live(&bench).await;
    let version = site.register(Behaviour::Adds(1.25)).await;
    let release = site.start(version, ReleaseMode::Shadow, &[]).await;
    site.until(|view| view.release(&release).is_some_and(|release| release.phase == "shadow")).await;
    for x in 0..20 {
        let prediction = site.predict(f64::from(x)).await.unwrap();
        assert_eq!((prediction.version, numbers(&prediction)), (1, vec![f64::from(x) + 1.0]));
    }
    let compared = async {
        loop {
            let view = site.serving.status(NAME).unwrap();
            let compared = view.release(&release).unwrap().compared.clone().unwrap();
            if compared.rows + compared.dropped == 20 {
                return compared;
            }
            tokio::task::yield_now().await;
        }
    };
    let compared = tokio::time::timeout(Duration::from_secs(60), compared).await.unwrap();
    assert_eq!((compared.equal, compared.largest_difference), (Some(0.0), 0.25));
    // It can be asked for by its number.
    let pinned = predict(&site.serving, &[1.0], Some(2)).await.unwrap();
    assert_eq!((pinned.version, numbers(&pinned)), (2, vec![2.25]));
    assert_eq!(predict(&site.serving, &[1.0], Some(7)).await.unwrap_err(), PredictError::UnknownVersion);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_row_in_a_batch_spoils_no_neighbour() {
    let bench = Bench::new(
        "    deadline: 30s\n    instances: 2\n    batch: { rows: 8, wait: 20ms }\n    rollback: { requests: 1000 }\n",
    );
    let site = bench.serve().await;
    site.register(Behaviour::TrapsBelowZero(1.0)).await;
    site.move_alias(1).await;
    site.until(|view| view.ready == Some(true)).await;
    for _ in 0..5 {
        let ask = |x: f64| {
            let serving = site.serving.clone();
            tokio::spawn(async move { predict(&serving, &[x], None).await })
        };
        let good: Vec<_> = (0..12).map(|x| ask(f64::from(x))).collect();
        let bad = ask(-1.0);
        for (x, answer) in good.into_iter().enumerate() {
            assert_eq!(numbers(&answer.await.unwrap().unwrap()), [x as f64 + 1.0]);
        }
        assert!(matches!(bad.await.unwrap(), Err(PredictError::Model { .. })));
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_answered_says_why() {
    let bench = Bench::new("    deadline: 200ms\n    instances: 1\n    queue: 1\n");
    let site = bench.serve().await;
    assert_eq!(site.predict(1.0).await.unwrap_err(), PredictError::NotReady);
    assert!(!site.serving.endpoint(NAME).unwrap().ready);
    site.register(Behaviour::Slow).await;
    site.move_alias(1).await;
    site.until(|view| view.ready == Some(true)).await;
    let info = site.serving.endpoint(NAME).unwrap();
    assert_eq!((info.live, info.versions, &*info.input), (Some(1), vec![1], &bench::input()));

    let ask = || {
        let serving = site.serving.clone();
        tokio::spawn(async move { predict(&serving, &[1.0], None).await.unwrap_err() })
    };
    // One is at work, one waits, and there is no place for the third.
    let asked: Vec<_> = (0..3).map(|_| ask()).collect();
    let mut errors = Vec::new();
    for asked in asked {
        errors.push(asked.await.unwrap());
    }
    assert_eq!(errors.iter().filter(|error| matches!(error, PredictError::Overloaded { .. })).count(), 1, "{errors:?}");
    assert_eq!(errors.iter().filter(|error| **error == PredictError::DeadlineExceeded).count(), 2, "{errors:?}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn monitors_take_a_release_back_by_its_score() {
    let more = format!("{QUICK}    rollback: {{ score: {{ metric: accuracy, min: 0.9, labels: 30 }} }}\n");
    let bench = Bench::new(&more);
    let site = Site::with_live(&bench).await;
    let version = site.register(Behaviour::Adds(2.0)).await;
    site.move_alias(version).await;
    site.until(|view| view.live == Some(2)).await;
    for (labels, accuracy, leaves) in [(29, 0.5, false), (30, 0.95, false), (30, 0.5, true)] {
        control::note_findings(&site.host, NAME, "score", &window_of(2), &[accuracy_of(labels, accuracy)])
            .await
            .unwrap();
        let view = view::show(&site.host, NAME).await.unwrap();
        assert_eq!(view.version(2).unwrap().reason.is_some(), leaves, "{accuracy} from {labels} labels");
    }
    site.until(|view| view.live == Some(1)).await;
    assert!(site.serving.status(NAME).unwrap().version(2).unwrap().reason.as_ref().unwrap().contains("accuracy"));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deployers_reach_what_they_were_granted() {
    let bench = Bench::new(QUICK);
    let site = Site::with_live(&bench).await;
    let rollout = || Rollout { mode: ReleaseMode::Live, steps: Vec::new(), bake: None, requests: None };
    let denied = control::endpoints(&site.host, Vec::new(), "run:test");
    let error = denied.start(NAME, "k", 1, rollout()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Denied);

    let door = control::endpoints(&site.host, vec![NAME.into()], "run:test");
    assert_eq!(door.start(NAME, "k", 9, rollout()).await.unwrap_err().code, ErrorCode::InvalidInput);
    assert_eq!(door.state(NAME, "nothing").await.unwrap_err().code, ErrorCode::InvalidInput);
    let live = site.serving.status(NAME).unwrap().releases[0].release.clone();
    assert_eq!(door.withdraw(NAME, &live).await.unwrap_err().code, ErrorCode::InvalidInput);

    site.register(Behaviour::Adds(2.0)).await;
    let release = door.start(NAME, "k", 2, rollout()).await.unwrap();
    site.until(|view| view.live == Some(2)).await;
    assert_eq!(door.state(NAME, &release).await.unwrap().phase, EndpointPhase::Live);
    door.withdraw(NAME, &release).await.unwrap();
    site.until(|view| view.live == Some(1)).await;
    assert_eq!(door.state(NAME, &release).await.unwrap().phase, EndpointPhase::RolledBack);
    door.withdraw(NAME, &release).await.unwrap();
    site.stop().await;
}

/// A window that this version answered.
fn window_of(version: i64) -> WindowRow {
    WindowRow {
        monitor: "score".into(),
        seq: 1,
        endpoint: NAME.into(),
        from_row: 0,
        to_row: 30,
        starts: 0,
        ends: 1,
        rows: 30,
        version,
        digest: Digest::blake3(b"rows"),
        run: String::new(),
        findings: "[]".into(),
        found: 0,
        error: None,
        time: 1,
    }
}

fn accuracy_of(labels: u64, value: f64) -> Finding {
    Finding {
        signal: "performance".into(),
        column: None,
        statistic: "accuracy".into(),
        value,
        threshold: None,
        found: false,
        window_rows: labels,
        reference_rows: 0,
        message: String::new(),
    }
}
