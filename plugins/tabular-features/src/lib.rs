//! Makes features of columns: fills, scales, encodes.
//!
//! Fitting: `plan` decides which column becomes what, `fit` learns each column's `state`. Applying: `apply` finds the
//! columns again by name and computes the features. A row's features depend on the state and that row alone; a state
//! that was fitted with cross-fitting knows the rows it was learned from (`members`). The plugin knows nothing of
//! models.

mod apply;
mod config;
mod fit;
mod hashing;
mod members;
mod plan;
mod power;
mod problems;
mod state;
mod statistics;
mod time;

use wasmlops_sdk::blobs;
use wasmlops_sdk::prelude::*;

use apply::Encoder;
use state::{State, features_document};

/// The transform `tabular-features`.
pub struct TabularFeatures(Encoder);

impl Transform for TabularFeatures {
    type Config = config::Config;

    fn fit(config: Self::Config, input: &Table) -> Result<Vec<u8>> {
        let state = fit::fit(&config, input)?;
        write_features(&state)?;
        encode(&state)
    }

    fn load(state: &[u8], input: &Schema) -> Result<Self> {
        let state: State = decode(state)?;
        if !state.is_whole() {
            return Err(Error::invalid_input("the state was not written by this plugin: its lists do not fit"));
        }
        Ok(Self(Encoder::new(state, input)?))
    }

    fn output(&self) -> &Schema {
        self.0.output()
    }

    fn apply(&self, input: &Batch) -> Result<Batch> {
        self.0.apply(input)
    }
}

/// Writes the output `features`. Outside the sandbox there is nobody to write it to.
fn write_features(state: &State) -> Result<()> {
    if cfg!(target_family = "wasm") {
        let out = blobs::create("features", "application/json")?;
        // The host takes up to 2 MiB at a time.
        for part in encode(&features_document(state))?.chunks(1 << 20) {
            out.write(part)?;
        }
    }
    Ok(())
}

wasmlops_sdk::export! { transform: TabularFeatures }

#[cfg(test)]
mod tests;
