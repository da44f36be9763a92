//! Operators that work on each element alone, with ONNX's (NumPy's) rules where shapes differ.

use super::{Kernel, optional, required};
use crate::model::Node;
use crate::protobuf::Problem;
use crate::tensor::{Data, Tensor, elements};

pub const UNARY: &[&str] = &[
    "Abs",
    "Neg",
    "Exp",
    "Log",
    "Sqrt",
    "Reciprocal",
    "Sigmoid",
    "Tanh",
    "Relu",
    "LeakyRelu",
    "Elu",
    "Selu",
    "Softplus",
    "Softsign",
    "HardSigmoid",
    "Erf",
    "Gelu",
    "Floor",
    "Ceil",
    "Round",
    "Sign",
];
pub const BINARY: &[&str] = &["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum"];
pub const COMPARISONS: &[&str] = &["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"];
pub const LOGIC: &[&str] = &["And", "Or", "Xor", "Not"];

/// Computed in `f64` and rounded to the tensor's own type, which is at least as exact as computing in it.
pub fn unary(node: &Node) -> Result<Kernel, Problem> {
    let alpha = |otherwise: f32| f64::from(node.single("alpha", otherwise));
    let gamma = f64::from(node.single("gamma", 1.050_701));
    let beta = f64::from(node.single("beta", 0.5));
    let apply: Box<dyn Fn(f64) -> f64> = match node.operator.as_str() {
        "Abs" => Box::new(f64::abs),
        "Neg" => Box::new(|x| -x),
        "Exp" => Box::new(f64::exp),
        "Log" => Box::new(f64::ln),
        "Sqrt" => Box::new(f64::sqrt),
        "Reciprocal" => Box::new(|x| 1.0 / x),
        "Sigmoid" => Box::new(|x| 1.0 / (1.0 + (-x).exp())),
        "Tanh" => Box::new(f64::tanh),
        "Relu" => Box::new(|x| if x < 0.0 { 0.0 } else { x }),
        "LeakyRelu" => with(alpha(0.01), |alpha, x| if x < 0.0 { alpha * x } else { x }),
        "Elu" => with(alpha(1.0), |alpha, x| if x < 0.0 { alpha * x.exp_m1() } else { x }),
        "Selu" => {
            let alpha = alpha(1.673_263_2);
            Box::new(move |x| gamma * if x <= 0.0 { alpha * x.exp_m1() } else { x })
        }
        "Softplus" => Box::new(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        "Softsign" => Box::new(|x| x / (1.0 + x.abs())),
        "HardSigmoid" => {
            let alpha = alpha(0.2);
            Box::new(move |x| (alpha * x + beta).clamp(0.0, 1.0))
        }
        "Erf" => Box::new(error_function),
        "Gelu" if node.text("approximate").is_some_and(|how| how != "none") => {
            Box::new(|x| 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x * x * x)).tanh()))
        }
        "Gelu" => Box::new(|x| 0.5 * x * (1.0 + error_function(x * std::f64::consts::FRAC_1_SQRT_2))),
        "Floor" => Box::new(f64::floor),
        "Ceil" => Box::new(f64::ceil),
        "Round" => Box::new(f64::round_ties_even),
        _ => Box::new(|x| if x == 0.0 || x.is_nan() { x } else { x.signum() }),
    };
    let sign = matches!(node.operator.as_str(), "Abs" | "Neg" | "Sign" | "Relu");
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let data = match &input.data {
            Data::Single(values) => Data::Single(values.iter().map(|&x| apply(f64::from(x)) as f32).collect()),
            Data::Double(values) => Data::Double(values.iter().map(|&x| apply(x)).collect()),
            Data::Whole(values) if sign => Data::Whole(values.iter().map(|&x| apply(x as f64) as i64).collect()),
            other => return Err(format!("{} where floats are needed", other.name())),
        };
        Ok(vec![Tensor { shape: input.shape.clone(), data }])
    }))
}

fn with(parameter: f64, apply: fn(f64, f64) -> f64) -> Box<dyn Fn(f64) -> f64> {
    Box::new(move |x| apply(parameter, x))
}

/// Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26: to 1.5e-7, as exact as `f32`.
fn error_function(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let series =
        ((((1.061_405_429 * t - 1.453_152_027) * t + 1.421_413_741) * t - 0.284_496_736) * t + 0.254_829_592) * t;
    (1.0 - series * (-x * x).exp()).copysign(x)
}

/// The same operation for each type; of whole numbers it may have no result.
type Operation = (fn(f32, f32) -> f32, fn(f64, f64) -> f64, fn(i64, i64) -> Option<i64>);

