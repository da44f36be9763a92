//! Models that stay loaded: the same answers as a call gives, and nothing left of a call that went wrong.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use wasmlops_core::call::{Call, ErrorCode, Outcome, Value};
use wasmlops_core::limits::Limits;
use wasmlops_core::table::{Batch, Column, DataType, Field, Schema, Table, TableBuilder};
use wasmlops_engine::{Profile, Stage, StageKind, Warm, WarmError, WarmRequest};

use crate::lab::{Bench, ENGINE, Listener, component, numbers};

const LONG: Duration = Duration::from_secs(60);

fn stage(guest: &str) -> Stage {
    let prepared = ENGINE.prepare(&component(guest), Profile::default()).unwrap();
    let kind = if guest == "echo" { StageKind::Transform } else { StageKind::Predictor };
    Stage { prepared, bytes: (*b"model").into(), kind }
}

/// Loads guests one after the other, for rows of one column `x`.
pub async fn warm(guests: &[&str]) -> Result<Warm, WarmError> {
    let limits = Limits { memory: 64 << 20, timeout: LONG, ..Limits::default() };
    let stages = guests.iter().map(|guest| stage(guest)).collect();
    ENGINE.warm(WarmRequest { stages, input: numbers(0).schema().clone(), limits }).await
}

fn rows(count: u64) -> Batch {
    numbers(count as usize).read(&[0], 0, count).unwrap()
}

fn table(schema: &Schema, rows: Batch) -> Table {
    let mut builder = TableBuilder::new(schema.clone());
    builder.push(rows).unwrap();
    builder.finish().unwrap()
}

