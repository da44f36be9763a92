;; Calls the host for ever, asking nothing of it.
;; world: trainer
(module
  (import "wasmlops:plugin/progress@0.1.0" "update" (func $update (param i64 i32 i64 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (loop $again
      (call $update (i64.const 0) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0))
      (br $again))
    unreachable))
