;; Writes 10,000 lines of 1,024 bytes, the first one with a terminal escape and a mark that reverses text.
;; world: trainer
(module
  (import "wasmlops:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "done")
  (data (i32.const 128) "\1b[31mx\e2\80\aey")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (local $lines i32)
    (memory.fill (i32.const 8192) (i32.const 97) (i32.const 1024))
    (call $write (i32.const 2) (i32.const 128) (i32.const 10) (i32.const 0) (i32.const 0))
    (loop $again
      (call $write (i32.const 1) (i32.const 8192) (i32.const 1024) (i32.const 0) (i32.const 0))
      (local.set $lines (i32.add (local.get $lines) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $lines) (i32.const 10000))))
    ;; ok("done")
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 64))
    (i32.store (i32.const 8) (i32.const 4))
    (i32.const 0)))
