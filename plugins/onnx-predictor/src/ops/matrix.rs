//! Products of matrices. `f32` sums are kept as `f32`, as the libraries do that export such models.

use std::ops::{Add, Mul};

use super::{Kernel, optional, required};
use crate::model::Node;
use crate::ops::elementwise::{broadcast, places};
use crate::protobuf::Problem;
use crate::tensor::{Data, Tensor, elements};

/// Multiplications of one product: seconds of work, and more than models for tables need.
const MOST_WORK: u64 = 1 << 32;

trait Number: Copy + Default + Add<Output = Self> + Mul<Output = Self> {}

impl Number for f32 {}
impl Number for f64 {}

/// `rows × inner` times `inner × columns`.
fn product<T: Number>(left: &[T], right: &[T], [rows, inner, columns]: [usize; 3]) -> Vec<T> {
    let mut result = vec![T::default(); rows * columns];
    if inner == 0 || columns == 0 {
        return result;
    }
    for (left, result) in left.chunks_exact(inner).zip(result.chunks_exact_mut(columns)) {
        for (&factor, right) in left.iter().zip(right.chunks_exact(columns)) {
            for (sum, &value) in result.iter_mut().zip(right) {
                *sum = *sum + factor * value;
            }
        }
    }
    result
}

fn transposed<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

fn multiply(left: &Data, right: &Data, sizes: [usize; 3]) -> Result<Data, Problem> {
    let [rows, inner, columns] = sizes;
    let work = (rows as u64).checked_mul(inner as u64).and_then(|work| work.checked_mul(columns as u64));
    if work.is_none_or(|work| work > MOST_WORK) {
        return Err(format!("a product of {rows} × {inner} by {columns} is too large"));
    }
    elements(&[rows, columns])?;
    match (left, right) {
        (Data::Single(left), Data::Single(right)) => Ok(Data::Single(product(left, right, sizes))),
        (left, right) if left.is_float() && right.is_float() => {
            Ok(Data::Double(product(&left.doubles()?, &right.doubles()?, sizes)))
        }
        (left, right) => Err(format!("{} by {}, and floats are needed", left.name(), right.name())),
    }
}

/// Of two matrices, or of rows of matrices by one matrix.
pub fn matmul(_: &Node) -> Result<Kernel, Problem> {
    Ok(Box::new(|inputs| {
        let (left, right) = (required(inputs, 0)?, required(inputs, 1)?);
        let wrong = || format!("tensors of {:?} and {:?} cannot be multiplied", left.shape, right.shape);
        let (Some((&inner, outer)), [rows, rest @ ..]) = (left.shape.split_last(), right.shape.as_slice()) else {
            return Err(wrong());
        };
        if inner != *rows || rest.len() > 1 {
            return Err(wrong());
        }
        let columns = rest.first().copied().unwrap_or(1);
        let data = multiply(&left.data, &right.data, [outer.iter().product(), inner, columns])?;
        Ok(vec![Tensor::new([outer, rest].concat(), data)?])
    }))
}

/// `alpha · A · B + beta · C`.
pub fn gemm(node: &Node) -> Result<Kernel, Problem> {
    let (alpha, beta) = (node.single("alpha", 1.0), node.single("beta", 1.0));
    let turned = [node.whole("transA", 0) != 0, node.whole("transB", 0) != 0];
    Ok(Box::new(move |inputs| {
        let mut factors = Vec::new();
        for (place, turned) in turned.into_iter().enumerate() {
            let input = required(inputs, place)?;
            let (rows, columns) = input.matrix()?;
            factors.push(match (turned, &input.data) {
                (false, data) => (rows, columns, data.clone()),
                (true, Data::Single(values)) => (columns, rows, Data::Single(transposed(values, rows, columns))),
                (true, data) => (columns, rows, Data::Double(transposed(&data.doubles()?, rows, columns))),
            });
        }
        let [(rows, inner, left), (other, columns, right)] = factors.as_slice() else {
            return Err("it needs two matrices".to_owned());
        };
        if inner != other {
            return Err(format!("matrices of {rows} × {inner} and {other} × {columns} cannot be multiplied"));
        }
        let shape = vec![*rows, *columns];
        let mut data = multiply(left, right, [*rows, *inner, *columns])?;
        scale(&mut data, f64::from(alpha));
        if let Some(addend) = optional(inputs, 2) {
            if broadcast(&addend.shape, &shape)? != shape {
                return Err(format!("a tensor of {:?} cannot be added to one of {shape:?}", addend.shape));
            }
            let mut addend = addend.data.take(&places(&addend.shape, &shape, data.len()));
            scale(&mut addend, f64::from(beta));
            add(&mut data, &addend)?;
        }
        Ok(vec![Tensor { shape, data }])
    }))
}

fn scale(data: &mut Data, by: f64) {
    match data {
        Data::Single(values) if by != 1.0 => values.iter_mut().for_each(|value| *value *= by as f32),
        Data::Double(values) if by != 1.0 => values.iter_mut().for_each(|value| *value *= by),
        _ => {}
    }
}

fn add(to: &mut Data, addend: &Data) -> Result<(), Problem> {
    match to {
        Data::Single(to) => to.iter_mut().zip(addend.singles()?).for_each(|(to, addend)| *to += addend),
        Data::Double(to) => to.iter_mut().zip(addend.doubles()?).for_each(|(to, addend)| *to += addend),
        other => return Err(format!("{} where floats are needed", other.name())),
    }
    Ok(())
}

/// `(x - mean) / √(variance + epsilon) · scale + shift`, for each feature.
pub fn batch_normalization(node: &Node) -> Result<Kernel, Problem> {
    let epsilon = f64::from(node.single("epsilon", 1e-5));
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let (_, features) = input.matrix()?;
        let mut parameters = Vec::new();
        for place in 1..5 {
            let values = required(inputs, place)?.data.doubles()?;
            if values.len() != features {
                return Err(format!("{} numbers for {features} features", values.len()));
            }
            parameters.push(values);
        }
        let [scale, shift, mean, variance] = parameters.as_slice() else {
            return Err("it needs four lists of numbers".to_owned());
        };
        let mut values = input.data.doubles()?;
        for row in values.chunks_exact_mut(features.max(1)) {
            for (feature, value) in row.iter_mut().enumerate() {
                *value =
                    (*value - mean[feature]) / (variance[feature] + epsilon).sqrt() * scale[feature] + shift[feature];
            }
        }
        let data = if let Data::Single(_) = input.data {
            Data::Single(Data::Double(values).singles()?)
        } else {
            Data::Double(values)
        };
        Ok(vec![Tensor { shape: input.shape.clone(), data }])
    }))
}
