;; Asks whether it is cancelled and goes on all the same.
;; world: trainer
(module
  (import "wasmlops:plugin/progress@0.1.0" "is-cancelled" (func $is_cancelled (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (loop $forever
      (drop (call $is_cancelled))
      (br $forever))
    unreachable))
