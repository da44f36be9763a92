//! Events in, actions out, on small graphs.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::graph::StepKey;

/// A graph of steps `s0 … sn`, each with the steps under `needs` that `edges` names.
fn graph(edges: &[&[usize]], attempts: u32) -> Arc<Graph> {
    let digest = wasmlops_package::Digest::sha256(b"");
    let span = json!({ "line": 1, "column": 1 });
    let step = |(position, needs): (usize, &&[usize])| {
        json!({
            "key": format!("s{position}"), "name": format!("s{position}"), "uses": "noop",
            "plugin": { "name": "noop", "version": "0.1.0", "digest": digest },
            "kind": "processor", "mode": "main", "config": {}, "inputs": [],
            "needs": needs.iter().map(|need| format!("s{need}")).collect::<Vec<_>>(),
            "when": null, "when_steps": {}, "matrix": {},
            "retry": { "attempts": attempts, "backoff": { "secs": 1, "nanos": 0 }, "factor": 2.0,
                       "max": { "secs": 60, "nanos": 0 } },
            "limits": crate::limits::Limits::default(), "read": [], "strict": false, "cache": true, "outputs": [],
            "spans": { "step": span, "uses": span, "with": {}, "inputs": {} },
        })
    };
    let steps: Vec<_> = edges.iter().enumerate().map(step).collect();
    let graph = json!({ "pipeline": "test", "file": "test.yaml", "params": {}, "steps": steps });
    Arc::new(serde_json::from_value(graph).unwrap())
}

/// The same graph, with steps that ask a person.
fn asking(graph: &Graph, positions: &[usize]) -> Arc<Graph> {
    let mut graph = graph.clone();
    for position in positions {
        graph.steps[*position].kind = crate::graph::StepKind::Approval;
    }
    Arc::new(graph)
}

fn key(position: usize) -> StepKey {
    StepKey::new(format!("s{position}"))
}

fn start(position: usize) -> Action {
    Action::Start { step: key(position) }
}

fn started(position: usize) -> Event {
    Event::AttemptStarted { step: key(position) }
}

fn succeeded(position: usize) -> Event {
    Event::AttemptSucceeded { step: key(position), outputs: BTreeMap::new(), metrics: Metrics::default() }
}

fn failed(position: usize, retryable: bool) -> Event {
    let failure = Failure { code: "internal".into(), message: "no".into(), hint: None, field: None, retryable };
    Event::AttemptFailed { step: key(position), failure, outputs: BTreeMap::new(), metrics: Metrics::default() }
}

fn asked(position: usize) -> Event {
    Event::ApprovalRequested { step: key(position), expires: 9 }
}

fn approved(position: usize) -> Event {
    Event::Approved { step: key(position), outputs: BTreeMap::new() }
}

fn refusal(code: &str) -> Failure {
    Failure { code: code.into(), message: "no".into(), hint: None, field: None, retryable: false }
}

fn rejected(position: usize) -> Event {
    Event::Rejected { step: key(position), failure: refusal("rejected"), outputs: BTreeMap::new() }
}

fn expired(position: usize) -> Event {
    Event::Expired { step: key(position), failure: refusal("expired"), outputs: BTreeMap::new() }
}

/// Applies events and gives the actions of the last.
fn last(run: &mut Run, events: &[Event]) -> Vec<Action> {
    let mut actions = Vec::new();
    for event in events {
        actions = run.apply(event, 0).unwrap();
    }
    actions
}

#[test]
fn steps_start_when_all_they_need_has_succeeded() {
    let mut run = Run::new(graph(&[&[], &[], &[0, 1]], 1));
    assert_eq!(last(&mut run, &[Event::Started]), [start(0), start(1)]);
    assert_eq!(last(&mut run, &[started(0), started(1), succeeded(1)]), []);
    assert_eq!(last(&mut run, &[succeeded(0)]), [start(2)]);
    let finished = last(&mut run, &[started(2), succeeded(2)]);
    assert_eq!(finished, [Action::Finish { status: RunStatus::Succeeded }]);
}

#[test]
fn a_failure_skips_what_depends_on_it_and_nothing_else() {
    let mut run = Run::new(graph(&[&[], &[0], &[1], &[]], 1));
    let actions = last(&mut run, &[Event::Started, started(0), started(3), failed(0, true)]);
    assert_eq!(actions, [Action::Ended { step: key(1) }, Action::Ended { step: key(2) }]);
    assert_eq!(run.state(&key(2)).phase, Phase::Skipped { reason: "`s1` was skipped".into() });
    let finished = last(&mut run, &[succeeded(3)]);
    assert_eq!(finished, [Action::Finish { status: RunStatus::Failed }]);
}

