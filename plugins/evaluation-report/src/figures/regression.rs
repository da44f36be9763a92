//! Numbers: predicted against true, and what is left over.

use wasmlops_sdk::prelude::Result;
use wasmlops_statistics::text::number;
use wasmlops_statistics::{quantile, regression};

use super::Figure;
use super::histogram::boxes;
use crate::bins::{place, shares};
use crate::canvas::Ink;
use crate::chart::{Axis, Block, Chart, Key, Layer, Sign};
use crate::config::Config;
use crate::outcomes::Numbered;

/// With more rows, dots would hide each other: cells say how many there are.
const MOST_DOTS: usize = 800;
/// Cells along each axis.
const CELLS: usize = 56;

pub fn draw(config: &Config, candidate: &Numbered, baseline: Option<&Numbered>) -> Result<Vec<Figure>> {
    Ok(vec![predictions(candidate, baseline)?, residuals(config, candidate)?, errors(config, candidate)?])
}

fn predictions(candidate: &Numbered, baseline: Option<&Numbered>) -> Result<Figure> {
    let points: Vec<(f64, f64)> = candidate.truth.iter().copied().zip(candidate.predicted.iter().copied()).collect();
    let range = range(points.iter().flat_map(|point| [point.0, point.1]));
    let diagonal = vec![(range.0, range.0), (range.1, range.1)];
    let r2 = regression::r2(&candidate.truth, &candidate.predicted);
    let rmse = |model: &Numbered| regression::rmse(&model.truth, &model.predicted);
    let beside = baseline.map_or_else(String::new, |model| format!(" (baseline {})", number(rmse(model))));
    let scores = r2.map_or_else(String::new, |r2| format!("R² {}, ", number(r2)));
    let (layer, sign, text) = cloud(&points, (range, range));
    let axis = |label: &str| Axis { label: label.to_owned(), range, percent: false };
    let chart = Chart {
        title: format!("Predicted and true — {scores}RMSE {}{beside}", number(rmse(candidate))),
        x: axis("Truth"),
        y: axis("Prediction"),
        layers: vec![layer, Layer::Line { points: diagonal, ink: Ink::Reference, width: 1.5 }],
        legend: vec![
            Key { text, ink: Ink::Series(0), sign },
            Key { text: "perfect".to_owned(), ink: Ink::Reference, sign: Sign::Line },
        ],
    };
    let caption = "On the diagonal, predictions are right; above it they are too high.";
    Ok(Figure { name: "predictions", svg: chart.draw()?, caption: caption.to_owned(), number: r2 })
}

fn residuals(config: &Config, candidate: &Numbered) -> Result<Figure> {
    let points: Vec<(f64, f64)> =
        candidate.predicted.iter().zip(&candidate.truth).map(|(&guess, truth)| (guess, truth - guess)).collect();
    let across = range(points.iter().map(|point| point.0));
    let up = range(points.iter().map(|point| point.1).chain([0.0]));
    let (layer, sign, text) = cloud(&points, (across, up));
    let [low, middle, high] = bands(&points, across, config.bins);
    let line = |points: Vec<(f64, f64)>, ink| Layer::Line { points, ink, width: 2.0 };
    let chart = Chart {
        title: format!("Residuals — MAE {}", number(regression::mae(&candidate.truth, &candidate.predicted))),
        x: Axis { label: "Prediction".to_owned(), range: across, percent: false },
        y: Axis { label: "Truth − prediction".to_owned(), range: up, percent: false },
        layers: vec![
            layer,
            Layer::Line { points: vec![(across.0, 0.0), (across.1, 0.0)], ink: Ink::Reference, width: 1.5 },
            line(low, Ink::Series(2)),
            line(high, Ink::Series(2)),
            line(middle, Ink::Series(1)),
        ],
        legend: vec![
            Key { text, ink: Ink::Series(0), sign },
            Key { text: "median".to_owned(), ink: Ink::Series(1), sign: Sign::Line },
            Key { text: "5 % and 95 %".to_owned(), ink: Ink::Series(2), sign: Sign::Line },
        ],
    };
    let caption = "What is left over, by prediction. A median away from 0 is a bias; a band that widens says that \
                   larger predictions are less certain.";
    Ok(Figure { name: "residuals", svg: chart.draw()?, caption: caption.to_owned(), number: None })
}