fn called(guest: &str, call: Call) -> Table {
    match Bench::new(call).run(guest).outcome {
        Outcome::Ok(answer) => match answer.value {
            Value::Table(table) => table,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_loaded_model_says_what_a_call_says() {
    let mut warm = warm(&["zeros"]).await.unwrap();
    assert_eq!((&warm.input().fields[0].name[..], &warm.output().fields[0].name[..]), ("x", "prediction"));
    assert!(warm.memory() > 0 && !warm.is_dead());
    for count in [0, 1, 2, 1000] {
        let answer = warm.predict(rows(count), LONG).await.unwrap();
        let call = Call::Predict { model: (*b"model").into(), input: numbers(count as usize) };
        let expected = tokio::task::spawn_blocking(move || called("zeros", call)).await.unwrap();
        assert_eq!(table(warm.output(), answer), expected);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn rows_go_through_the_stages_in_order() {
    let mut long = warm(&["echo", "echo", "echo", "echo", "echo", "zeros"]).await.unwrap();
    assert_eq!(long.output().fields[0].name, "prediction");
    assert_eq!(long.predict(rows(3), LONG).await.unwrap().num_rows, 3);
    let mut echo = warm(&["echo", "echo"]).await.unwrap();
    assert_eq!(echo.predict(rows(3), LONG).await.unwrap(), rows(3));
}

#[tokio::test(flavor = "current_thread")]
async fn rows_come_out_in_one_form() {
    let types = [DataType::F64, DataType::Utf8, DataType::Categorical];
    let field = |data_type: DataType| Field { name: data_type.as_str().into(), data_type, nullable: true };
    let schema = Schema::new(types.map(field).to_vec()).unwrap();
    let mut builder = TableBuilder::new(schema.clone());
    let offsets = |ends: &[i32]| ends.iter().flat_map(|end| end.to_le_bytes()).collect::<Vec<u8>>();
    let texts = wasmlops_core::table::Dictionary { offsets: offsets(&[0, 1, 2]), values: b"uv".into() };
    let validity = Some(vec![0b011]);
    let columns = vec![
        Column {
            values: [f64::from_bits(u64::MAX), 1.0, 2.0].into_iter().flat_map(f64::to_le_bytes).collect(),
            validity: validity.clone(),
            ..Column::default()
        },
        Column {
            values: b"abc".into(),
            offsets: Some(offsets(&[0, 1, 2, 3])),
            validity: validity.clone(),
            ..Column::default()
        },
        Column { values: offsets(&[1, 0, 1]), validity, dictionary: Some(texts), ..Column::default() },
    ];
    let batch = Batch { num_rows: 3, columns };
    builder.push(batch.clone()).unwrap();
    let request = WarmRequest { stages: vec![stage("echo")], input: schema.clone(), limits: Limits::default() };
    let mut warm = ENGINE.warm(request).await.unwrap();
    let answer = warm.predict(batch, LONG).await.unwrap();
    assert_eq!(answer.columns[0].values[..8], 0x7ff8_0000_0000_0000_u64.to_le_bytes());
    assert_eq!(table(&schema, answer), builder.finish().unwrap());
}

#[tokio::test(flavor = "current_thread")]
async fn rows_that_do_not_fit_concern_nobody_else() {
    let mut warm = warm(&["zeros"]).await.unwrap();
    let mut short = rows(2);
    short.columns[0].values.pop();
    assert!(matches!(warm.predict(short, LONG).await, Err(WarmError::InvalidInput { .. })));
    assert!(matches!(warm.predict(Batch::default(), LONG).await, Err(WarmError::InvalidInput { .. })));
    assert!(warm.predict(rows(2), LONG).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn a_typed_error_leaves_the_model_as_it_was() {
    let mut warm = warm(&["refuse-rows"]).await.unwrap();
    for _ in 0..3 {
        let error = warm.predict(rows(1), LONG).await.unwrap_err();
        assert!(matches!(&error, WarmError::Guest(error) if error.code == ErrorCode::InvalidInput), "{error:?}");
        assert!(!warm.is_dead());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_cannot_be_loaded() {
    assert!(matches!(warm(&[]).await, Err(WarmError::InvalidInput { .. })));
    let other = warm(&["well-behaved"]).await.err().unwrap();
    assert!(matches!(&other, WarmError::InvalidResult { message } if message.contains("`predictor`")), "{other:?}");
    // Two of 2.5 MiB each.
    let limits = Limits { memory: 4 << 20, ..Limits::default() };
    let stages = vec![stage("zeros"), stage("zeros")];
    let large = ENGINE.warm(WarmRequest { stages, input: numbers(0).schema().clone(), limits }).await.err().unwrap();
    assert!(matches!(large, WarmError::OutOfMemory { limit: 4_194_304 }), "{large:?}");
    let limits = Limits { fuel: Some(1), ..Limits::default() };
    let stages = vec![stage("zeros")];
    let fuel = ENGINE.warm(WarmRequest { stages, input: numbers(0).schema().clone(), limits }).await.err().unwrap();
    assert!(matches!(fuel, WarmError::Denied { .. }), "{fuel:?}");
}

/// Asks for one row of a guest that goes wrong: how it ended. Afterwards nothing more may be had of it.
pub async fn goes_wrong(guest: &str, deadline: Duration) -> WarmError {
    let mut warm = warm(&[guest]).await.unwrap();
    let error = warm.predict(rows(1), deadline).await.unwrap_err();
    assert!(warm.is_dead());
    assert_eq!(warm.predict(rows(1), LONG).await, Err(WarmError::Dead));
    error
}

/// As [`goes_wrong`], on a runtime of one thread.
pub fn goes_wrong_alone(guest: &str, deadline: Duration) -> WarmError {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(goes_wrong(guest, deadline))
}

#[tokio::test(flavor = "current_thread")]
async fn a_spinning_model_lets_others_work_until_its_deadline() {
    let worked = Cell::new(0_u64);
    let others = async {
        loop {
            worked.set(worked.get() + 1);
            tokio::task::yield_now().await;
        }
    };
    let error = tokio::select! {
        error = goes_wrong("predict-forever", Duration::from_millis(200)) => error,
        () = others => unreachable!(),
    };
    assert_eq!(error, WarmError::TimedOut { limit: Duration::from_millis(200) });
    // One yield at each tick of 10 ms, more or less.
    assert!(worked.get() >= 5, "{}", worked.get());
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_nobody_waits_for_kills_its_instance() {
    let mut warm = warm(&["predict-forever"]).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), warm.predict(rows(1), LONG)).await.is_err());
    assert!(warm.is_dead());
    assert_eq!(warm.predict(rows(1), LONG).await, Err(WarmError::Dead));
}

#[tokio::test]
async fn models_work_on_any_task() {
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn(async {
                let mut warm = warm(&["echo", "zeros"]).await.unwrap();
                for _ in 0..100 {
                    warm.predict(rows(1), LONG).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn each_call_may_do_what_one_call_may() {
    let listener = Arc::<Listener>::default();
    let limits = Limits { timeout: LONG, host_calls: 1, output_bytes: 8, ..Limits::default() };
    let request = || {
        let (stages, input) = (vec![stage("predict-note")], numbers(0).schema().clone());
        WarmRequest { stages, input, limits: limits.clone() }
    };
    let mut warm = ENGINE.warm_heard(request(), listener.clone()).await.unwrap();
    for _ in 0..3 {
        warm.predict(rows(1), LONG).await.unwrap();
    }
    assert_eq!(listener.lines.lock().unwrap().len(), 3);
    assert!(matches!(warm.predict(rows(2), LONG).await, Err(WarmError::Exhausted { .. })));
    assert!(warm.is_dead());
    assert!(ENGINE.warm(request()).await.unwrap().predict(rows(1), LONG).await.is_ok());
}
