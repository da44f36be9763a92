//! Linear, ridge and logistic regression.
//!
//! Training: `data` reads and checks the rows into `panels`, the SDK makes classes of the target; then either
//! `least_squares` solves, or `logistic` states the objective and `minimise` finds its minimum. Predicting:
//! `model` is what is kept, `scorer` what works on batches. Inner loops are in `kernels`. The plugin knows
//! nothing of how features were made.

mod config;
mod data;
mod kernels;
mod least_squares;
mod logistic;
mod minimise;
mod model;
mod panels;
mod scorer;
mod train;

use wasmlops_sdk::prelude::*;

use scorer::Scorer;

/// The trainer `linear-model`.
pub struct LinearModel;

impl Trainer for LinearModel {
    type Config = config::Config;

    fn train(config: Self::Config, data: &Training) -> Result<Vec<u8>> {
        encode(&train::train(&config, data)?)
    }
}

/// The predictor `linear-model`.
pub struct LinearPredictor(Scorer);

impl Predictor for LinearPredictor {
    fn load(model: &[u8], input: &Schema) -> Result<Self> {
        Scorer::new(model::Model::from_bytes(model)?, input).map(Self)
    }

    fn output(&self) -> &Schema {
        self.0.output()
    }

    fn predict(&self, input: &Batch) -> Result<Batch> {
        self.0.predict(input)
    }
}

wasmlops_sdk::export! { trainer: LinearModel, predictor: LinearPredictor }

#[cfg(test)]
mod tests;
