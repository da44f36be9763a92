//! The epoch clock: one OS thread that advances every wasmtime engine each 10 ms while calls run.
//!
//! A thread of its own, because a spinning guest can hold up whatever drives timers. It sleeps without waking while no
//! call runs, so that an idle server costs nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// At least a dozen ticks in the shortest time in which a call must be stoppable.
pub(crate) const TICK: Duration = Duration::from_millis(10);

#[derive(Default)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<TickerState>,
    changed: Condvar,
}

#[derive(Default)]
struct TickerState {
    engines: Vec<wasmtime::Engine>,
    running_calls: usize,
    /// The thread waits for a call. To wake it when it does not would cost every short call a system call.
    idle: bool,
    closed: bool,
}

/// Keeps the clock ticking while it lives.
pub(crate) struct Ticking<'a>(&'a Shared);

impl Ticker {
    pub fn start() -> std::io::Result<Self> {
        let ticker = Self::default();
        let shared = ticker.shared.clone();
        std::thread::Builder::new().name("wasmlops-ticker".into()).spawn(move || shared.run())?;
        Ok(ticker)
    }

    pub fn drive(&self, engine: wasmtime::Engine) {
        self.shared.lock().engines.push(engine);
    }

    /// To be held for the length of a call.
    pub fn tick(&self) -> Ticking<'_> {
        let mut state = self.shared.lock();
        state.running_calls += 1;
        if std::mem::take(&mut state.idle) {
            self.shared.changed.notify_one();
        }
        Ticking(&self.shared)
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.lock().running_calls -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.lock();
        while !state.closed {
            if state.running_calls == 0 {
                state.idle = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            // Also when the call that woke this thread is over already: the next ones need not wake it then.
            drop(state);
            std::thread::sleep(TICK);
            state = self.lock();
            for engine in &state.engines {
                engine.increment_epoch();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, TickerState> {
        // Nothing in here can leave the state half changed, so a panic elsewhere does not matter.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
