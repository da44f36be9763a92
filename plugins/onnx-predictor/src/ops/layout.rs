//! Operators that move elements without computing with them.

use std::rc::Rc;

use super::elementwise::{broadcast, places};
use super::{Kernel, attribute_list, list, optional, required};
use crate::model::Node;
use crate::protobuf::Problem;
use crate::tensor::{Data, Element, Tensor, around, axis_of, elements};

/// Also `ZipMap`, whose maps are read from its tensor and its classes, and `Dropout`, which does nothing when
/// predicting.
pub fn identity(_: &Node) -> Result<Kernel, Problem> {
    Ok(Box::new(|inputs| Ok(vec![required(inputs, 0)?.clone()])))
}

pub fn constant(node: &Node) -> Result<Kernel, Problem> {
    let texts = |texts: &[String]| Data::Text(texts.iter().map(|text| Rc::from(text.as_str())).collect());
    let value = if let Some(tensor) = node.tensor("value") {
        tensor.clone()
    } else if node.has("value_float") {
        Tensor { shape: Vec::new(), data: Data::Single(vec![node.single("value_float", 0.0)]) }
    } else if node.has("value_int") {
        Tensor { shape: Vec::new(), data: Data::Whole(vec![node.whole("value_int", 0)]) }
    } else if node.has("value_floats") {
        Tensor::list(Data::Single(node.singles("value_floats").to_vec()))
    } else if node.has("value_ints") {
        Tensor::list(Data::Whole(node.wholes("value_ints").to_vec()))
    } else if node.has("value_strings") {
        Tensor::list(texts(node.texts("value_strings")))
    } else {
        return Err("it has no value that is understood".to_owned());
    };
    Ok(Box::new(move |_| Ok(vec![value.clone()])))
}

pub fn constant_of_shape(node: &Node) -> Result<Kernel, Problem> {
    let value = node.tensor("value").map_or(Data::Single(vec![0.0]), |tensor| tensor.data.clone());
    if value.len() != 1 {
        return Err(format!("its value has {} elements", value.len()));
    }
    Ok(Box::new(move |inputs| {
        let shape = sizes(required(inputs, 0)?.data.wholes()?)?;
        let data = value.take(&vec![0; elements(&shape)?]);
        Ok(vec![Tensor { shape, data }])
    }))
}

pub fn cast(node: &Node) -> Result<Kernel, Problem> {
    let to = Element::from_number(node.whole("to", 0))?;
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        Ok(vec![Tensor { shape: input.shape.clone(), data: input.data.cast(to)? }])
    }))
}

pub fn shape(node: &Node) -> Result<Kernel, Problem> {
    if node.has("start") || node.has("end") {
        return Err("a part of a shape is not supported".to_owned());
    }
    Ok(Box::new(|inputs| {
        let shape = &required(inputs, 0)?.shape;
        Ok(vec![Tensor::list(Data::Whole(shape.iter().map(|&size| size as i64).collect()))])
    }))
}

fn sizes(sizes: &[i64]) -> Result<Vec<usize>, Problem> {
    let size = |&size: &i64| usize::try_from(size).map_err(|_| format!("a size of {size}"));
    sizes.iter().map(size).collect()
}

pub fn reshape(node: &Node) -> Result<Kernel, Problem> {
    let (fixed, allow_zero) = (attribute_list(node, "shape"), node.whole("allowzero", 0) != 0);
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let wanted = list(&fixed, inputs, 1)?.ok_or("it has no shape")?;
        let mut shape = Vec::with_capacity(wanted.len());
        for (axis, &size) in wanted.iter().enumerate() {
            shape.push(match size {
                0 if !allow_zero => *input.shape.get(axis).ok_or("a size of 0 where the input has no axis")?,
                -1 => 1,
                size => sizes(&[size])?[0],
            });
        }
        if let Some(open) = wanted.iter().position(|&size| size == -1) {
            let others = elements(&shape)?;
            shape[open] = input.data.len().checked_div(others).unwrap_or(0);
        }
        Ok(vec![Tensor::new(shape, input.data.clone())?])
    }))
}