#[test]
fn only_what_may_go_better_is_retried_with_longer_waits() {
    let mut run = Run::new(graph(&[&[]], 3));
    let first = last(&mut run, &[Event::Started, started(0), failed(0, true)]);
    assert_eq!(first, [Action::Wait { step: key(0), until: 1_000_000 }]);
    let again = last(&mut run, &[Event::BackoffEnded { step: key(0) }]);
    assert_eq!(again, [start(0)]);
    let second = last(&mut run, &[started(0), failed(0, true)]);
    assert_eq!(second, [Action::Wait { step: key(0), until: 2_000_000 }]);
    let third = last(&mut run, &[Event::BackoffEnded { step: key(0) }, started(0), failed(0, false)]);
    assert_eq!(third, [Action::Finish { status: RunStatus::Failed }]);
}

#[test]
fn cancel_aborts_what_runs_and_ends_the_rest() {
    let mut run = Run::new(graph(&[&[], &[0]], 1));
    let actions = last(&mut run, &[Event::Started, started(0), Event::CancelRequested]);
    assert_eq!(actions, [Action::Abort { step: key(0) }, Action::Ended { step: key(1) }]);
    let finished = last(&mut run, &[Event::AttemptCancelled { step: key(0) }]);
    assert_eq!(finished, [Action::Finish { status: RunStatus::Cancelled }]);
}

#[test]
fn resume_keeps_what_succeeded() {
    let mut run = Run::new(graph(&[&[], &[0], &[1]], 1));
    last(&mut run, &[Event::Started, started(0), succeeded(0), started(1), failed(1, false)]);
    assert_eq!(run.status(), RunStatus::Failed);
    assert_eq!(last(&mut run, &[Event::Resumed]), [start(1)]);
    assert_eq!(run.state(&key(1)).attempts, 1);
    let finished = last(&mut run, &[started(1), succeeded(1), started(2), succeeded(2)]);
    assert_eq!(finished, [Action::Finish { status: RunStatus::Succeeded }]);
}

#[test]
fn a_lost_attempt_starts_again() {
    let mut run = Run::new(graph(&[&[]], 1));
    last(&mut run, &[Event::Started, started(0)]);
    assert_eq!(last(&mut run, &[Event::AttemptLost { step: key(0) }]), [start(0)]);
    last(&mut run, &[started(0), succeeded(0)]);
    assert_eq!(run.state(&key(0)).attempts, 2);
}

#[test]
fn a_run_waits_when_nothing_else_can_go_on() {
    let mut run = Run::new(asking(&graph(&[&[], &[], &[0]], 1), &[0]));
    last(&mut run, &[Event::Started, asked(0), started(1)]);
    assert_eq!(run.status(), RunStatus::Running, "the other step runs");
    assert_eq!(run.awaiting().collect::<Vec<_>>(), [(&key(0), 9)]);
    last(&mut run, &[succeeded(1)]);
    assert_eq!((run.status(), run.state(&key(0)).phase.name()), (RunStatus::Waiting, "waiting"));
    assert_eq!(last(&mut run, &[approved(0)]), [start(2)]);
    assert_eq!(run.status(), RunStatus::Running);
    let finished = last(&mut run, &[started(2), succeeded(2)]);
    assert_eq!(finished, [Action::Finish { status: RunStatus::Succeeded }]);
}

#[test]
fn two_approvals_are_waited_for_one_by_one() {
    let mut run = Run::new(asking(&graph(&[&[], &[], &[0, 1]], 1), &[0, 1]));
    last(&mut run, &[Event::Started, asked(0), asked(1), approved(1)]);
    assert_eq!(run.status(), RunStatus::Waiting);
    assert_eq!(last(&mut run, &[approved(0)]), [start(2)]);
}

#[test]
fn a_rejection_and_an_expiry_fail_the_run_and_a_resume_asks_again() {
    for refused in [rejected(0), expired(0)] {
        let mut run = Run::new(asking(&graph(&[&[], &[0]], 3), &[0]));
        let finished = last(&mut run, &[Event::Started, asked(0), refused]);
        assert_eq!(finished, [Action::Ended { step: key(1) }, Action::Finish { status: RunStatus::Failed }]);
        assert_eq!(last(&mut run, &[Event::Resumed]), [start(0)]);
        last(&mut run, &[asked(0)]);
        assert_eq!((run.status(), run.state(&key(0)).attempts), (RunStatus::Waiting, 2));
        assert!(run.state(&key(0)).failure.is_none());
    }
}

#[test]
fn a_waiting_run_can_be_cancelled() {
    let mut run = Run::new(asking(&graph(&[&[], &[0]], 1), &[0]));
    let finished = last(&mut run, &[Event::Started, asked(0), Event::CancelRequested]);
    assert_eq!(finished.last(), Some(&Action::Finish { status: RunStatus::Cancelled }));
    assert!(run.apply(&approved(0), 0).is_err());
}

