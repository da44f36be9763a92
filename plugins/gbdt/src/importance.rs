//! The output `importance`: what each feature gained, the most first.

use serde::Serialize;
#[cfg(target_family = "wasm")]
use wasmlops_sdk::blobs;
use wasmlops_sdk::{Result, encode};

use crate::model::Model;

#[derive(Serialize)]
struct Importance<'a> {
    features: Vec<Feature<'a>>,
}

#[derive(Serialize)]
struct Feature<'a> {
    feature: &'a str,
    gain: f64,
    split: u64,
}

/// The document as JSON.
pub fn document(model: &Model) -> Result<Vec<u8>> {
    let features = model.header.features.iter();
    let mut features: Vec<Feature> =
        features.map(|feature| Feature { feature: &feature.name, gain: feature.gain, split: feature.splits }).collect();
    features.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    encode(&Importance { features })
}

/// Writes the output; native tests have none.
pub fn write(model: &Model) -> Result<()> {
    let document = document(model)?;
    #[cfg(target_family = "wasm")]
    blobs::create("importance", "application/json")?.write(&document)?;
    drop(document);
    Ok(())
}
