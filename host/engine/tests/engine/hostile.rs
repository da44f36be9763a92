//! Guests that take too much or reach too far. Each must end with the one outcome that names its misdeed, and leave the
//! engine as it was.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmlops_core::call::{Call, ErrorCode, Outcome, Report, Subject};
use wasmlops_engine::{PrepareError, Profile, WarmError};

use crate::ask::{Guests, Quarter, evaluate};
use crate::deliver::{deploy, observe};
use crate::lab::{Bench, ENGINE, assert_unharmed, bytes, component, numbers};
use crate::warm::goes_wrong_alone;

/// Makes a test of each guest, and a list of the guests.
macro_rules! guests {
    ($($name:ident => $body:expr;)*) => {
        pub const HOSTILE: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            let guest = stringify!($name).replace('_', "-");
            let body: fn(&str) = $body;
            body(&guest);
            assert_unharmed();
        })*
    };
}

/// Asserts on the report's outcome, and gives the report.
macro_rules! assert_outcome {
    ($report:expr, $pattern:pat $(if $guard:expr)?) => {{
        let report: Report = $report;
        assert!(matches!(&report.outcome, $pattern $(if $guard)?), "{:?}", report.outcome);
        report
    }};
}

guests! {
    endless_loop => |guest| {
        let limit = Duration::from_millis(200);
        let report = assert_outcome!(
            Bench::train().limits(|limits| limits.timeout = limit).run(guest),
            Outcome::TimedOut { limit: Duration { .. } }
        );
        assert!(report.usage.wall >= limit && report.usage.wall < limit + Duration::from_secs(2), "{:?}", report.usage);
        assert!(report.usage.cpu > Duration::ZERO);
    };
    endless_start => |guest| {
        let bench = Bench::train().limits(|limits| limits.timeout = Duration::from_millis(100));
        assert_outcome!(bench.run(guest), Outcome::TimedOut { .. });
    };
    sleep_forever => |guest| {
        let bench = Bench::train().limits(|limits| limits.timeout = Duration::from_millis(100));
        assert_outcome!(bench.run(guest), Outcome::TimedOut { .. });
        let bench = Bench::train();
        bench.cancel.cancel();
        assert_outcome!(bench.run(guest), Outcome::Cancelled);
    };
    deaf_to_cancel => |guest| {
        let bench = Bench::train();
        let cancel = bench.cancel.clone();
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            cancel.cancel();
            Instant::now()
        });
        assert_outcome!(bench.run(guest), Outcome::Cancelled);
        assert!(canceller.join().unwrap().elapsed() < Duration::from_secs(2));
    };
    memory_growth => |guest| {
        let report = assert_outcome!(
            Bench::train().limits(|limits| limits.memory = 64 << 20).run(guest),
            Outcome::OutOfMemory { limit } if *limit == 64 << 20
        );
        assert!(report.usage.memory_peak > 60 << 20 && report.usage.memory_peak <= 64 << 20, "{:?}", report.usage);
    };
    huge_memory => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::OutOfMemory { .. });
    };
    many_memories => |guest| {
        let refused = ENGINE.prepare(&component(guest), Profile::default()).unwrap_err();
        assert!(matches!(&refused, PrepareError::TooLarge { what } if what.contains("20 memories")), "{refused:?}");
    };
    table_growth => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::OutOfMemory { .. });
    };
    deep_recursion => |guest| {
        assert_outcome!(
            Bench::train().run(guest),
            Outcome::Trapped { message } if message.contains("call stack exhausted")
        );
    };
    trap => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::Trapped { message } if message.contains("unreachable"));
    };
    exit => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::Trapped { message } if message.contains("exit(1)"));
    };
    host_call_flood => |guest| {
        let report = assert_outcome!(
            Bench::train().limits(|limits| limits.host_calls = 1000).run(guest),
            Outcome::HostCallBudget { what } if what.contains("1000 calls")
        );
        assert_eq!(report.usage.host_calls, 1001);
    };
    wasi_call_flood => |guest| {
        let bench = Bench::train().limits(|limits| limits.host_calls = 1000);
        assert_outcome!(bench.run(guest), Outcome::HostCallBudget { what } if what.contains("1000 calls"));
    };
    clock_flood => |guest| {
        // These calls cannot be refused one by one: the next tick ends them.
        let bench = Bench::train().limits(|limits| limits.host_calls = 1000);
        assert_outcome!(bench.run(guest), Outcome::HostCallBudget { what } if what.contains("1000 calls"));
    };
    host_byte_flood => |guest| {
        let report = assert_outcome!(
            Bench::train().limits(|limits| limits.host_bytes = 10 << 20).run(guest),
            Outcome::HostCallBudget { what } if what.contains("10485760 bytes")
        );
        assert!(report.usage.host_bytes <= (10 << 20) + (64 << 10), "{:?}", report.usage);
    };
    random_flood => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::HostCallBudget { what } if what.contains("random bytes"));
    };
    handle_flood => |guest| {
        let bench = Bench::train().sandbox(|sandbox| {
            sandbox.blobs.insert("blob".into(), (*b"bytes").into());
        });
        assert_outcome!(bench.run(guest), Outcome::HostCallBudget { what } if what.contains("1024 handles"));
    };
    own_handle_flood => |guest| {
        let predict = Call::Predict { model: (*b"model").into(), input: numbers(1) };
        assert_outcome!(
            Bench::new(predict).run(guest),
            Outcome::HostCallBudget { what } if what.contains("4096 handles")
        );
    };
    log_flood => |guest| {
        let bench = Bench::train().limits(|limits| limits.log_bytes = 100 << 10);
        let report = assert_outcome!(bench.run(guest), Outcome::Ok(_));
        assert!(report.usage.log_bytes <= 100 << 10);
        assert_eq!(report.usage.log_lines_dropped, 10_000 - 99);
        let lines = bench.listener.lines.lock().unwrap();
        assert_eq!(lines.len(), 1 + 99);
        assert_eq!(lines[0].message, "\\u{1b}[31mx\\u{202e}y");
    };
    long_line => |guest| {
        let bench = Bench::train();
        assert_outcome!(bench.run(guest), Outcome::Ok(_));
        assert_eq!(bench.listener.lines.lock().unwrap()[0].message.len(), 64 << 10);
    };
    metric_flood => |guest| {
        let bench = Bench::train().limits(|limits| limits.metric_points = 500);
        assert_outcome!(bench.run(guest), Outcome::Failed(error) if error.code == ErrorCode::Exhausted);
        assert_eq!(bench.listener.points.lock().unwrap().len(), 500);
    };
    metric_name => |guest| {
        let bench = Bench::train();
        assert_outcome!(
            bench.run(guest),
            Outcome::Failed(error) if error.code == ErrorCode::InvalidInput && !error.message.contains('\u{1b}')
        );
        assert!(bench.listener.points.lock().unwrap().is_empty());
    };
    output_flood => |guest| {
        let bench = Bench::train().limits(|limits| limits.output_bytes = 1 << 20);
        let bench = bench.sandbox(|sandbox| sandbox.blob_outputs.push("blob".into()));
        let report = assert_outcome!(bench.run(guest), Outcome::OutputLimit { what } if what.contains("`blob`"));
        assert!(report.usage.output_bytes <= 1 << 20);
    };
    huge_result => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::OutputLimit { what } if what.contains("64 MiB"));
    };
    lying_list => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::InvalidResult { .. });
    };
    lying_rows => |guest| {
        assert_outcome!(
            Bench::read().run(guest),
            Outcome::InvalidResult { message } if message.contains("1000000000 rows")
        );
    };
    bad_offsets => |guest| {
        assert_outcome!(
            Bench::read().run(guest),
            Outcome::InvalidResult { message } if message.contains("rows of `table` were refused")
        );
    };
    lying_batch => |guest| {
        let predict = Call::Predict { model: (*b"model").into(), input: numbers(10) };
        assert_outcome!(
            Bench::new(predict).run(guest),
            Outcome::InvalidResult { message } if message.contains("given 10 rows and returned 11")
        );
        let error = goes_wrong_alone(guest, Duration::from_secs(60));
        assert!(matches!(&error, WarmError::InvalidResult { message } if message.contains("returned 2")), "{error:?}");
    };
    read_outside => |guest| {
        let grant = Grant::new();
        assert_outcome!(grant.run(guest), Outcome::Denied { what } if what.contains("../secret"));
    };
    follow_link => |guest| {
        let grant = Grant::new();
        std::os::unix::fs::symlink(grant.outside.path().join("secret"), grant.folder().join("link")).unwrap();
        assert_outcome!(grant.run(guest), Outcome::Denied { what } if what.contains("link"));
    };
    write_input => |guest| {
        let grant = Grant::new();
        assert_outcome!(grant.run(guest), Outcome::Denied { what } if what.contains("data.csv"));
        assert_eq!(std::fs::read(grant.folder().join("data.csv")).unwrap(), b"x\n1\n");
    };
    ungranted_files => |guest| {
        assert_outcome!(Bench::train().run(guest), Outcome::Ok(_));
    };
    drive_endpoint => |guest| {
        let report = assert_outcome!(
            Bench::new(deploy()).run(guest),
            Outcome::Failed(error) if error.code == ErrorCode::Denied && error.message.contains("`breast-cancer`")
        );
        assert_eq!(report.usage.host_calls, 1);
    };
    endpoint_import => |guest| {
        let refused = ENGINE.prepare(&component(guest), Profile::default()).unwrap_err();
        assert!(
            matches!(&refused, PrepareError::Denied { import } if import == "wasmlops:plugin/endpoints@0.1.0"),
            "{refused:?}"
        );
        assert!(refused.hint().contains("only deployers"));
    };
    ask_wrong_rows => |guest| {
        let refused = |report: Report, message: &str| {
            assert_outcome!(
                report,
                Outcome::Failed(error) if error.code == ErrorCode::InvalidInput && error.message.contains(message)
            );
        };
        let table = Call::Validate { config: "{}".into(), subject: Subject::Table(numbers(3)) };
        refused(Bench::new(table).run(guest), "no model to ask");
        let model = Guests::load(&["zeros"]);
        refused(Bench::new(evaluate()).sandbox(|sandbox| sandbox.model = Some(model)).run(guest), "column");
    };
    ask_forever => |guest| {
        let bench = Bench::new(evaluate()).limits(|limits| limits.host_calls = 1000);
        let bench = bench.sandbox(|sandbox| sandbox.model = Some(Arc::new(Quarter::default())));
        assert_outcome!(bench.run(guest), Outcome::HostCallBudget { what } if what.contains("1000 calls"));
    };
    model_import => |guest| {
        let refused = ENGINE.prepare(&component(guest), Profile::default()).unwrap_err();
        assert!(
            matches!(&refused, PrepareError::Denied { import } if import == "wasmlops:plugin/models@0.1.0"),
            "{refused:?}"
        );
        assert!(refused.hint().contains("only validators"));
    };
    bad_deployment => |guest| {
        assert_outcome!(
            Bench::new(deploy()).run(guest),
            Outcome::InvalidResult { message } if message.contains("no JSON object")
        );
    };
    finding_flood => |guest| {
        assert_outcome!(
            Bench::new(observe()).run(guest),
            Outcome::InvalidResult { message } if message.contains("200000 findings")
        );
    };
    http_request => |guest| {
        let bench = Bench::train();
        // An error, and which: HTTP-request-denied.
        assert_eq!(bytes(bench.run(guest))[..2], [1, 15]);
        let lines = bench.listener.lines.lock().unwrap();
        assert!(lines[0].message.contains("https://api.example.com/v1"), "{lines:?}");
    };
    predict_forever => |guest| {
        let limit = Duration::from_millis(100);
        let started = Instant::now();
        assert_eq!(goes_wrong_alone(guest, limit), WarmError::TimedOut { limit });
        assert!(started.elapsed() >= limit && started.elapsed() < limit + Duration::from_secs(2));
    };
    predict_sleep => |guest| {
        let limit = Duration::from_millis(100);
        assert_eq!(goes_wrong_alone(guest, limit), WarmError::TimedOut { limit });
    };
    predict_trap => |guest| {
        let error = goes_wrong_alone(guest, Duration::from_secs(60));
        assert!(matches!(&error, WarmError::Trapped { message } if message.contains("unreachable")), "{error:?}");
    };
    predict_growth => |guest| {
        let error = goes_wrong_alone(guest, Duration::from_secs(60));
        assert!(matches!(error, WarmError::OutOfMemory { limit: 67_108_864 }), "{error:?}");
    };
    socket_import => |guest| {
        let refused = ENGINE.prepare(&component(guest), Profile::default()).unwrap_err();
        assert!(
            matches!(&refused, PrepareError::Denied { import } if import == "wasi:sockets/instance-network@0.2.0"),
            "{refused:?}"
        );
    };
}