pub fn flatten(node: &Node) -> Result<Kernel, Problem> {
    let axis = node.whole("axis", 1);
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let rank = input.shape.len();
        let axis = if axis == rank as i64 { rank } else { input.axis(axis)? };
        let (first, second) = input.shape.split_at(axis);
        let shape = vec![first.iter().product(), second.iter().product()];
        Ok(vec![Tensor::new(shape, input.data.clone())?])
    }))
}

pub fn squeeze(node: &Node) -> Result<Kernel, Problem> {
    let fixed = attribute_list(node, "axes");
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let axes = match list(&fixed, inputs, 1)? {
            Some(axes) => axes.iter().map(|&axis| input.axis(axis)).collect::<Result<Vec<_>, _>>()?,
            None => (0..input.shape.len()).filter(|&axis| input.shape[axis] == 1).collect(),
        };
        let kept = input.shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &size)| size);
        Ok(vec![Tensor::new(kept.collect(), input.data.clone())?])
    }))
}

pub fn unsqueeze(node: &Node) -> Result<Kernel, Problem> {
    let fixed = attribute_list(node, "axes");
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let axes = list(&fixed, inputs, 1)?.ok_or("it has no axes")?;
        let rank = input.shape.len() + axes.len();
        let axes = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?;
        let mut sizes = input.shape.iter();
        let size = |axis| if axes.contains(&axis) { Some(1) } else { sizes.next().copied() };
        let shape: Option<Vec<usize>> = (0..rank).map(size).collect();
        Ok(vec![Tensor::new(shape.ok_or("its axes come twice")?, input.data.clone())?])
    }))
}

pub fn transpose(node: &Node) -> Result<Kernel, Problem> {
    let order = attribute_list(node, "perm");
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let rank = input.shape.len();
        let order = match &order {
            Some(order) => order.iter().map(|&axis| input.axis(axis)).collect::<Result<Vec<_>, _>>()?,
            None => (0..rank).rev().collect(),
        };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..rank) {
            return Err(format!("{order:?} is no order of {rank} axes"));
        }
        let mut strides = vec![1; rank];
        (1..rank).rev().for_each(|axis| strides[axis - 1] = strides[axis] * input.shape[axis]);
        let shape: Vec<usize> = order.iter().map(|&axis| input.shape[axis]).collect();
        let place = |mut number: usize| {
            let axes = order.iter().rev();
            axes.fold(0, |place, &axis| {
                let at = number % input.shape[axis];
                number /= input.shape[axis];
                place + at * strides[axis]
            })
        };
        let places: Vec<usize> = (0..input.data.len()).map(place).collect();
        Ok(vec![Tensor { shape, data: input.data.take(&places) }])
    }))
}

pub fn concat(node: &Node) -> Result<Kernel, Problem> {
    let axis = node.whole("axis", 1);
    Ok(Box::new(move |inputs| {
        let first = required(inputs, 0)?;
        let axis = first.axis(axis)?;
        let (mut all, mut shape, mut parts) = (first.data.take(&[]), first.shape.clone(), Vec::new());
        shape[axis] = 0;
        for place in 0..inputs.len() {
            let part = required(inputs, place)?;
            let fits = part.shape.len() == shape.len()
                && part.shape.iter().zip(&shape).enumerate().all(|(other, (a, b))| other == axis || a == b);
            if !fits {
                return Err(format!("tensors of {:?} and {:?} do not go together", first.shape, part.shape));
            }
            shape[axis] += part.shape[axis];
            parts.push((all.len(), part.shape[axis]));
            elements(&shape)?;
            all.extend(part.data.clone())?;
        }
        let (before, _, behind) = around(&shape, axis);
        let mut places = Vec::with_capacity(all.len());
        for outer in 0..before {
            for &(start, size) in &parts {
                let from = start + outer * size * behind;
                places.extend(from..from + size * behind);
            }
        }
        Ok(vec![Tensor { shape, data: all.take(&places) }])
    }))
}

