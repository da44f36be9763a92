;; Opens an input blob again and again and lets none go.
;; world: trainer
(module
  (import "wasmlops:plugin/blobs@0.1.0" "open" (func $open (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "blob")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (loop $again
      (call $open (i32.const 64) (i32.const 4) (i32.const 512))
      (br $again))
    unreachable))
