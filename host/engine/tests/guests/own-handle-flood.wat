;; Makes handles of a resource of its own, for ever.
;; world: predictor
(module
  (import "[export]wasmlops:plugin/predictor@0.1.0" "[resource-new]model" (func $new (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/predictor@0.1.0#[static]model.load") (param i32 i32 i32 i32) (result i32)
    (loop $again
      (drop (call $new (i32.const 1)))
      (br $again))
    unreachable)
  (func (export "wasmlops:plugin/predictor@0.1.0#[method]model.output") (param i32) (result i32)
    unreachable)
  (func (export "wasmlops:plugin/predictor@0.1.0#[method]model.predict") (param i32 i64 i32 i32) (result i32)
    unreachable))
