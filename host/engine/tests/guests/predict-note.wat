;; Says so with each batch, and answers with as many zeros as it was given rows.
;; world: predictor
(module
  (import "[export]wasmlops:plugin/predictor@0.1.0" "[resource-new]model" (func $new (param i32) (result i32)))
  (import "wasmlops:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 40)
  (data (i32.const 64) "prediction")
  (global $free (mut i32) (i32.const 262144))
  ;; Gives memory and never takes it back.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $free)
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16))))
  (func (export "wasmlops:plugin/predictor@0.1.0#[static]model.load") (param i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 512) (i32.const 0))
    (i32.store (i32.const 516) (call $new (i32.const 1)))
    (i32.const 512))
  (func (export "wasmlops:plugin/predictor@0.1.0#[method]model.output") (param i32) (result i32)
    ;; one field: "prediction", f64, not nullable
    (i32.store (i32.const 128) (i32.const 64))
    (i32.store (i32.const 132) (i32.const 10))
    (i32.store8 (i32.const 136) (i32.const 2))
    (i32.store (i32.const 520) (i32.const 128))
    (i32.store (i32.const 524) (i32.const 1))
    (i32.const 520))
  (func (export "wasmlops:plugin/predictor@0.1.0#[method]model.predict")
      (param $self i32) (param $rows i64) (param $columns i32) (param $len i32) (result i32)
    (local $answered i64)
    (local.set $answered (local.get $rows))
    ;; a line of the log: info, "prediction", no fields
    (call $log (i32.const 1) (i32.const 64) (i32.const 10) (i32.const 64) (i32.const 0))
    ;; one column of zeros
    (i32.store (i32.const 300) (i32.const 1024))
    (i32.store (i32.const 304) (i32.shl (i32.wrap_i64 (local.get $answered)) (i32.const 3)))
    (i64.store (i32.const 608) (local.get $answered))
    (i32.store (i32.const 616) (i32.const 300))
    (i32.store (i32.const 620) (i32.const 1))
    (i32.const 600)))
