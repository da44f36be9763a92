;; Carries 64 KiB into the host with each call, for ever.
;; world: trainer
(module
  (import "wasmlops:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (loop $again
      (call $write (i32.const 1) (i32.const 0) (i32.const 65536) (i32.const 0) (i32.const 0))
      (br $again))
    unreachable))
