//! Imputes, one-hot encodes and standardises columns.
//!
//! Fitting: `plan` decides which column becomes what, `fit` learns each column's `state` with `statistics`.
//! Applying: `apply` finds the columns again by name and computes the features. A row's features depend on the state
//! and that row alone. The plugin knows nothing of models.

mod apply;
mod config;
mod fit;
mod plan;
mod state;
mod statistics;

use wasmlops_sdk::prelude::*;

use apply::Encoder;

/// The transform `tabular-features`.
pub struct TabularFeatures {
    encoder: Encoder,
    output: Schema,
}

impl Transform for TabularFeatures {
    type Config = config::Config;

    fn fit(config: Self::Config, input: &Table) -> Result<Vec<u8>> {
        encode(&fit::fit(&config, input)?)
    }

    fn load(state: &[u8], input: &Schema) -> Result<Self> {
        let encoder = Encoder::new(decode(state)?, input)?;
        let output = encoder.output(input);
        Ok(Self { encoder, output })
    }

    fn output(&self) -> &Schema {
        &self.output
    }

    fn apply(&self, input: &Batch) -> Result<Batch> {
        self.encoder.apply(input)
    }
}

wasmlops_sdk::export! { transform: TabularFeatures }

#[cfg(test)]
mod tests;
