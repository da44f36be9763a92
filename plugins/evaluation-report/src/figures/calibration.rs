//! Whether probabilities mean what they say.

use wasmlops_sdk::prelude::Result;
use wasmlops_statistics::text::{counted, number};

use super::Figure;
use crate::bins::{Bin, calibration_error, reliability};
use crate::canvas::Ink;
use crate::chart::{Axis, Chart, Key, Layer, Sign};
use crate::config::Config;
use crate::outcomes::Classified;

pub fn draw(config: &Config, candidate: &Classified, baseline: Option<&Classified>) -> Result<Option<Figure>> {
    if candidate.rows.probabilities.is_empty() {
        return Ok(None);
    }
    let bins = bins(config, candidate);
    let mut layers = vec![Layer::Line { points: vec![(0.0, 0.0), (1.0, 1.0)], ink: Ink::Reference, width: 1.5 }];
    let mut legend = Vec::new();
    for (name, model, index) in [("model", Some(candidate), 0), ("baseline", baseline, 1)] {
        let Some(bins) = model.map(|model| self::bins(config, model)) else { continue };
        let ink = Ink::Series(index);
        let spans = bins.iter().map(|bin| {
            let (low, high) = bin.interval();
            (bin.mean_probability, low, high)
        });
        let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.mean_probability, bin.share)).collect();
        layers.push(Layer::Whiskers { spans: spans.collect(), ink });
        layers.push(Layer::Line { points: points.clone(), ink, width: 2.0 });
        layers.push(Layer::Dots { points, ink, radius: 4.0, opacity: 1.0 });
        legend.push(Key { text: name.to_owned(), ink, sign: Sign::Line });
    }
    legend.push(Key { text: "perfectly calibrated".to_owned(), ink: Ink::Reference, sign: Sign::Line });
    let error = calibration_error(&bins);
    let brier = candidate.rows.brier().map_or_else(String::new, |brier| format!("Brier {}, ", number(brier)));
    let (x, y) = match candidate.rows.positive {
        Some(_) => ("Mean predicted probability", "Share of positive rows"),
        None => ("Mean probability of the predicted class", "Share of rows that are right"),
    };
    let chart = Chart {
        title: format!("Calibration — {brier}ECE {}", number(error)),
        x: Axis::unit(x),
        y: Axis::unit(y),
        layers,
        legend,
    };
    let fewest = counted(bins.iter().map(|bin| bin.rows).fold(f64::MAX, f64::min) as u64, "row");
    let caption = format!(
        "Rows in {} bins of equal width by probability: what was said, and what was so. The bars are 95 % confidence \
         intervals; the smallest bin has {fewest}. On the diagonal, probabilities mean what they say.",
        config.bins
    );
    Ok(Some(Figure { name: "calibration", svg: chart.draw()?, caption, number: Some(error) }))
}

/// Of two classes, the probability of the positive one; of more, that of the class that was predicted.
fn bins(config: &Config, model: &Classified) -> Vec<Bin> {
    if let Some(positive) = model.rows.positive {
        return reliability(&model.rows.probabilities[positive], &model.is(positive), config.bins);
    }
    let said: Vec<f64> = model
        .rows
        .predicted
        .iter()
        .enumerate()
        .map(|(row, &class)| model.rows.probabilities[class as usize][row])
        .collect();
    let right: Vec<bool> = model.rows.predicted.iter().zip(&model.truth).map(|(said, truth)| said == truth).collect();
    reliability(&said, &right, config.bins)
}
