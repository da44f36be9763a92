;; Takes table slots until it gets no more.
;; world: trainer
(module
  (table $slots 1 funcref)
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasmlops:plugin/trainer@0.1.0#train") (param i32 i32 i32 i32 i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (table.grow $slots (ref.null func) (i32.const 1000)) (i32.const -1))))
    unreachable))