/// A folder to grant, with a secret beside it.
struct Grant {
    outside: tempfile::TempDir,
}

impl Grant {
    fn new() -> Self {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        let grant = Self { outside };
        std::fs::create_dir(grant.folder()).unwrap();
        std::fs::write(grant.folder().join("data.csv"), "x\n1\n").unwrap();
        grant
    }

    fn folder(&self) -> std::path::PathBuf {
        self.outside.path().join("granted")
    }

    fn run(&self, guest: &str) -> Report {
        Bench::train().sandbox(|sandbox| sandbox.files = Some(self.folder())).run(guest)
    }
}

#[test]
fn fuel_ends_a_loop() {
    let mut bench = Bench::train().limits(|limits| limits.fuel = Some(1_000_000));
    bench.profile.fuel = true;
    let report = assert_outcome!(bench.run("endless-loop"), Outcome::OutOfFuel { limit: 1_000_000 });
    assert_eq!(report.usage.fuel, Some(1_000_000));
}

#[test]
fn cancel_stops_a_spinning_guest_soon() {
    let bench = Bench::train();
    let cancel = bench.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        Instant::now()
    });
    assert_outcome!(bench.run("endless-loop"), Outcome::Cancelled);
    assert!(canceller.join().unwrap().elapsed() < Duration::from_secs(1));
}
