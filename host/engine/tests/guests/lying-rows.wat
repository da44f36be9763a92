;; Starts its table, writes nothing, and says that it wrote a billion rows.
;; world: data-source
(module
  (import "wasmlops:plugin/tables@0.1.0" "[method]table-writer.start" (func $start (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/data-source@0.1.0#read") (param $config i32) (param $len i32) (param $out i32) (result i32)
    (call $start (local.get $out) (i32.const 0) (i32.const 0) (i32.const 512))
    (i64.store (i32.const 1032) (i64.const 1000000000))
    (i32.const 1024)))
