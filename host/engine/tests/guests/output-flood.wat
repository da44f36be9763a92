;; Writes 4,000 times 64 KiB into an output blob, passes over every refusal, and says that all went well.
;; world: trainer
(module
  (import "wasmlops:plugin/blobs@0.1.0" "create" (func $create (param i32 i32 i32 i32 i32)))
  (import "wasmlops:plugin/blobs@0.1.0" "[method]blob-writer.write" (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "done")
  (data (i32.const 128) "blob")
  (data (i32.const 160) "text/plain")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (local $times i32)
    (call $create (i32.const 128) (i32.const 4) (i32.const 160) (i32.const 10) (i32.const 512))
    (loop $again
      (call $write (i32.load (i32.const 516)) (i32.const 65536) (i32.const 65536) (i32.const 600))
      (local.set $times (i32.add (local.get $times) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $times) (i32.const 4000))))
    ;; ok("done")
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 64))
    (i32.store (i32.const 8) (i32.const 4))
    (i32.const 0)))