/// `Max`, `Min` and `Sum` take any number of inputs, one after the other.
pub fn binary(node: &Node) -> Result<Kernel, Problem> {
    let (single, double, whole): Operation = match node.operator.as_str() {
        "Add" | "Sum" => (|a, b| a + b, |a, b| a + b, |a, b| Some(a.wrapping_add(b))),
        "Sub" => (|a, b| a - b, |a, b| a - b, |a, b| Some(a.wrapping_sub(b))),
        "Mul" => (|a, b| a * b, |a, b| a * b, |a, b| Some(a.wrapping_mul(b))),
        "Div" => (|a, b| a / b, |a, b| a / b, i64::checked_div),
        "Pow" => (f32::powf, f64::powf, |a, b| Some((a as f64).powf(b as f64) as i64)),
        "Max" => (
            |a, b| if a.is_nan() || a > b { a } else { b },
            |a, b| if a.is_nan() || a > b { a } else { b },
            |a, b| Some(a.max(b)),
        ),
        _ => (
            |a, b| if a.is_nan() || a < b { a } else { b },
            |a, b| if a.is_nan() || a < b { a } else { b },
            |a, b| Some(a.min(b)),
        ),
    };
    let (many, power) = (matches!(node.operator.as_str(), "Max" | "Min" | "Sum"), node.operator == "Pow");
    Ok(Box::new(move |inputs| {
        let mut result = required(inputs, 0)?.clone();
        let count = if many { inputs.len() } else { 2 };
        for place in 1..count {
            let other = required(inputs, place)?;
            let (left, right) = if power {
                (result.data.clone(), like(&result.data, &other.data)?)
            } else {
                same(&result.data, &other.data)?
            };
            let shapes = (result.shape.as_slice(), other.shape.as_slice());
            let (shape, data) = match (&left, &right) {
                (Data::Single(left), Data::Single(right)) => {
                    let (shape, values) = combine(shapes, left, right, single)?;
                    (shape, Data::Single(values))
                }
                (Data::Double(left), Data::Double(right)) => {
                    let (shape, values) = combine(shapes, left, right, double)?;
                    (shape, Data::Double(values))
                }
                (Data::Whole(left), Data::Whole(right)) => {
                    let (shape, values) = combine(shapes, left, right, whole)?;
                    let values: Option<Vec<i64>> = values.into_iter().collect();
                    (shape, Data::Whole(values.ok_or("whole numbers are divided by 0")?))
                }
                (left, _) => return Err(format!("{} where numbers are needed", left.name())),
            };
            result = Tensor { shape, data };
        }
        Ok(vec![result])
    }))
}

/// Both as the wider of the two types.
fn same(left: &Data, right: &Data) -> Result<(Data, Data), Problem> {
    Ok(match (left, right) {
        (Data::Double(_), Data::Single(_)) => (left.clone(), Data::Double(right.doubles()?)),
        (Data::Single(_), Data::Double(_)) => (Data::Double(left.doubles()?), right.clone()),
        _ if left.name() == right.name() => (left.clone(), right.clone()),
        _ => return Err(format!("{} and {} do not go together", left.name(), right.name())),
    })
}

/// An exponent as the type of its base.
fn like(base: &Data, exponent: &Data) -> Result<Data, Problem> {
    Ok(match base {
        Data::Single(_) => Data::Single(exponent.singles()?),
        Data::Double(_) => Data::Double(exponent.doubles()?),
        _ => exponent.clone(),
    })
}

pub fn comparison(node: &Node) -> Result<Kernel, Problem> {
    let compare: fn(f64, f64) -> bool = match node.operator.as_str() {
        "Equal" => |a, b| a == b,
        "Less" => |a, b| a < b,
        "LessOrEqual" => |a, b| a <= b,
        "Greater" => |a, b| a > b,
        _ => |a, b| a >= b,
    };
    let equal = node.operator == "Equal";
    Ok(Box::new(move |inputs| {
        let (left, right) = (required(inputs, 0)?, required(inputs, 1)?);
        let shapes = (left.shape.as_slice(), right.shape.as_slice());
        let (shape, truths) = match (&left.data, &right.data) {
            (Data::Text(a), Data::Text(b)) if equal => {
                let places = |data: &Data| (0..data.len()).collect::<Vec<usize>>();
                combine(shapes, &places(&left.data), &places(&right.data), |x, y| a[x] == b[y])?
            }
            (a, b) => combine(shapes, &a.doubles()?, &b.doubles()?, compare)?,
        };
        Ok(vec![Tensor { shape, data: Data::Truth(truths) }])
    }))
}

pub fn logic(node: &Node) -> Result<Kernel, Problem> {
    let apply: fn(bool, bool) -> bool = match node.operator.as_str() {
        "And" => |a, b| a && b,
        "Or" => |a, b| a || b,
        _ => |a, b| a ^ b,
    };
    let not = node.operator == "Not";
    Ok(Box::new(move |inputs| {
        let left = required(inputs, 0)?;
        let truth = Tensor { shape: Vec::new(), data: Data::Truth(vec![true]) };
        // `not a` is `a xor true`.
        let right = if not { &truth } else { required(inputs, 1)? };
        let (Data::Truth(a), Data::Truth(b)) = (&left.data, &right.data) else {
            return Err(format!("{} where bools are needed", left.data.name()));
        };
        let (shape, truths) = combine((&left.shape, &right.shape), a, b, apply)?;
        Ok(vec![Tensor { shape, data: Data::Truth(truths) }])
    }))
}

