//! One call, start to end, on the thread it is given: store, limits, guest, outcome, cost.

mod deliver;
mod dispatch;
pub(crate) mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use wasmlops_core::call::{Cancel, Outcome, Report, Request, Usage};
use wasmlops_core::limits::Limits;
use wasmtime::{Store, UpdateDeadline};

pub(crate) use dispatch::{Failure, open};

use crate::home::Home;
use crate::outcome::outcome;
use crate::prepare::Code;
use crate::state::{MAX_GUEST_HANDLES, State};
use crate::watch::Watch;

/// Bytes that a guest may push into the host in one call, and the most that it may return. Bulk data comes in batches
/// of about 2 MiB; models and states come whole.
const HOSTCALL_BYTES: usize = 64 << 20;

/// Whoever waits for a call.
pub(crate) struct Caller {
    /// Set when it no longer does.
    pub abandoned: Cancel,
    /// Its runtime.
    pub home: Home,
}

/// Runs the call. The store is dropped before this returns, whatever came of it.
pub(crate) fn run(code: &Code, request: Request, caller: Caller, runtime: &Runtime) -> Report {
    let _span = tracing::debug_span!("call", component = %code.digest.short()).entered();
    let (started, cpu) = (Instant::now(), thread_cpu());
    let Request { call, limits, sandbox, observer, cancel } = request;
    let Caller { abandoned, home } = caller;
    let watch = Arc::new(Watch::new(&limits, started, cancel, abandoned));

    let refused = |what: String| Report { outcome: Outcome::Denied { what }, usage: Usage::default() };
    if limits.fuel.is_some() && !code.profile.fuel {
        // Never run unmetered what was to be metered.
        return refused("a limit of fuel on code that was prepared without metering".into());
    }
    let mut store = match State::new(&limits, sandbox, observer, watch.clone(), home) {
        Ok(state) => open_store(code, &limits, state, UpdateDeadline::Continue),
        Err(error) => return refused(format!("the granted files: {error:#}")),
    };

    let ended = runtime.block_on(async {
        tokio::select! {
            biased;
            // A call that was cancelled while it waited does not start.
            () = watch.until_stopped(), if watch.check().is_some() => None,
            ended = dispatch::dispatch(&mut store, code, call) => Some(ended),
            () = watch.until_stopped() => None,
        }
    });
    store.data().stdio.finish();
    let outcome = outcome(ended, store.data_mut(), &limits);
    let wall = started.elapsed();
    Report { outcome, usage: usage(&store, &limits, wall, thread_cpu().saturating_sub(cpu)) }
}

/// A fresh store under all limits, its first deadline set: instantiation runs guest code already.
/// `at_tick` says what a guest that may go on does at each tick.
pub(crate) fn open_store(
    code: &Code,
    limits: &Limits,
    state: State,
    at_tick: fn(u64) -> UpdateDeadline,
) -> Store<State> {
    let watch = state.watch.clone();
    let mut store = Store::new(code.instance.engine(), state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_max_component_handles(MAX_GUEST_HANDLES);
    if code.profile.fuel {
        store.set_fuel(limits.fuel.unwrap_or(u64::MAX)).expect("the profile meters fuel");
    }
    store.epoch_deadline_callback(move |_| {
        Ok(if watch.check().is_some() { UpdateDeadline::Interrupt } else { at_tick(1) })
    });
    store.set_epoch_deadline(1);
    store
}

fn usage(store: &Store<State>, limits: &Limits, wall: Duration, cpu: Duration) -> Usage {
    let state = store.data();
    Usage {
        wall,
        cpu,
        memory_peak: state.limiter.peak(),
        host_calls: state.watch.calls(),
        host_bytes: state.watch.bytes(),
        log_bytes: state.log.kept_bytes(),
        log_lines_dropped: state.log.dropped_lines(),
        output_bytes: state.output.bytes(),
        fuel: limits.fuel.and_then(|limit| Some(limit.saturating_sub(store.get_fuel().ok()?))),
        clock_read: state.watch.clock_read(),
    }
}

/// Time that this thread has spent on a core.
fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
