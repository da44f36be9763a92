//! Validators that ask the model that they judge: it answers on their own thread, under their own limits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use wasmlops_core::call::{Call, ErrorCode, GuestError, Model, Outcome, Reply, Report, Subject, Value};
use wasmlops_core::table::{Batch, Column};
use wasmlops_engine::{Warm, WarmError};

use crate::lab::{Bench, numbers};
use crate::warm::warm;

pub fn evaluate() -> Call {
    let subject = Subject::Evaluation { truth: None, candidate: numbers(3), champion: None, features: numbers(3) };
    Call::Validate { config: "{}".into(), subject }
}

/// Answers each row with 0.25, and keeps what it was asked.
#[derive(Default)]
pub struct Quarter(Mutex<Vec<Batch>>);

impl Model for Quarter {
    fn predict(&self, rows: Batch) -> Reply<'_, Result<Batch, GuestError>> {
        let num_rows = rows.num_rows;
        let values = (0..num_rows).flat_map(|_| 0.25_f64.to_le_bytes()).collect();
        self.0.lock().unwrap().push(rows);
        let answer = Column { values, validity: None, offsets: None, dictionary: None };
        Box::pin(async move { Ok(Batch { num_rows, columns: vec![answer] }) })
    }
}

/// Guests, loaded.
pub struct Guests(tokio::sync::Mutex<Warm>);

impl Guests {
    pub fn load(guests: &[&str]) -> Arc<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Arc::new(Self(tokio::sync::Mutex::new(runtime.block_on(warm(guests)).unwrap())))
    }
}

impl Model for Guests {
    fn predict(&self, rows: Batch) -> Reply<'_, Result<Batch, GuestError>> {
        Box::pin(async move {
            let long = Duration::from_secs(3600);
            self.0.lock().await.predict(rows, long).await.map_err(|error| match error {
                WarmError::Guest(error) => error,
                WarmError::InvalidInput { message } => {
                    GuestError { code: ErrorCode::InvalidInput, message, field: None }
                }
                other => GuestError { code: ErrorCode::Exhausted, message: other.to_string(), field: None },
            })
        })
    }
}

fn asks(model: Arc<dyn Model>) -> Bench {
    Bench::new(evaluate()).sandbox(|sandbox| sandbox.model = Some(model))
}

fn observed(report: Report) -> Option<f64> {
    match report.outcome {
        Outcome::Ok(answer) => match answer.value {
            Value::Validation(report) => report.checks[0].observed,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_validator_asks_the_model_that_it_was_lent() {
    let model = Arc::new(Quarter::default());
    let report = asks(model.clone()).run("ask-model");
    assert_eq!(report.usage.host_calls, 2);
    // Three numbers out of the table, into the model and out of it.
    assert!(report.usage.host_bytes >= 3 * 24, "{:?}", report.usage);
    assert_eq!(observed(report), Some(0.25));
    let asked = model.0.lock().unwrap();
    assert_eq!((asked.len(), asked[0].num_rows), (1, 3));
    assert_eq!(asked[0].columns[0].values[16..], 2.0_f64.to_le_bytes());
}

#[test]
fn guests_answer_inside_of_a_guests_call() {
    let report = asks(Guests::load(&["echo", "zeros"])).run("ask-model");
    assert_eq!(observed(report), Some(0.0));
    let refused = asks(Guests::load(&["refuse-rows"])).run("ask-model");
    let Outcome::Failed(error) = &refused.outcome else { panic!("{:?}", refused.outcome) };
    assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidInput, "no"));
    let grown = asks(Guests::load(&["predict-growth"])).run("ask-model");
    assert!(
        matches!(&grown.outcome, Outcome::Failed(error) if error.code == ErrorCode::Exhausted),
        "{:?}",
        grown.outcome
    );
}

#[test]
fn a_model_that_never_answers_ends_with_who_asked_it() {
    for guest in ["predict-forever", "predict-sleep"] {
        let limit = Duration::from_millis(200);
        let report = asks(Guests::load(&[guest])).limits(|limits| limits.timeout = limit).run("ask-model");
        assert!(matches!(report.outcome, Outcome::TimedOut { .. }), "{guest}: {:?}", report.outcome);
        assert!(report.usage.wall < limit + Duration::from_secs(2), "{guest}: {:?}", report.usage);
    }
}

#[test]
fn validators_that_ask_do_not_wait_for_each_other() {
    // As many as the engine has threads, and more: none of them needs a second one.
    let calls: Vec<_> =
        (0..6).map(|_| std::thread::spawn(|| observed(asks(Guests::load(&["zeros"])).run("ask-model")))).collect();
    for call in calls {
        assert_eq!(call.join().unwrap(), Some(0.0));
    }
}
