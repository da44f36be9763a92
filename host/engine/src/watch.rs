//! What may end a call from outside the guest: its deadline, a cancelled run, and the budget of host calls.
//!
//! One [`Watch`] a call, or one for all calls of a warm instance, shared by the epoch callback, the timer beside the
//! call, and everything that counts. Whoever finds a reason first records it, and `outcome` believes that record before
//! anything the guest says.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use wasmlops_core::call::Cancel;
use wasmlops_core::limits::Limits;

/// How long a guest that has asked whether it is cancelled may go on, to save a checkpoint. Others stop at once.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// How often the timer looks while the guest blocks inside a host call.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why a call was stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    TimedOut,
    Cancelled,
    /// A budget of host calls, in words.
    HostBudget(String),
}

/// The guest is being stopped; the reason is in the [`Watch`].
#[derive(Debug, thiserror::Error)]
#[error("the call was stopped")]
pub(crate) struct Stopped;

pub(crate) struct Watch {
    started: Instant,
    /// Nanoseconds after `started`.
    deadline: AtomicU64,
    cancel: Cancel,
    /// Set when nobody waits for the call any more.
    abandoned: Cancel,
    cancel_seen: OnceLock<Instant>,
    /// The guest asks whether it is cancelled.
    asks: AtomicBool,
    /// The guest was told that it is cancelled.
    told: AtomicBool,
    clock_read: AtomicBool,
    max_calls: u64,
    max_bytes: u64,
    calls: AtomicU64,
    bytes: AtomicU64,
    stop: OnceLock<Stop>,
}

impl Watch {
    pub fn new(limits: &Limits, started: Instant, cancel: Cancel, abandoned: Cancel) -> Self {
        Self {
            started,
            deadline: AtomicU64::new(nanoseconds(limits.timeout)),
            cancel,
            abandoned,
            cancel_seen: OnceLock::new(),
            asks: AtomicBool::new(false),
            told: AtomicBool::new(false),
            clock_read: AtomicBool::new(false),
            max_calls: limits.host_calls,
            max_bytes: limits.host_bytes,
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            stop: OnceLock::new(),
        }
    }

    /// Begins the next call of a warm instance: it has `timeout`, and the budgets of host calls anew.
    pub fn begin(&self, timeout: Duration) {
        self.deadline.store(nanoseconds(self.started.elapsed().saturating_add(timeout)), Relaxed);
        self.calls.store(0, Relaxed);
        self.bytes.store(0, Relaxed);
    }

    /// Counts a call from the guest into the host, with `bytes` of arguments. To be asked first in each import.
    pub fn host_call(&self, bytes: usize) -> wasmtime::Result<()> {
        self.note_call();
        self.note_bytes(bytes);
        match self.stop.get() {
            None => Ok(()),
            Some(_) => Err(Stopped.into()),
        }
    }

    /// Counts a call where no error can be given; the guest is stopped at the next tick.
    pub fn note_call(&self) {
        // One thread runs the guest, so nobody adds in between.
        let calls = self.calls.load(Relaxed) + 1;
        self.calls.store(calls, Relaxed);
        if calls > self.max_calls {
            self.stop(Stop::HostBudget(format!("more than {} calls into the host", self.max_calls)));
        }
    }

    /// Counts bytes that crossed.
    pub fn note_bytes(&self, bytes: usize) {
        let bytes = self.bytes.load(Relaxed).saturating_add(bytes as u64);
        self.bytes.store(bytes, Relaxed);
        if bytes > self.max_bytes {
            self.stop(Stop::HostBudget(format!("more than {} bytes through host calls", self.max_bytes)));
        }
    }

    /// Records the reason; the first one stays.
    pub fn stop(&self, stop: Stop) {
        let _ = self.stop.set(stop);
    }

    pub fn stopped(&self) -> Option<&Stop> {
        self.stop.get()
    }

    /// Looks at clock and switches. Called at each tick.
    pub fn check(&self) -> Option<&Stop> {
        if self.stop.get().is_none() {
            let now = Instant::now();
            if now >= self.deadline() {
                self.stop(Stop::TimedOut);
            } else if self.abandoned.is_cancelled() || self.cancel_is_due(now) {
                self.stop(Stop::Cancelled);
            }
        }
        self.stop.get()
    }

    fn deadline(&self) -> Instant {
        self.started + Duration::from_nanos(self.deadline.load(Relaxed))
    }

    fn cancel_is_due(&self, now: Instant) -> bool {
        if !self.cancel.is_cancelled() {
            return false;
        }
        let grace = if self.asks.load(Relaxed) { CANCEL_GRACE } else { Duration::ZERO };
        now.duration_since(*self.cancel_seen.get_or_init(|| now)) >= grace
    }

    /// Ends when the call has to. Runs beside the guest, for the time in which it blocks inside a host call.
    pub async fn until_stopped(&self) {
        while self.check().is_none() {
            let left = self.deadline().saturating_duration_since(Instant::now());
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
        }
    }

    /// The guest asks whether it should stop.
    pub fn ask_cancelled(&self) -> bool {
        self.asks.store(true, Relaxed);
        let cancelled = self.cancel.is_cancelled();
        if cancelled {
            self.told.store(true, Relaxed);
        }
        cancelled
    }

    /// Whether the guest knows that it is cancelled: what it returns then may be half of an answer.
    pub fn told_cancelled(&self) -> bool {
        self.told.load(Relaxed)
    }

    /// The guest asks what time it is.
    pub fn note_clock_read(&self) {
        self.clock_read.store(true, Relaxed);
    }

    pub fn clock_read(&self) -> bool {
        self.clock_read.load(Relaxed)
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
}

/// A time beyond what a clock can hold is none; a hundred years will do.
fn nanoseconds(time: Duration) -> u64 {
    let far = Duration::from_secs(100 * 365 * 86_400);
    time.min(far).as_nanos().try_into().expect("a hundred years are fewer than 2^64 nanoseconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(limits: Limits, cancel: Cancel) -> Watch {
        Watch::new(&limits, Instant::now(), cancel, Cancel::default())
    }

    #[test]
    fn the_first_reason_stays() {
        let watch = watch(Limits { host_calls: 1, timeout: Duration::ZERO, ..Limits::default() }, Cancel::default());
        assert!(watch.host_call(0).is_ok());
        assert!(watch.host_call(0).is_err());
        assert!(matches!(watch.check(), Some(Stop::HostBudget(_))));
    }

    #[test]
    fn each_call_of_a_warm_instance_begins_anew() {
        let watch = watch(Limits { host_calls: 1, timeout: Duration::ZERO, ..Limits::default() }, Cancel::default());
        for _ in 0..3 {
            watch.begin(Duration::from_secs(3600));
            assert!(watch.host_call(0).is_ok());
            assert_eq!(watch.check(), None);
        }
        watch.begin(Duration::ZERO);
        assert_eq!(watch.check(), Some(&Stop::TimedOut));
    }

    #[test]
    fn a_guest_that_asks_gets_time_to_stop() {
        let cancel = Cancel::default();
        let deaf = watch(Limits::default(), cancel.clone());
        let polite = watch(Limits::default(), cancel.clone());
        assert!(!polite.ask_cancelled());
        cancel.cancel();
        assert_eq!(deaf.check(), Some(&Stop::Cancelled));
        assert_eq!(polite.check(), None);
        assert!(polite.ask_cancelled() && polite.told_cancelled());
    }
}
