;; Never gets past its start function.
;; world: trainer
(module
  (func $start (loop $forever (br $forever)))
  (start $start)
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    unreachable))
