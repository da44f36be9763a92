//! Operators that make one number of many along axes. Computed in `f64` and rounded to the tensor's own type.

use super::{Kernel, PostTransform, attribute_list, highest, list, required};
use crate::model::Node;
use crate::protobuf::Problem;
use crate::tensor::{Data, Tensor, around};

pub const REDUCTIONS: &[&str] = &[
    "ReduceSum",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSum",
    "ReduceLogSumExp",
];

/// Before version 13, all axes from the given one on count as one.
pub fn softmax(node: &Node) -> Result<Kernel, Problem> {
    let (since_13, logarithm) = (node.opset >= 13, node.operator == "LogSoftmax");
    let axis = node.whole("axis", if since_13 { -1 } else { 1 });
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let axis = input.axis(axis)?;
        let (before, mut size, mut behind) = around(&input.shape, axis);
        if !since_13 {
            (size, behind) = (size * behind, 1);
        }
        let mut values = input.data.doubles()?;
        let mut lane = vec![0.0; size];
        for (outer, inner) in (0..before).flat_map(|outer| (0..behind).map(move |inner| (outer, inner))) {
            let place = |at: usize| (outer * size + at) * behind + inner;
            (0..size).for_each(|at| lane[at] = values[place(at)]);
            PostTransform::Softmax.apply(&mut lane);
            (0..size).for_each(|at| values[place(at)] = if logarithm { lane[at].ln() } else { lane[at] });
        }
        like(input, input.shape.clone(), values)
    }))
}

/// Values in the type of another tensor.
fn like(input: &Tensor, shape: Vec<usize>, values: Vec<f64>) -> Result<Vec<Tensor>, Problem> {
    let data = match &input.data {
        Data::Single(_) => Data::Single(values.into_iter().map(|value| value as f32).collect()),
        Data::Double(_) => Data::Double(values),
        Data::Whole(_) => Data::Whole(values.into_iter().map(|value| value as i64).collect()),
        other => return Err(format!("{} where numbers are needed", other.name())),
    };
    Ok(vec![Tensor::new(shape, data)?])
}

pub fn arg(node: &Node) -> Result<Kernel, Problem> {
    let (axis, keep) = (node.whole("axis", 0), node.whole("keepdims", 1) != 0);
    let (least, last) = (node.operator == "ArgMin", node.whole("select_last_index", 0) != 0);
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let axis = input.axis(axis)?;
        let (before, size, behind) = around(&input.shape, axis);
        if size == 0 {
            return Err("no elements to choose from".to_owned());
        }
        let values = input.data.doubles()?;
        let mut places = Vec::with_capacity(before * behind);
        for (outer, inner) in (0..before).flat_map(|outer| (0..behind).map(move |inner| (outer, inner))) {
            let value = |at: usize| values[(outer * size + at) * behind + inner];
            let mut lane: Vec<f64> = (0..size).map(|at| if least { -value(at) } else { value(at) }).collect();
            let place = if last {
                lane.reverse();
                size - 1 - highest(&lane)
            } else {
                highest(&lane)
            };
            places.push(place as i64);
        }
        let shape = without(&input.shape, &[axis], keep);
        Ok(vec![Tensor::new(shape, Data::Whole(places))?])
    }))
}

/// A shape without some axes, or with 1 in their place.
fn without(shape: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    let size = |(axis, &size): (usize, &usize)| match axes.contains(&axis) {
        true if keep => Some(1),
        true => None,
        false => Some(size),
    };
    shape.iter().enumerate().filter_map(size).collect()
}

pub fn reduce(node: &Node) -> Result<Kernel, Problem> {
    let (fixed, keep) = (attribute_list(node, "axes"), node.whole("keepdims", 1) != 0);
    let nothing_if_empty = node.whole("noop_with_empty_axes", 0) != 0;
    let operator = node.operator.clone();
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let axes = list(&fixed, inputs, 1)?.unwrap_or_default();
        if axes.is_empty() && nothing_if_empty {
            return Ok(vec![input.clone()]);
        }
        let all = axes.is_empty();
        let axes = axes.iter().map(|&axis| input.axis(axis)).collect::<Result<Vec<_>, _>>()?;
        let axes = if all { (0..input.shape.len()).collect() } else { axes };
        let values = input.data.doubles()?;
        let kept = without(&input.shape, &axes, true);
        // For each element the place of the number that it goes into: its tensor stretched over the input.
        let into = super::elementwise::places(&kept, &input.shape, values.len());
        let mut lanes: Vec<Vec<f64>> = vec![Vec::new(); kept.iter().product()];
        values.iter().zip(into).for_each(|(&value, into)| lanes[into].push(value));
        let results = lanes.iter().map(|lane| number(&operator, lane)).collect();
        like(input, without(&input.shape, &axes, keep), results)
    }))
}

fn number(operator: &str, values: &[f64]) -> f64 {
    let sum = |of: fn(f64) -> f64| values.iter().map(|&value| of(value)).sum::<f64>();
    let most = || values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match operator {
        "ReduceSum" => sum(|x| x),
        "ReduceMean" => sum(|x| x) / values.len() as f64,
        "ReduceMax" => most(),
        "ReduceMin" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "ReduceProd" => values.iter().product(),
        "ReduceL1" => sum(f64::abs),
        "ReduceL2" => sum(|x| x * x).sqrt(),
        "ReduceSumSquare" => sum(|x| x * x),
        "ReduceLogSum" => sum(|x| x).ln(),
        // Stable far from 0.
        _ => {
            let most = most();
            most + values.iter().map(|value| (value - most).exp()).sum::<f64>().ln()
        }
    }
}