pub fn gather(node: &Node) -> Result<Kernel, Problem> {
    let axis = node.whole("axis", 0);
    Ok(Box::new(move |inputs| {
        let (input, chosen) = (required(inputs, 0)?, required(inputs, 1)?);
        let axis = input.axis(axis)?;
        let indexes = chosen.data.wholes()?.iter().map(|&index| axis_of(index, input.shape[axis]));
        let indexes = indexes.collect::<Result<Vec<_>, _>>().map_err(|_| "an index is out of range".to_owned())?;
        let shape = [&input.shape[..axis], &chosen.shape, &input.shape[axis + 1..]].concat();
        Ok(vec![Tensor { data: pick(input, axis, &indexes, &shape)?, shape }])
    }))
}

/// The elements at these indexes of an axis.
fn pick(input: &Tensor, axis: usize, indexes: &[usize], shape: &[usize]) -> Result<Data, Problem> {
    let (before, size, behind) = around(&input.shape, axis);
    let mut places = Vec::with_capacity(elements(shape)?);
    for outer in 0..before {
        for index in indexes {
            let from = (outer * size + index) * behind;
            places.extend(from..from + behind);
        }
    }
    Ok(input.data.take(&places))
}

pub fn slice(node: &Node) -> Result<Kernel, Problem> {
    let fixed = ["starts", "ends", "axes", "steps"].map(|name| attribute_list(node, name));
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let parts = [0, 1, 2, 3].map(|part| list(&fixed[part], inputs, part + 1));
        let [starts, ends, axes, steps] = parts;
        let (starts, ends) = (starts?.ok_or("it has no starts")?, ends?.ok_or("it has no ends")?);
        let axes = axes?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = steps?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err("its starts, ends, axes and steps are not equally many".to_owned());
        }
        let mut result = input.clone();
        for (place, &axis) in axes.iter().enumerate() {
            let axis = input.axis(axis)?;
            let size = result.shape[axis] as i64;
            let indexes = range(size, starts[place], ends[place], steps[place])?;
            let mut shape = result.shape.clone();
            shape[axis] = indexes.len();
            result = Tensor { data: pick(&result, axis, &indexes, &shape)?, shape };
        }
        Ok(vec![result])
    }))
}

/// The indexes from a start up to an end, each from the axis's end if below 0.
fn range(size: i64, start: i64, end: i64, step: i64) -> Result<Vec<usize>, Problem> {
    let from_end = |index: i64| if index < 0 { index.saturating_add(size) } else { index };
    if step == 0 {
        return Err("a step of 0".to_owned());
    }
    let (mut at, end) = if step > 0 {
        (from_end(start).clamp(0, size), from_end(end).clamp(0, size))
    } else {
        (from_end(start).clamp(-1, size - 1), from_end(end).clamp(-1, size - 1))
    };
    let mut indexes = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        indexes.push(at as usize);
        at = at.saturating_add(step);
    }
    Ok(indexes)
}

pub fn split(node: &Node) -> Result<Kernel, Problem> {
    let (axis, fixed, parts) = (node.whole("axis", 0), attribute_list(node, "split"), node.outputs.len());
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let axis = input.axis(axis)?;
        let size = input.shape[axis];
        let each = size.div_ceil(parts.max(1));
        let lengths = match list(&fixed, inputs, 1)? {
            Some(lengths) => sizes(&lengths)?,
            None => (0..parts).map(|part| each.min(size.saturating_sub(part * each))).collect(),
        };
        if lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length)) != Some(size) {
            return Err(format!("{lengths:?} do not add up to {size}"));
        }
        let mut start = 0;
        let mut part = |&length: &usize| {
            let indexes: Vec<usize> = (start..start + length).collect();
            start += length;
            let mut shape = input.shape.clone();
            shape[axis] = length;
            Ok(Tensor { data: pick(input, axis, &indexes, &shape)?, shape })
        };
        lengths.iter().map(&mut part).collect()
    }))
}

pub fn expand(_: &Node) -> Result<Kernel, Problem> {
    Ok(Box::new(|inputs| {
        let input = required(inputs, 0)?;
        let wanted = sizes(optional(inputs, 1).ok_or("it has no shape")?.data.wholes()?)?;
        let shape = broadcast(&input.shape, &wanted)?;
        let places = places(&input.shape, &shape, elements(&shape)?);
        Ok(vec![Tensor { shape, data: input.data.take(&places) }])
    }))
}
