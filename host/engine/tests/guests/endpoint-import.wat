;; Is no deployer, and wants to drive endpoints all the same.
;; world: trainer-with-endpoints
(module
  (import "wasmlops:plugin/endpoints@0.1.0" "withdraw" (func $withdraw (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (call $withdraw (i32.const 64) (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 256))
    unreachable))
