//! `Scaler`, `Normalizer`, `LinearRegressor` and `LinearClassifier` of `ai.onnx.ml`. They give `f32`, whatever they
//! take; sums are made in `f64`.

use super::{Kernel, PostTransform, highest, required};
use crate::model::Node;
use crate::protobuf::Problem;
use crate::tensor::{Data, Tensor, elements};

fn singles(values: Vec<f64>) -> Data {
    Data::Single(values.into_iter().map(|value| value as f32).collect())
}

/// `(x - offset) · scale`, each one number for all features or one for each.
pub fn scaler(node: &Node) -> Result<Kernel, Problem> {
    let (offset, scale) = (node.singles("offset").to_vec(), node.singles("scale").to_vec());
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let (_, features) = input.matrix()?;
        let fits = |list: &[f32]| list.len() == 1 || list.len() == features;
        if !fits(&offset) || !fits(&scale) {
            return Err(format!("{} offsets and {} scales for {features} features", offset.len(), scale.len()));
        }
        let mut values = input.data.doubles()?;
        for row in values.chunks_exact_mut(features.max(1)) {
            for (feature, value) in row.iter_mut().enumerate() {
                let of = |list: &[f32]| f64::from(list[feature.min(list.len() - 1)]);
                *value = (*value - of(&offset)) * of(&scale);
            }
        }
        Ok(vec![Tensor { shape: input.shape.clone(), data: singles(values) }])
    }))
}

/// Each row divided by its size; a row of zeros stays.
pub fn normalizer(node: &Node) -> Result<Kernel, Problem> {
    let size: fn(&[f64]) -> f64 = match node.text("norm").unwrap_or("MAX") {
        "MAX" => |row| row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "L1" => |row| row.iter().map(|value| value.abs()).sum(),
        "L2" => |row| row.iter().map(|value| value * value).sum::<f64>().sqrt(),
        other => return Err(format!("the norm `{other}` is not supported")),
    };
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let (_, features) = input.matrix()?;
        let mut values = input.data.doubles()?;
        for row in values.chunks_exact_mut(features.max(1)) {
            let size = size(row);
            if size != 0.0 {
                row.iter_mut().for_each(|value| *value /= size);
            }
        }
        Ok(vec![Tensor { shape: input.shape.clone(), data: singles(values) }])
    }))
}

/// Weights for each target, and where each target's sum starts.
struct Weights {
    targets: usize,
    coefficients: Vec<f64>,
    intercepts: Vec<f64>,
}

impl Weights {
    fn of(node: &Node, targets: usize) -> Result<Self, Problem> {
        let doubles = |name| node.singles(name).iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        let (coefficients, mut intercepts) = (doubles("coefficients"), doubles("intercepts"));
        if intercepts.is_empty() {
            intercepts.resize(targets.min(coefficients.len()), 0.0);
        }
        if targets == 0 || intercepts.len() != targets || coefficients.len() % targets != 0 {
            let (weights, starts) = (coefficients.len(), intercepts.len());
            return Err(format!("{weights} coefficients and {starts} intercepts for {targets} targets"));
        }
        Ok(Self { targets, coefficients, intercepts })
    }

    /// The sums of each row, row after row.
    fn sums(&self, input: &Tensor) -> Result<(usize, Vec<f64>), Problem> {
        let (rows, features) = input.matrix()?;
        if features * self.targets != self.coefficients.len() {
            let (weights, targets) = (self.coefficients.len(), self.targets);
            return Err(format!("{weights} coefficients for {features} features and {targets} targets"));
        }
        let values = input.data.doubles()?;
        let mut sums = Vec::with_capacity(elements(&[rows, self.targets])?);
        for row in values.chunks_exact(features.max(1)) {
            let targets = self.coefficients.chunks_exact(features.max(1)).zip(&self.intercepts);
            sums.extend(
                targets.map(|(weights, start)| weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>() + start),
            );
        }
        Ok((rows, sums))
    }
}

pub fn regressor(node: &Node) -> Result<Kernel, Problem> {
    let targets = usize::try_from(node.whole("targets", 1)).map_err(|_| "targets below 0")?;
    let (weights, transform) = (Weights::of(node, targets)?, PostTransform::of(node)?);
    Ok(Box::new(move |inputs| {
        let (rows, mut sums) = weights.sums(required(inputs, 0)?)?;
        sums.chunks_exact_mut(targets).for_each(|sums| transform.apply(sums));
        Ok(vec![Tensor::new(vec![rows, targets], singles(sums))?])
    }))
}

/// Labels and scores. With two classes and weights for one, the weights speak for the second.
pub fn classifier(node: &Node) -> Result<Kernel, Problem> {
    let (classes, transform) = (node.class_data(), PostTransform::of(node)?);
    let targets = node.singles("intercepts").len().max(if node.has("intercepts") { 0 } else { classes.len() });
    let weights = Weights::of(node, targets)?;
    let one_for_two = targets == 1 && classes.len() == 2;
    if targets != classes.len() && !one_for_two {
        return Err(format!("weights for {targets} targets, and {} classes", classes.len()));
    }
    Ok(Box::new(move |inputs| {
        let (rows, sums) = weights.sums(required(inputs, 0)?)?;
        let mut labels = Vec::with_capacity(rows);
        let mut scores = Vec::with_capacity(rows * classes.len());
        for sums in sums.chunks_exact(targets) {
            let start = scores.len();
            if one_for_two {
                labels.push(usize::from(sums[0] > 0.0));
                scores.extend([-sums[0], sums[0]]);
            } else {
                labels.push(highest(sums));
                scores.extend_from_slice(sums);
            }
            transform.apply(&mut scores[start..]);
        }
        let scores = Tensor::new(vec![rows, classes.len()], singles(scores))?;
        Ok(vec![Tensor::list(classes.take(&labels)), scores])
    }))
}
