;; Writes a text column whose offsets point beyond its bytes, passes over the refusal, and says that it wrote no row.
;; world: data-source
(module
  (import "wasmlops:plugin/tables@0.1.0" "[method]table-writer.start" (func $start (param i32 i32 i32 i32)))
  (import "wasmlops:plugin/tables@0.1.0" "[method]table-writer.write" (func $write (param i32 i64 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "name")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/data-source@0.1.0#read") (param $config i32) (param $len i32) (param $out i32) (result i32)
    ;; one field: "name", utf8, not nullable
    (i32.store (i32.const 128) (i32.const 64))
    (i32.store (i32.const 132) (i32.const 4))
    (i32.store8 (i32.const 136) (i32.const 4))
    (call $start (local.get $out) (i32.const 128) (i32.const 1) (i32.const 512))
    ;; one column: 4 bytes of values, no validity, offsets 0 and 1000000, no dictionary
    (i32.store (i32.const 260) (i32.const 1000000))
    (i32.store (i32.const 300) (i32.const 64))
    (i32.store (i32.const 304) (i32.const 4))
    (i32.store8 (i32.const 320) (i32.const 1))
    (i32.store (i32.const 324) (i32.const 256))
    (i32.store (i32.const 328) (i32.const 8))
    (call $write (local.get $out) (i64.const 1) (i32.const 300) (i32.const 1) (i32.const 512))
    ;; ok({rows: 0, bad-rows: 0, notes: []})
    (i32.const 1024)))
