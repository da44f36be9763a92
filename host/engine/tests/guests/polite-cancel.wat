;; Works until it is told that the run is cancelled, saves a checkpoint and returns half of a model.
;; world: trainer
(module
  (import "wasmlops:plugin/progress@0.1.0" "is-cancelled" (func $is_cancelled (result i32)))
  (import "wasmlops:plugin/checkpoint@0.1.0" "save" (func $save (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "done")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (loop $work (br_if $work (i32.eqz (call $is_cancelled))))
    (call $save (i32.const 64) (i32.const 4) (i32.const 512))
    ;; ok("done")
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 64))
    (i32.store (i32.const 8) (i32.const 4))
    (i32.const 0)))
