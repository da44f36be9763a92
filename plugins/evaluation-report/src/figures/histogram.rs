//! Where the scores lie.

use wasmlops_sdk::prelude::Result;

use super::Figure;
use crate::bins::shares;
use crate::canvas::{self, Ink};
use crate::chart::{Axis, Block, Chart, Key, Layer, Sign};
use crate::config::Config;
use crate::outcomes::Classified;

pub fn draw(config: &Config, candidate: &Classified) -> Result<Option<Figure>> {
    if candidate.rows.probabilities.is_empty() {
        return Ok(None);
    }
    let (title, x, groups) = groups(candidate);
    let bins = 2 * config.bins;
    let filled = shares(groups[0].1.iter().copied(), (0.0, 1.0), bins);
    let outlined = shares(groups[1].1.iter().copied(), (0.0, 1.0), bins);
    let highest = filled.iter().chain(&outlined).copied().fold(0.0, f64::max);
    let chart = Chart {
        title,
        x: Axis::unit(x),
        y: Axis { label: "Share of the group's rows".to_owned(), range: (0.0, highest * 1.05), percent: true },
        layers: vec![
            Layer::Boxes { boxes: boxes(&filled, (0.0, 1.0)), ink: Ink::Series(0) },
            Layer::Line { points: outline(&outlined, (0.0, 1.0)), ink: Ink::Series(1), width: 2.0 },
        ],
        legend: groups
            .iter()
            .enumerate()
            .map(|(index, (name, values))| Key {
                text: format!("{name} ({} rows)", values.len()),
                ink: Ink::Series(index),
                sign: if index == 0 { Sign::Area } else { Sign::Line },
            })
            .collect(),
    };
    let caption = "Both groups are as large as each other here, however many rows they have. The less they overlap, \
                   the better the scores tell them apart.";
    Ok(Some(Figure { name: "scores", svg: chart.draw()?, caption: caption.to_owned(), number: None }))
}

type Group = (String, Vec<f64>);

fn groups(candidate: &Classified) -> (String, &'static str, [Group; 2]) {
    let split = |values: &mut dyn Iterator<Item = (f64, bool)>| {
        let (yes, no): (Vec<_>, Vec<_>) = values.partition(|(_, yes)| *yes);
        let values = |rows: Vec<(f64, bool)>| rows.into_iter().map(|(value, _)| value).collect::<Vec<f64>>();
        (values(yes), values(no))
    };
    match candidate.rows.positive {
        Some(positive) => {
            let scores = candidate.rows.probabilities[positive].iter().copied().zip(candidate.is(positive));
            let (yes, no) = split(&mut { scores });
            let name = |class: usize| format!("truth {}", canvas::fitted(&candidate.names[class], 12.0, 120.0));
            let groups = [(name(1 - positive), no), (name(positive), yes)];
            ("Scores by truth".to_owned(), "Predicted probability", groups)
        }
        None => {
            let said = candidate.rows.predicted.iter().zip(&candidate.truth).enumerate();
            let scores =
                said.map(|(row, (&said, &truth))| (candidate.rows.probabilities[said as usize][row], said == truth));
            let (right, wrong) = split(&mut { scores });
            let groups = [("right".to_owned(), right), ("wrong".to_owned(), wrong)];
            ("Confidence, right and wrong".to_owned(), "Probability of the predicted class", groups)
        }
    }
}

/// Bars of a histogram.
pub fn boxes(shares: &[f64], (low, high): (f64, f64)) -> Vec<Block> {
    let width = (high - low) / shares.len() as f64;
    let block = |(bin, share): (usize, &f64)| Block {
        from: (low + bin as f64 * width, 0.0),
        to: (low + (bin + 1) as f64 * width, *share),
        opacity: 0.35,
    };
    shares.iter().enumerate().map(block).collect()
}

/// The upper edge of a histogram, as steps.
fn outline(shares: &[f64], (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let width = (high - low) / shares.len() as f64;
    let edge = |(bin, share): (usize, &f64)| [bin, bin + 1].map(|edge| (low + edge as f64 * width, *share));
    std::iter::once((low, 0.0))
        .chain(shares.iter().enumerate().flat_map(edge))
        .chain(std::iter::once((high, 0.0)))
        .collect()
}
