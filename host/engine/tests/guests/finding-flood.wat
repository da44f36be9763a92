;; Finds two hundred thousand things.
;; world: monitor
(module
  (memory (export "memory") 300)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/monitor@0.1.0#observe")
      (param i32 i32 i32 i32 i64 i32 i64 i32 i32) (result i32)
    (i32.store8 (i32.const 256) (i32.const 0))
    (i32.store (i32.const 260) (i32.const 1024))
    (i32.store (i32.const 264) (i32.const 200000))
    (i32.const 256)))
