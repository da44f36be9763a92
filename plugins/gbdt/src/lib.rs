//! Gradient-boosted decision trees.
//!
//! Training: `check` reads the options, `columns` the target (the SDK makes classes of it), `codes` and `bins` make a
//! byte of each value; then, round after round, `boost` asks `objective` for derivatives, `grow` for a tree (with
//! `histogram` and `split`), and `measure` how good it is. Predicting: `model` is what is kept (`document` its bytes),
//! `scorer` works on batches with a `forest` that walks over the same codes, and `shap` explains. Inner loops are in
//! `kernels`.

mod bins;
mod boost;
mod check;
mod codes;
mod columns;
mod config;
mod document;
mod forest;
mod grow;
mod histogram;
mod importance;
mod kernels;
mod measure;
mod model;
mod objective;
mod random;
mod scorer;
mod shap;
mod split;
mod train;
mod tree;

use wasmlops_sdk::prelude::*;

use scorer::Scorer;

/// The trainer `gbdt`.
pub struct Gbdt;

impl Trainer for Gbdt {
    type Config = config::Config;

    fn train(config: Self::Config, data: &Training) -> Result<Vec<u8>> {
        let model = train::train(&config, data)?;
        importance::write(&model)?;
        model.to_bytes()
    }
}

/// The predictor `gbdt`.
pub struct GbdtPredictor(Scorer);

impl Predictor for GbdtPredictor {
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

wasmlops_sdk::export! { trainer: Gbdt, predictor: GbdtPredictor }

#[cfg(test)]
mod tests;
