//! Guests that behave, and what the engine promises them: the same world each time.

use std::time::Duration;

use wasmlops_core::call::{Call, Outcome, Value};

use crate::lab::{Bench, ENGINE, assert_unharmed, bytes, component, numbers};

/// The guests of this file.
pub const BEHAVING: &[&str] = &[
    "well_behaved",
    "zeros",
    "echo",
    "refuse_rows",
    "predict_note",
    "findings",
    "dice",
    "clock",
    "polite_cancel",
    "ask_model",
];

#[test]
fn rows_go_through_a_predictor_in_batches() {
    for rows in [0, 1, 8192, 20_000] {
        let predict = Call::Predict { model: (*b"model").into(), input: numbers(rows) };
        let report = Bench::new(predict).run("zeros");
        match report.outcome {
            Outcome::Ok(answer) => match answer.value {
                Value::Table(table) => {
                    assert_eq!(table.num_rows(), rows as u64);
                    assert_eq!(table.schema().fields[0].name, "prediction");
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        assert!(report.usage.output_bytes >= 8 * rows as u64);
    }
}

#[test]
fn randomness_is_the_seeds() {
    let roll = |seed: u8| bytes(Bench::train().sandbox(|sandbox| sandbox.seed = [seed; 32]).run("dice"));
    assert_eq!(roll(1), roll(1));
    assert_ne!(roll(1), roll(2));
}

#[test]
fn the_clock_stands_at_the_nominal_time() {
    let nominal = 1_700_000_000_000_000;
    let report = Bench::train().sandbox(|sandbox| sandbox.nominal_time = nominal).run("clock");
    assert!(report.usage.clock_read);
    assert_eq!(bytes(report), 1_700_000_000_u64.to_le_bytes());
    assert!(!Bench::train().run("well-behaved").usage.clock_read);
}

#[test]
fn a_guest_that_asks_may_save_a_checkpoint_before_it_stops() {
    let bench = Bench::train();
    let cancel = bench.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
    });
    let report = bench.run("polite-cancel");
    canceller.join().unwrap();
    assert!(matches!(report.outcome, Outcome::Cancelled), "{:?}", report.outcome);
    assert_eq!(bench.listener.checkpoint.lock().unwrap().as_deref(), Some(&b"done"[..]));
}

#[test]
fn a_call_of_another_kind_is_refused() {
    let report = Bench::read().run("well-behaved");
    assert!(
        matches!(&report.outcome, Outcome::InvalidResult { message } if message.contains("`data-source`")),
        "{:?}",
        report.outcome
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_spinning_guest_does_not_hold_up_its_caller() {
    let prepared = ENGINE.prepare(&component("endless-loop"), Default::default()).unwrap();
    let bench = Bench::train();
    let call = ENGINE.call(&prepared, bench.request());
    // Dropping the call stops the guest; its thread is free for the next one.
    assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    tokio::task::spawn_blocking(assert_unharmed).await.unwrap();
}

#[test]
fn more_calls_than_threads_all_get_done() {
    let prepared = ENGINE.prepare(&component("well-behaved"), Default::default()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(bytes(ENGINE.call_blocking(&prepared, Bench::train().request())), b"done");
                }
            });
        }
    });
}