fn errors(config: &Config, candidate: &Numbered) -> Result<Figure> {
    let residuals: Vec<f64> =
        candidate.truth.iter().zip(&candidate.predicted).map(|(truth, guess)| truth - guess).collect();
    let bounds = range(residuals.iter().copied());
    let shares = shares(residuals.iter().copied(), bounds, 4 * config.bins);
    let highest = shares.iter().copied().fold(0.0, f64::max);
    let mean = residuals.iter().sum::<f64>() / residuals.len() as f64;
    let chart = Chart {
        title: format!("Errors — mean {}", number(mean)),
        x: Axis { label: "Truth − prediction".to_owned(), range: bounds, percent: false },
        y: Axis { label: "Share of rows".to_owned(), range: (0.0, highest * 1.05), percent: true },
        layers: vec![Layer::Boxes { boxes: boxes(&shares, bounds), ink: Ink::Series(0) }],
        legend: Vec::new(),
    };
    let caption = "How large errors are, and how often. Far to the right, predictions were too low.";
    Ok(Figure { name: "errors", svg: chart.draw()?, caption: caption.to_owned(), number: Some(mean) })
}

type Range = (f64, f64);

/// Dots, or, for many rows, cells whose shade grows with the logarithm of their rows: every row is in one.
fn cloud(points: &[(f64, f64)], (across, up): (Range, Range)) -> (Layer, Sign, String) {
    let ink = Ink::Series(0);
    if points.len() <= MOST_DOTS {
        let layer = Layer::Dots { points: points.to_vec(), ink, radius: 2.5, opacity: 0.45 };
        return (layer, Sign::Dot, format!("{} rows", points.len()));
    }
    let mut counts = vec![0_usize; CELLS * CELLS];
    let cell = |value: f64, (low, high): Range| place((value - low) / (high - low), CELLS);
    for &(x, y) in points {
        counts[cell(y, up) * CELLS + cell(x, across)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1) as f64;
    let edge = |cell: usize, (low, high): Range| low + (high - low) * cell as f64 / CELLS as f64;
    let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let boxes = filled.map(|(at, &count)| {
        let (column, row) = (at % CELLS, at / CELLS);
        let shade = (count as f64).ln_1p() / most.ln_1p();
        Block {
            from: (edge(column, across), edge(row, up)),
            to: (edge(column + 1, across), edge(row + 1, up)),
            opacity: ((0.12 + 0.8 * shade) * 100.0).round() / 100.0,
        }
    });
    (Layer::Boxes { boxes: boxes.collect(), ink }, Sign::Area, format!("{} rows, darker where more", points.len()))
}

/// Quantiles 5 %, 50 % and 95 % in bins along the first axis; bins with few rows say nothing.
fn bands(points: &[(f64, f64)], (low, high): Range, bins: usize) -> [Vec<(f64, f64)>; 3] {
    const FEWEST: usize = 20;
    let mut inside = vec![Vec::new(); bins];
    for &(x, y) in points {
        inside[place((x - low) / (high - low), bins)].push(y);
    }
    let mut bands = [Vec::new(), Vec::new(), Vec::new()];
    for (bin, values) in inside.iter_mut().enumerate().filter(|(_, values)| values.len() >= FEWEST) {
        values.sort_unstable_by(f64::total_cmp);
        let middle = low + (high - low) * (bin as f64 + 0.5) / bins as f64;
        for (band, q) in bands.iter_mut().zip([0.05, 0.5, 0.95]) {
            band.extend(quantile::linear(values, q).map(|value| (middle, value)));
        }
    }
    bands
}

/// From the least to the greatest value, with a margin that keeps them off the frame.
fn range(values: impl Iterator<Item = f64>) -> Range {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let margin = if high > low { 0.03 * (high - low) } else { low.abs().max(1.0) * 0.5 };
    (low - margin, high + margin)
}
