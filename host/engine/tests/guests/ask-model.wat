;; Asks the model about the first column of its rows, and reports the first value of the answer. What the host refuses, it
;; passes on.
;; world: validator
(module
  (import "wasmlops:plugin/tables@0.1.0" "[method]table.read"
    (func $read (param i32 i32 i32 i64 i64 i32)))
  (import "wasmlops:plugin/models@0.1.0" "predict" (func $predict (param i64 i32 i32 i32)))
  (memory (export "memory") 40)
  (global $free (mut i32) (i32.const 8192))
  ;; Gives memory and never takes it back.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $free)
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16))))
  (func (export "wasmlops:plugin/validator@0.1.0#validate")
      (param $config i32) (param $length i32) (param $case i32) (param $has_truth i32) (param $truth i32)
      (param $candidate i32) (param $has_champion i32) (param $champion i32) (param $features i32) (result i32)
    ;; column 0 (its index is the zero at 64), up to 8192 rows from the first
    (call $read (local.get $features) (i32.const 64) (i32.const 1) (i64.const 0) (i64.const 8192) (i32.const 128))
    (if (i32.load8_u (i32.const 128)) (then unreachable))
    (call $predict
      (i64.load (i32.const 136)) (i32.load (i32.const 144)) (i32.load (i32.const 148)) (i32.const 256))
    (if (i32.load8_u (i32.const 256))
      (then
        (i32.store8 (i32.const 512) (i32.const 1))
        (memory.copy (i32.const 516) (i32.const 264) (i32.const 24))
        (return (i32.const 512))))
    ;; ok, passed, with one check that has passed and observed the value
    (i32.store8 (i32.const 512) (i32.const 0))
    (i32.store8 (i32.const 516) (i32.const 1))
    (i32.store (i32.const 528) (i32.const 640))
    (i32.store (i32.const 532) (i32.const 1))
    (i32.store8 (i32.const 648) (i32.const 1))
    (i32.store8 (i32.const 680) (i32.const 1))
    (f64.store (i32.const 688) (f64.load (i32.load (i32.load (i32.const 272)))))
    (i32.const 512)))
