//! `progress`: how far the call has come, and whether it should stop.

use wasmlops_core::call::Progress;

use crate::bindings::imports::progress::Host;
use crate::state::State;
use crate::text::neutralise_within;

/// A progress message stands on one line of a terminal.
const MAX_MESSAGE: usize = 1024;

impl Host for State {
    fn update(&mut self, done: u64, total: Option<u64>, message: String) -> wasmtime::Result<()> {
        self.watch.host_call(message.len())?;
        let message = neutralise_within(&message, MAX_MESSAGE);
        self.observer.progress(Progress { done, total, message });
        Ok(())
    }

    fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        self.watch.host_call(0)?;
        Ok(self.watch.ask_cancelled())
    }
}
