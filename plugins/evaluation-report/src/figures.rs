//! What is drawn, by what the model predicts. Each figure is a chart with a sentence that says how to read it.

mod calibration;
mod confusion;
mod histogram;
mod importance;
mod ranking;
mod regression;

use wasmlops_sdk::prelude::Result;

use crate::config::Config;
use crate::importance::Feature;
use crate::outcomes::Outcomes;

/// One drawing with its caption.
pub struct Figure {
    /// As short as a file name.
    pub name: &'static str,
    pub svg: String,
    /// How to read it.
    pub caption: String,
    /// The number that sums it up, where there is one.
    pub number: Option<f64>,
}

/// All figures, in the order of the page.
pub fn draw(config: &Config, outcomes: &Outcomes, features: &[Feature]) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    match outcomes {
        Outcomes::Classes { candidate, baseline } => {
            let baseline = baseline.as_ref();
            figures.extend(ranking::draw(candidate, baseline)?);
            figures.extend(calibration::draw(config, candidate, baseline)?);
            figures.extend(histogram::draw(config, candidate)?);
            figures.push(confusion::draw(candidate)?);
        }
        Outcomes::Numbers { candidate, baseline } => {
            figures.extend(regression::draw(config, candidate, baseline.as_ref())?);
        }
    }
    figures.extend(importance::draw(config, features)?);
    Ok(figures)
}
