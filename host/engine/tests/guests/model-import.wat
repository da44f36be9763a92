;; Is no validator, and wants to ask a model all the same.
;; world: trainer-with-models
(module
  (import "wasmlops:plugin/models@0.1.0" "predict" (func $predict (param i64 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (call $predict (i64.const 0) (i32.const 64) (i32.const 0) (i32.const 256))
    unreachable))
