//! Predictors of a few lines: `prediction` is the column `x` plus a number, or they fail in one way each.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What a guest does with rows.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    Adds(f64),
    Traps,
    /// Returns a column of no bytes for all rows.
    WrongShape,
    /// Never comes back.
    Slow,
    /// Finds fault with every row.
    Refuses,
    /// Traps when `x` of any row is negative, and else adds.
    TrapsBelowZero(f64),
}

/// The component.
pub fn predictor(behaviour: Behaviour) -> Vec<u8> {
    let text = TEMPLATE.replace("$PREDICT", &predict(behaviour));
    let mut module = wat::parse_str(&text).unwrap();
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1.0");
    let (package, _) = resolve.push_dir(contract).unwrap();
    let world = resolve.select_world(&[package], Some("predictor-plugin")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap();
    encoder.encode().unwrap()
}

fn predict(behaviour: Behaviour) -> String {
    match behaviour {
        Behaviour::Adds(number) => adds(number, "(i32.mul (local.get $count) (i32.const 8))"),
        Behaviour::WrongShape => adds(0.0, "(i32.const 0)"),
        Behaviour::Traps => "unreachable".to_owned(),
        Behaviour::Slow => "(loop $forever (br $forever)) unreachable".to_owned(),
        Behaviour::Refuses => "(i32.store8 (i32.const 600) (i32.const 1)) (i32.store8 (i32.const 608) (i32.const 1))
            (i32.store (i32.const 612) (i32.const 64)) (i32.store (i32.const 616) (i32.const 10))
            (i32.store8 (i32.const 620) (i32.const 0)) (i32.const 600)"
            .to_owned(),
        Behaviour::TrapsBelowZero(number) => {
            let check = "(if (f64.lt (f64.load (local.get $at)) (f64.const 0)) (then unreachable)) (f64.store";
            adds(number, "(i32.mul (local.get $count) (i32.const 8))").replacen("(f64.store", check, 1)
        }
    }
}

/// Adds in place, and returns the same buffer as its one column.
fn adds(number: f64, bytes: &str) -> String {
    format!(
        "(local.set $count (i32.wrap_i64 (local.get $rows)))
        (local.set $at (i32.load (local.get $columns)))
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $row) (local.get $count)))
            (f64.store (local.get $at) (f64.add (f64.load (local.get $at)) (f64.const {number})))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (local.set $row (i32.add (local.get $row) (i32.const 1)))
            (br $next)))
        (i32.store (i32.const 1024) (i32.load (local.get $columns)))
        (i32.store (i32.const 1028) {bytes})
        (i32.store8 (i32.const 600) (i32.const 0))
        (i64.store (i32.const 608) (local.get $rows))
        (i32.store (i32.const 616) (i32.const 1024))
        (i32.store (i32.const 620) (i32.const 1))
        (i32.const 600)"
    )
}

/// The options of the column at 1024 stay zero: absent. What a call was given is forgotten when its answer was read.
const TEMPLATE: &str = r#"(module
  (import "[export]wasmlops:plugin/predictor@0.1.0" "[resource-new]model" (func $new (param i32) (result i32)))
  (memory (export "memory") 40)
  (data (i32.const 64) "prediction")
  (global $free (mut i32) (i32.const 262144))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $free)
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16))))
  (func (export "wasmlops:plugin/predictor@0.1.0#[static]model.load") (param i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 512) (i32.const 0))
    (i32.store (i32.const 516) (call $new (i32.const 1)))
    (i32.const 512))
  (func (export "wasmlops:plugin/predictor@0.1.0#[method]model.output") (param i32) (result i32)
    (i32.store (i32.const 128) (i32.const 64))
    (i32.store (i32.const 132) (i32.const 10))
    (i32.store8 (i32.const 136) (i32.const 2))
    (i32.store (i32.const 520) (i32.const 128))
    (i32.store (i32.const 524) (i32.const 1))
    (i32.const 520))
  (func (export "cabi_post_wasmlops:plugin/predictor@0.1.0#[method]model.predict") (param i32)
    (global.set $free (i32.const 262144)))
  (func (export "wasmlops:plugin/predictor@0.1.0#[method]model.predict")
      (param $self i32) (param $rows i64) (param $columns i32) (param $len i32) (result i32)
    (local $count i32) (local $at i32) (local $row i32)
    $PREDICT))"#;
