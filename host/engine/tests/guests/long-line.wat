;; Writes one line of 1 MiB.
;; world: trainer
(module
  (import "wasmlops:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 20)
  (data (i32.const 64) "done")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1048576))
    (call $write (i32.const 1) (i32.const 65536) (i32.const 1048576) (i32.const 0) (i32.const 0))
    ;; ok("done")
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 64))
    (i32.store (i32.const 8) (i32.const 4))
    (i32.const 0)))
