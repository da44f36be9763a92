//! Predicts with gradient-boosted trees and forests that XGBoost or LightGBM trained.
//!
//! `document` reads JSON and UBJSON, `xgboost` and `lightgbm` make an `ensemble::Ensemble` of a model file: a
//! `forest` (flat arrays that rows walk through) and an `objective` (what its sums mean). Files are not trusted: every
//! index is checked once, while loading, and every tree is laid out so that walking it ends. The plugin knows nothing
//! of training.

mod document;
mod ensemble;
mod forest;
mod lightgbm;
mod objective;
mod xgboost;

use wasmlops_sdk::foreign::{self, Format};
use wasmlops_sdk::prelude::*;

use ensemble::Ensemble;

/// The predictor `tree-ensemble`.
pub struct TreeEnsemble {
    ensemble: Ensemble,
    /// Where each feature is in a batch.
    columns: Vec<usize>,
    classes: Vec<String>,
    output: Schema,
}

impl Predictor for TreeEnsemble {
    fn load(model: &[u8], input: &Schema) -> Result<Self> {
        let (header, file) = foreign::split(model)?;
        let ensemble = match header.format {
            Format::Xgboost => xgboost::read(file),
            Format::Lightgbm => lightgbm::read(file),
            Format::Onnx => {
                Err("the file is `onnx`, and this plugin reads `xgboost` and `lightgbm`\nhint: use `onnx-predictor`"
                    .into())
            }
        };
        let ensemble = ensemble.map_err(|problem| Error::invalid_input(problem).at("model"))?;
        let classes = ensemble.classes(&header)?;
        let columns = header.find(input)?;
        let output = foreign::output(&classes);
        Ok(Self { ensemble, columns, classes, output })
    }

    fn output(&self) -> &Schema {
        &self.output
    }

    fn predict(&self, input: &Batch) -> Result<Batch> {
        let rows = foreign::matrix(input, &self.columns)?;
        let answers = self.ensemble.predict(&rows);
        Ok(match self.classes.len() {
            0 => foreign::numbers(&answers),
            count => {
                let predictions: Vec<usize> = answers.chunks_exact(count).map(most_likely).collect();
                foreign::classes(&self.classes, &predictions, &answers)
            }
        })
    }
}

/// The class with the highest probability, of equals the first.
fn most_likely(probabilities: &[f64]) -> usize {
    (1..probabilities.len()).fold(0, |best, next| if probabilities[next] > probabilities[best] { next } else { best })
}

wasmlops_sdk::export! { predictor: TreeEnsemble }

#[cfg(test)]
mod tests;