pub fn clip(node: &Node) -> Result<Kernel, Problem> {
    let bounds = ["min", "max"].map(|name| node.has(name).then(|| f64::from(node.single(name, 0.0))));
    Ok(Box::new(move |inputs| {
        let input = required(inputs, 0)?;
        let bound = |place: usize| match optional(inputs, place + 1) {
            Some(tensor) => Ok(tensor.data.doubles()?.first().copied()),
            None => Ok::<_, Problem>(bounds[place]),
        };
        let (least, most) = (bound(0)?.unwrap_or(f64::NEG_INFINITY), bound(1)?.unwrap_or(f64::INFINITY));
        // NaN stays NaN, and where the bounds contradict each other the upper one holds.
        let clip = |x: f64| {
            if x > most {
                most
            } else if x < least {
                least.min(most)
            } else {
                x
            }
        };
        let data = match &input.data {
            Data::Single(values) => Data::Single(values.iter().map(|&x| clip(f64::from(x)) as f32).collect()),
            Data::Double(values) => Data::Double(values.iter().map(|&x| clip(x)).collect()),
            Data::Whole(values) => Data::Whole(values.iter().map(|&x| clip(x as f64) as i64).collect()),
            other => return Err(format!("{} where numbers are needed", other.name())),
        };
        Ok(vec![Tensor { shape: input.shape.clone(), data }])
    }))
}

pub fn choose(_: &Node) -> Result<Kernel, Problem> {
    Ok(Box::new(|inputs| {
        let (condition, yes, no) = (required(inputs, 0)?, required(inputs, 1)?, required(inputs, 2)?);
        let Data::Truth(truths) = &condition.data else {
            return Err(format!("{} as a condition", condition.data.name()));
        };
        let (mut all, other) = same(&yes.data, &no.data)?;
        let start = all.len();
        let places = |from: usize, count: usize| (from..from + count).collect::<Vec<usize>>();
        let (shape, pairs) =
            combine((&yes.shape, &no.shape), &places(0, start), &places(start, other.len()), |yes, no| (yes, no))?;
        let (shape, chosen) =
            combine((&condition.shape, &shape), truths, &pairs, |truth, (yes, no)| if truth { yes } else { no })?;
        all.extend(other)?;
        Ok(vec![Tensor { shape, data: all.take(&chosen) }])
    }))
}

pub fn is_nan(_: &Node) -> Result<Kernel, Problem> {
    Ok(Box::new(|inputs| {
        let input = required(inputs, 0)?;
        let truths = input.data.doubles()?.into_iter().map(f64::is_nan).collect();
        Ok(vec![Tensor { shape: input.shape.clone(), data: Data::Truth(truths) }])
    }))
}

/// Applies a function to all pairs of elements that broadcasting brings together.
pub fn combine<A: Copy, B: Copy, C>(
    (left_shape, right_shape): (&[usize], &[usize]),
    left: &[A],
    right: &[B],
    apply: impl Fn(A, B) -> C,
) -> Result<(Vec<usize>, Vec<C>), Problem> {
    let shape = broadcast(left_shape, right_shape)?;
    let count = elements(&shape)?;
    if left_shape == right_shape {
        return Ok((shape, left.iter().zip(right).map(|(&a, &b)| apply(a, b)).collect()));
    }
    if let ([b], true) = (right, left.len() == count) {
        return Ok((shape, left.iter().map(|&a| apply(a, *b)).collect()));
    }
    let (left_places, right_places) = (places(left_shape, &shape, count), places(right_shape, &shape, count));
    let pairs = left_places.into_iter().zip(right_places);
    Ok((shape, pairs.map(|(a, b)| apply(left[a], right[b])).collect()))
}

/// The shape that two shapes have together: sizes of 1 stretch.
pub fn broadcast(left: &[usize], right: &[usize]) -> Result<Vec<usize>, Problem> {
    let rank = left.len().max(right.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let fit = |axis| match (size(left, axis), size(right, axis)) {
        (a, b) if a == b => Ok(a),
        (1, b) => Ok(b),
        (a, 1) => Ok(a),
        _ => Err(format!("tensors of {left:?} and {right:?} do not go together")),
    };
    (0..rank).map(fit).collect()
}

/// For each element of `shape`, in order, the element of a tensor of `from` that is stretched to it.
pub fn places(from: &[usize], shape: &[usize], count: usize) -> Vec<usize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1;
    for (axis, &size) in from.iter().enumerate().rev() {
        strides[axis + shape.len() - from.len()] = if size == 1 { 0 } else { stride };
        stride *= size;
    }
    let (mut at, mut place) = (vec![0; shape.len()], 0);
    let mut places = Vec::with_capacity(count);
    for _ in 0..count {
        places.push(place);
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            place += strides[axis];
            if at[axis] < shape[axis] {
                break;
            }
            place -= strides[axis] * shape[axis];
            at[axis] = 0;
        }
    }
    places
}
