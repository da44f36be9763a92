//! `models`: the model under evaluation, for validators that ask it again.
//!
//! Which model that is, and what it runs on, is known behind [`wasmlops_core::call::Model`]. It works on the guest's own
//! thread while the guest waits, so that it needs no second place among the engine's threads, and ends with the guest.

use crate::bindings::imports::models::Host;
use crate::bindings::imports::tables::Batch;
use crate::bindings::imports::types::Error;
use crate::call::wire;
use crate::state::State;

use super::invalid_input;

impl Host for State {
    async fn predict(&mut self, rows: Batch) -> wasmtime::Result<Result<Batch, Error>> {
        let rows = wire::batch_from_guest(rows);
        self.watch.host_call(usize::try_from(rows.bytes()).unwrap_or(usize::MAX))?;
        let Some(model) = self.model.clone() else {
            return Ok(Err(invalid_input("there is no model to ask: the step judges a table")));
        };
        Ok(match model.predict(rows).await {
            Ok(answer) => {
                self.watch.note_bytes(usize::try_from(answer.bytes()).unwrap_or(usize::MAX));
                Ok(wire::batch_to_guest(answer))
            }
            Err(error) => Err(wire::error_to_guest(error)),
        })
    }
}
