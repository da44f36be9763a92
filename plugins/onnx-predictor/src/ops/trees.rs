//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor` of `ai.onnx.ml`: scikit-learn's trees and forests, and what
//! onnxmltools makes of XGBoost and LightGBM. The trees themselves are in `forest`.

mod forest;

use super::{Kernel, PostTransform, highest, required};
use crate::model::Node;
use crate::protobuf::Problem;
use crate::tensor::{Data, Tensor, elements};

use forest::{Aggregate, Forest};

/// Scores are `f32` unless the model's values are doubles.
fn scores_of(node: &Node) -> impl Fn(Vec<f64>) -> Data + use<> {
    let double = node.has("nodes_values_as_tensor");
    move |values| {
        if double { Data::Double(values) } else { Data::Single(values.into_iter().map(|value| value as f32).collect()) }
    }
}

pub fn regressor(node: &Node) -> Result<Kernel, Problem> {
    let targets = usize::try_from(node.whole("n_targets", 1)).unwrap_or(0);
    let aggregate = match node.text("aggregate_function").unwrap_or("SUM") {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Least,
        "MAX" => Aggregate::Most,
        other => return Err(format!("the aggregate_function `{other}` is not supported")),
    };
    let forest = Forest::of(node, "target", targets)?;
    let (base, transform) = (base_values(node, targets)?, PostTransform::of(node)?);
    let scores = scores_of(node);
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let (rows, features) = input.matrix()?;
        forest.check(features)?;
        let values = input.data.doubles()?;
        let mut sums = vec![0.0; elements(&[rows, targets])?];
        for (row, sums) in values.chunks_exact(features.max(1)).zip(sums.chunks_exact_mut(targets)) {
            forest.score(row, aggregate, sums);
            sums.iter_mut().zip(&base).for_each(|(sum, base)| *sum += base);
            transform.apply(sums);
        }
        Ok(vec![Tensor::new(vec![rows, targets], scores(sums))?])
    }))
}

/// Where the sums start: for each target, for none, or one for all.
fn base_values(node: &Node, targets: usize) -> Result<Vec<f64>, Problem> {
    let base = node.numbers("base_values")?;
    match base.len() {
        0 => Ok(vec![0.0; targets]),
        1 => Ok(vec![base[0]; targets]),
        count if count == targets => Ok(base),
        count => Err(format!("{count} base_values for {targets} targets")),
    }
}

/// Labels and scores. With two classes of which leaves name only one, its score speaks for the second class.
pub fn classifier(node: &Node) -> Result<Kernel, Problem> {
    let classes = node.class_data();
    let count = classes.len();
    if count == 0 {
        return Err("it names no classes".to_owned());
    }
    let forest = Forest::of(node, "class", count)?;
    let (base, transform) = (base_values(node, count)?, PostTransform::of(node)?);
    let only = if count == 2 { forest.only_target() } else { None };
    let positive = only.is_some() && forest.no_weight_below_zero();
    let scores = scores_of(node);
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let (rows, features) = input.matrix()?;
        forest.check(features)?;
        let values = input.data.doubles()?;
        let mut sums = vec![0.0; elements(&[rows, count])?];
        let mut labels = Vec::with_capacity(rows);
        for (row, sums) in values.chunks_exact(features.max(1)).zip(sums.chunks_exact_mut(count)) {
            forest.score(row, Aggregate::Sum, sums);
            sums.iter_mut().zip(&base).for_each(|(sum, base)| *sum += base);
            if let Some(only) = only {
                // Weights from 0 without a transform are probabilities, others are scores around 0.
                let score = sums[only];
                let probability = positive && transform == PostTransform::Nothing;
                labels.push(usize::from(score > if probability { 0.5 } else { 0.0 }));
                sums.copy_from_slice(&[if probability { 1.0 - score } else { -score }, score]);
            } else {
                labels.push(highest(sums));
            }
            transform.apply(sums);
        }
        let scores = Tensor::new(vec![rows, count], scores(sums))?;
        Ok(vec![Tensor::list(classes.take(&labels)), scores])
    }))
}
