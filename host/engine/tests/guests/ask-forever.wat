;; Asks the model about no rows of one column, again and again.
;; world: validator
(module
  (import "wasmlops:plugin/models@0.1.0" "predict" (func $predict (param i64 i32 i32 i32)))
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "wasmlops:plugin/validator@0.1.0#validate")
      (param $config i32) (param $length i32) (param $case i32) (param $has_truth i32) (param $truth i32)
      (param $candidate i32) (param $has_champion i32) (param $champion i32) (param $features i32) (result i32)
    (loop $again
      ;; the column at 1024 is all zeros: no values
      (call $predict (i64.const 0) (i32.const 1024) (i32.const 1) (i32.const 256))
      (br $again))
    unreachable))
