//! How well scores rank: receiver operating characteristic, precision and recall, and what each threshold gives.

use wasmlops_sdk::prelude::Result;
use wasmlops_statistics::text::{number, percent};

use super::Figure;
use crate::canvas::{self, Ink, SERIES};
use crate::chart::{Axis, Chart, Key, Layer, Sign};
use crate::curves::{Cuts, thinned};
use crate::outcomes::Classified;

/// One curve of a chart.
struct Curve {
    name: String,
    cuts: Cuts,
}

pub fn draw(candidate: &Classified, baseline: Option<&Classified>) -> Result<Vec<Figure>> {
    let curves = curves(candidate, baseline);
    if curves.is_empty() {
        return Ok(Vec::new());
    }
    let mut figures = vec![roc(candidate, &curves)?, precision_recall(candidate, &curves)?];
    if candidate.rows.positive.is_some() {
        figures.push(thresholds(&curves[0])?);
    }
    Ok(figures)
}

/// Of two classes, the model and the baseline; of more, each of the most frequent ones against the rest.
fn curves(candidate: &Classified, baseline: Option<&Classified>) -> Vec<Curve> {
    let cuts = |model: &Classified, class: usize| Cuts::of(model.rows.probabilities.get(class)?, &model.is(class));
    let Some(positive) = candidate.rows.positive else {
        let mut classes: Vec<usize> = (0..candidate.names.len()).collect();
        classes.sort_by_key(|&class| std::cmp::Reverse(candidate.count(class)));
        classes.truncate(SERIES);
        let curve = |class: usize| {
            let name = canvas::fitted(&candidate.names[class], 12.0, 140.0);
            Some(Curve { name, cuts: cuts(candidate, class)? })
        };
        return classes.into_iter().filter_map(curve).collect();
    };
    let model = cuts(candidate, positive).map(|cuts| Curve { name: "model".to_owned(), cuts });
    let Some(model) = model else { return Vec::new() };
    let other = baseline.and_then(|baseline| cuts(baseline, positive));
    let other = other.map(|cuts| Curve { name: "baseline".to_owned(), cuts });
    std::iter::once(model).chain(other).collect()
}

/// Lines with their keys, the first curve on top.
fn lines(curves: &[Curve], points: impl Fn(&Cuts) -> (Vec<(f64, f64)>, f64)) -> (Vec<Layer>, Vec<Key>) {
    let line = |(index, curve): (usize, &Curve)| {
        let (points, score) = points(&curve.cuts);
        let ink = Ink::Series(index);
        let text = format!("{} {}", curve.name, number(score));
        (Layer::Line { points: thinned(&points), ink, width: 2.0 }, Key { text, ink, sign: Sign::Line })
    };
    let (mut layers, keys): (Vec<Layer>, Vec<Key>) = curves.iter().enumerate().map(line).unzip();
    layers.reverse();
    (layers, keys)
}

fn roc(candidate: &Classified, curves: &[Curve]) -> Result<Figure> {
    let (mut layers, mut legend) = lines(curves, |cuts| (cuts.roc(), area(cuts)));
    layers.insert(0, Layer::Line { points: vec![(0.0, 0.0), (1.0, 1.0)], ink: Ink::Reference, width: 1.5 });
    legend.push(Key { text: "chance 0.5".to_owned(), ink: Ink::Reference, sign: Sign::Line });
    let auc = candidate.rows.auc();
    let of = if candidate.rows.positive.is_some() { "" } else { "mean " };
    let chart = Chart {
        title: format!("ROC — {of}AUC {}", auc.map_or_else(|| "undefined".to_owned(), number)),
        x: Axis::unit("False positive rate"),
        y: Axis::unit("True positive rate"),
        layers,
        legend,
    };
    let caption = "Each threshold gives a point: which part of the others is called positive by mistake, and which \
                   part of the positive rows is found. The AUC is how often a positive row scores higher than another one.";
    Ok(Figure { name: "roc", svg: chart.draw()?, caption: caption.to_owned(), number: auc })
}

/// The area under the curve: trapezia between its points, ties counting half.
fn area(cuts: &Cuts) -> f64 {
    cuts.roc().windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum()
}

fn precision_recall(candidate: &Classified, curves: &[Curve]) -> Result<Figure> {
    let (mut layers, mut legend) = lines(curves, |cuts| (cuts.precision_recall(), cuts.average_precision()));
    let mean = curves.iter().map(|curve| curve.cuts.average_precision()).sum::<f64>() / curves.len() as f64;
    let mut caption =
        "How many of the rows that are called positive are so (precision), for each part of the positive \
                       rows that is found (recall). The average precision is the area below."
            .to_owned();
    let (title, score) = match candidate.rows.positive {
        Some(_) => {
            let first = &curves[0].cuts;
            let share = first.positives / (first.positives + first.negatives);
            layers.insert(0, Layer::Line { points: vec![(0.0, share), (1.0, share)], ink: Ink::Reference, width: 1.5 });
            legend.push(Key { text: format!("chance {}", number(share)), ink: Ink::Reference, sign: Sign::Line });
            caption += &format!(" {} of the rows are positive.", percent(share));
            let score = first.average_precision();
            (format!("Precision and recall — average precision {}", number(score)), score)
        }
        None => (format!("Precision and recall — mean average precision {}", number(mean)), mean),
    };
    let (x, y) = (Axis::unit("Recall"), Axis::unit("Precision"));
    let chart = Chart { title, x, y, layers, legend };
    Ok(Figure { name: "precision_recall", svg: chart.draw()?, caption, number: Some(score) })
}

fn thresholds(curve: &Curve) -> Result<Figure> {
    let mut layers = Vec::new();
    let mut legend = Vec::new();
    let curves = curve.cuts.by_threshold();
    let best = curves[2].iter().copied().fold((0.0, 0.0), |best, point| if point.1 > best.1 { point } else { best });
    for (index, (points, name)) in curves.iter().zip(["precision", "recall", "f1"]).enumerate() {
        let ink = Ink::Series(index);
        layers.push(Layer::Line { points: thinned(points), ink, width: 2.0 });
        legend.push(Key { text: name.to_owned(), ink, sign: Sign::Line });
    }
    let chart = Chart {
        title: format!("Thresholds — best f1 {} at {}", number(best.1), number(best.0)),
        x: Axis::unit("Threshold"),
        y: Axis::unit("Precision, recall, f1"),
        layers,
        legend,
    };
    let caption =
        "What each threshold on the probability would give. Choose one on rows that nothing else is judged by.";
    Ok(Figure { name: "thresholds", svg: chart.draw()?, caption: caption.to_owned(), number: Some(best.1) })
}