#[test]
fn a_decision_needs_a_question() {
    let mut run = Run::new(asking(&graph(&[&[], &[]], 1), &[0]));
    run.apply(&Event::Started, 0).unwrap();
    assert!(run.apply(&approved(0), 0).is_err());
    assert!(run.apply(&asked(1), 0).is_err(), "only an approval asks");
    assert!(run.apply(&started(0), 0).is_err(), "an approval is not run");
    run.apply(&asked(0), 0).unwrap();
    assert!(run.apply(&asked(0), 0).is_err());
    run.apply(&approved(0), 0).unwrap();
    assert!(run.apply(&rejected(0), 0).is_err(), "decided once");
}

#[test]
fn an_event_that_cannot_happen_is_refused() {
    let mut run = Run::new(graph(&[&[], &[0]], 1));
    run.apply(&Event::Started, 0).unwrap();
    assert!(run.apply(&succeeded(0), 0).is_err());
    assert!(run.apply(&started(1), 0).is_err());
    assert!(run.apply(&started(7), 0).is_err());
}

#[test]
fn metrics_keep_numbers_that_are_none() {
    let metrics = Metrics(BTreeMap::from([("a".into(), f64::INFINITY), ("b".into(), 0.1)]));
    let text = serde_json::to_string(&metrics).unwrap();
    assert_eq!(text, r#"{"a":"Infinity","b":0.1}"#);
    assert_eq!(serde_json::from_str::<Metrics>(&text).unwrap(), metrics);
}

proptest! {
    /// Whatever the graph, whichever steps fail, and whatever people decide, every step comes to an end exactly once, no
    /// step starts before what it needs has succeeded, the run waits exactly while nothing but approvals is open, and
    /// replaying the events gives the same state.
    #[test]
    fn every_run_ends(
        edges in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..20),
        outcomes in prop::collection::vec(0..5_u8, 80),
        approvals in prop::collection::vec(prop::bool::weighted(0.3), 20),
        order in prop::collection::vec(any::<prop::sample::Index>(), 80),
    ) {
        let needs: Vec<Vec<usize>> = edges.iter().enumerate().map(|(position, picks)| {
            let needs: BTreeSet<usize> =
                picks.iter().filter(|_| position > 0).map(|pick| pick.index(position)).collect();
            needs.into_iter().collect()
        }).collect();
        let needs: Vec<&[usize]> = needs.iter().map(Vec::as_slice).collect();
        let asks: Vec<usize> = (0..needs.len()).filter(|position| approvals[*position]).collect();
        let graph = asking(&graph(&needs, 2), &asks);
        let mut run = Run::new(graph.clone());
        let mut log = Vec::new();
        let mut open: Vec<Action> = Vec::new();
        let mut questions: Vec<usize> = Vec::new();
        let mut finished = None;
        let mut feed = |run: &mut Run, open: &mut Vec<Action>, event: Event| {
            for action in run.apply(&event, 0).unwrap() {
                match action {
                    Action::Start { .. } | Action::Wait { .. } => open.push(action),
                    Action::Finish { status } => assert!(finished.replace(status).is_none()),
                    Action::Abort { .. } | Action::Ended { .. } => {}
                }
            }
            log.push((event, 0));
        };
        feed(&mut run, &mut open, Event::Started);
        let mut turn = 0;
        while !(open.is_empty() && questions.is_empty()) {
            let waits = run.status() == RunStatus::Waiting;
            prop_assert_eq!(waits, open.is_empty());
            let outcome = outcomes[turn % outcomes.len()];
            // A person decides while others run, or when nobody does.
            if !questions.is_empty() && (waits || outcome == 4) {
                let position = questions.swap_remove(order[turn % order.len()].index(questions.len()));
                let event = match outcome {
                    0 => rejected(position),
                    1 => expired(position),
                    _ => approved(position),
                };
                feed(&mut run, &mut open, event);
                turn += 1;
                continue;
            }
            let action = open.swap_remove(order[turn % order.len()].index(open.len()));
            match action {
                Action::Wait { step, .. } => feed(&mut run, &mut open, Event::BackoffEnded { step }),
                Action::Start { step } => {
                    for need in run.step(&step).dependencies() {
                        prop_assert_eq!(&run.state(&need).phase, &Phase::Succeeded);
                    }
                    let position: usize = step.as_str()[1..].parse().unwrap();
                    if approvals[position] {
                        feed(&mut run, &mut open, asked(position));
                        questions.push(position);
                        turn += 1;
                        continue;
                    }
                    feed(&mut run, &mut open, Event::AttemptStarted { step: step.clone() });
                    let event = match outcome {
                        0 => failed(position, true),
                        1 => failed(position, false),
                        _ => succeeded(position),
                    };
                    feed(&mut run, &mut open, event);
                }
                _ => unreachable!("only starts and waits are open"),
            }
            turn += 1;
        }
        prop_assert_eq!(finished, Some(run.status()));
        prop_assert!(run.steps().all(|(_, state)| state.phase.is_final()));
        let again = Run::replay(graph, log.iter().map(|(event, at)| (event, *at))).unwrap();
        for (step, state) in run.steps() {
            prop_assert_eq!(again.state(&step.key), state);
        }
    }
}
