//! One stage of a warm model: a transform or a predictor with its bytes loaded.

use wasmlops_core::table::{Batch, Schema};
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::{Stage, StageKind};
use crate::bindings::kinds;
use crate::call::{Failure, open, wire};
use crate::state::State;
use crate::text::neutralise;

pub(super) struct Loaded {
    guest: Guest,
    /// The guest's own: a `fitted` or a `model`.
    handle: ResourceAny,
    output: Schema,
}

enum Guest {
    Transform(kinds::transform::Guest),
    Predictor(kinds::predictor::Guest),
}

impl Loaded {
    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// Instantiates the component and hands it its bytes.
    pub async fn load(store: &mut Store<State>, stage: &Stage, input: &Schema) -> Result<Self, Failure> {
        let (code, bytes, fields) = (stage.prepared.code(), &*stage.bytes, wire::fields_to_guest(input));
        let (guest, handle, output) = match stage.kind {
            StageKind::Transform => {
                let guest = open!(store, code, transform);
                let handle = guest.fitted().call_load(&mut *store, bytes, &fields).await??;
                let output = guest.fitted().call_output(&mut *store, handle).await?;
                (Guest::Transform(guest), handle, output)
            }
            StageKind::Predictor => {
                let guest = open!(store, code, predictor);
                let handle = guest.model().call_load(&mut *store, bytes, &fields).await??;
                let output = guest.model().call_output(&mut *store, handle).await?;
                (Guest::Predictor(guest), handle, output)
            }
        };
        let output = Schema::new(wire::fields_from_guest(output))
            .map_err(|error| Failure::Broken(format!("`output`: {}", neutralise(&error.to_string()))))?;
        Ok(Self { guest, handle, output })
    }

    /// Rows through the stage.
    pub async fn run(&self, store: &mut Store<State>, rows: Batch) -> Result<Batch, Failure> {
        let given = wire::batch_to_guest(rows);
        let (function, got) = match &self.guest {
            Guest::Transform(guest) => ("apply", guest.fitted().call_apply(&mut *store, self.handle, &given).await??),
            Guest::Predictor(guest) => {
                ("predict", guest.model().call_predict(&mut *store, self.handle, &given).await??)
            }
        };
        let mut rows = wire::rows_from_guest(function, &given, got).map_err(Failure::Broken)?;
        store.data_mut().output.take(rows.bytes(), function).map_err(Failure::Output)?;
        self.output
            .accept(&mut rows)
            .map_err(|error| Failure::Broken(format!("`{function}`: {}", neutralise(&error.to_string()))))?;
        Ok(rows)
    }
}
