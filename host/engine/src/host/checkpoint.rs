//! `checkpoint`: state that survives a lost attempt.

use super::exhausted;
use crate::bindings::imports::checkpoint::Host;
use crate::bindings::imports::types::Error;
use crate::state::State;

impl Host for State {
    fn save(&mut self, state: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        self.watch.host_call(state.len())?;
        if let Err(refusal) = self.output.take_checkpoint(state.len() as u64) {
            return Ok(Err(exhausted(refusal)));
        }
        self.observer.checkpoint(state);
        Ok(Ok(()))
    }

    fn load(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        self.watch.host_call(self.checkpoint.as_ref().map_or(0, |state| state.len()))?;
        Ok(self.checkpoint.as_ref().map(|state| state.to_vec()))
    }
}
