;; Emits a metric whose name holds a terminal escape, and passes the error on.
;; world: trainer
(module
  (import "wasmlops:plugin/metrics@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "\1b[31m")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 256) (i32.const 64))
    (i32.store (i32.const 260) (i32.const 5))
    (call $emit (i32.const 256) (i32.const 1) (i32.const 512))
    (i32.const 512)))
