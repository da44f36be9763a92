;; Starts a canary at the release's endpoint; its release there is the deployment. What the host refuses, it passes on.
;; world: deployer
(module
  (import "wasmlops:plugin/endpoints@0.1.0" "start"
    (func $start (param i32 i32 i32 i32 i64 i32 i32 i32 i32 i64 i32 i64 i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "\0a\32{}")
  (data (i32.const 96) "fine")
  (global $free (mut i32) (i32.const 4096))
  ;; Gives memory and never takes it back.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $free)
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16))))
  (func (export "wasmlops:plugin/deployer@0.1.0#deploy") (param $arguments i32) (result i32)
    (call $start
      ;; the release's endpoint, key and version
      (i32.load offset=16 (local.get $arguments)) (i32.load offset=20 (local.get $arguments))
      (i32.load offset=8 (local.get $arguments)) (i32.load offset=12 (local.get $arguments))
      (i64.load offset=32 (local.get $arguments))
      ;; canary, 10 and 50 percent, 1500 ms each, however many requests
      (i32.const 1) (i32.const 64) (i32.const 2) (i32.const 1) (i64.const 1500) (i32.const 0) (i64.const 0)
      (i32.const 256))
    ;; A refusal lies there as this function has to return it.
    (if (i32.eqz (i32.load8_u (i32.const 256)))
      (then
        ;; the id is in its place; no address, details "{}"
        (i32.store8 (i32.const 268) (i32.const 0))
        (i32.store (i32.const 280) (i32.const 66))
        (i32.store (i32.const 284) (i32.const 2))))
    (i32.const 256))
  (func (export "wasmlops:plugin/deployer@0.1.0#status")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    ;; ok(ready, "fine")
    (i32.store8 (i32.const 512) (i32.const 0))
    (i32.store8 (i32.const 516) (i32.const 1))
    (i32.store (i32.const 520) (i32.const 96))
    (i32.store (i32.const 524) (i32.const 4))
    (i32.const 512))
  (func (export "wasmlops:plugin/deployer@0.1.0#undeploy")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 512) (i32.const 0))
    (i32.const 512)))
