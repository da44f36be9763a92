;; Emits metric points until it is refused, and passes the error on.
;; world: trainer
(module
  (import "wasmlops:plugin/metrics@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "loss")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    ;; one point: name "loss", value 0, step 0
    (i32.store (i32.const 256) (i32.const 64))
    (i32.store (i32.const 260) (i32.const 4))
    (loop $again
      (call $emit (i32.const 256) (i32.const 1) (i32.const 512))
      (br_if $again (i32.eqz (i32.load8_u (i32.const 512)))))
    ;; the error is laid out in emit's result as it is in ours
    (i32.const 512)))
