//! Values of a graph. Whole numbers of every width are kept as `i64`, small floats as `f32`.

use std::rc::Rc;

use crate::protobuf::Problem;

/// Elements of one tensor: 32 MiB of doubles, hundreds of rows of thousands of features.
pub const MOST_ELEMENTS: usize = 4 << 20;

#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Data,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    Single(Vec<f32>),
    Double(Vec<f64>),
    Whole(Vec<i64>),
    Truth(Vec<bool>),
    Text(Vec<Rc<str>>),
}

/// The element types that ONNX numbers in `TensorProto.DataType`, as far as they are understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element {
    Single,
    Double,
    Whole,
    Truth,
    Text,
}

impl Element {
    pub fn from_number(number: i64) -> Result<Self, Problem> {
        Ok(match number {
            1 => Element::Single,
            11 => Element::Double,
            2..=7 | 12 | 13 => Element::Whole,
            9 => Element::Truth,
            8 => Element::Text,
            10 | 16 => return Err("16-bit floats are not supported".to_owned()),
            other => return Err(format!("elements of type {other} are not supported")),
        })
    }
}

/// How many elements a shape has.
///
/// Errors: more than [`MOST_ELEMENTS`], sizes of 0 left out, so that the product of any of the sizes is a small number.
pub fn elements(shape: &[usize]) -> Result<usize, Problem> {
    let bound = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size.max(1)));
    match bound {
        Some(bound) if bound <= MOST_ELEMENTS => Ok(if shape.contains(&0) { 0 } else { bound }),
        _ => Err(format!("a tensor of {shape:?} is too large")),
    }
}

impl Data {
    pub fn len(&self) -> usize {
        match self {
            Data::Single(values) => values.len(),
            Data::Double(values) => values.len(),
            Data::Whole(values) => values.len(),
            Data::Truth(values) => values.len(),
            Data::Text(values) => values.len(),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Data::Single(_) => "float",
            Data::Double(_) => "double",
            Data::Whole(_) => "whole numbers",
            Data::Truth(_) => "bool",
            Data::Text(_) => "string",
        }
    }

    /// The elements at these places, each of which must exist.
    pub fn take(&self, places: &[usize]) -> Self {
        match self {
            Data::Single(values) => Data::Single(places.iter().map(|&place| values[place]).collect()),
            Data::Double(values) => Data::Double(places.iter().map(|&place| values[place]).collect()),
            Data::Whole(values) => Data::Whole(places.iter().map(|&place| values[place]).collect()),
            Data::Truth(values) => Data::Truth(places.iter().map(|&place| values[place]).collect()),
            Data::Text(values) => Data::Text(places.iter().map(|&place| values[place].clone()).collect()),
        }
    }

    /// Appends elements of the same type.
    pub fn extend(&mut self, other: Data) -> Result<(), Problem> {
        match (self, other) {
            (Data::Single(to), Data::Single(from)) => to.extend(from),
            (Data::Double(to), Data::Double(from)) => to.extend(from),
            (Data::Whole(to), Data::Whole(from)) => to.extend(from),
            (Data::Truth(to), Data::Truth(from)) => to.extend(from),
            (Data::Text(to), Data::Text(from)) => to.extend(from),
            (to, from) => return Err(format!("{} and {} do not go together", to.name(), from.name())),
        }
        Ok(())
    }

    /// Numbers as `f64`; bool as 0 and 1.
    pub fn doubles(&self) -> Result<Vec<f64>, Problem> {
        Ok(match self {
            Data::Single(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Data::Double(values) => values.clone(),
            Data::Whole(values) => values.iter().map(|&value| value as f64).collect(),
            Data::Truth(values) => values.iter().map(|&value| f64::from(u8::from(value))).collect(),
            Data::Text(_) => return Err("text where numbers are needed".to_owned()),
        })
    }

    pub fn singles(&self) -> Result<Vec<f32>, Problem> {
        match self {
            Data::Single(values) => Ok(values.clone()),
            other => Ok(other.doubles()?.into_iter().map(|value| value as f32).collect()),
        }
    }

    pub fn wholes(&self) -> Result<&[i64], Problem> {
        match self {
            Data::Whole(values) => Ok(values),
            other => Err(format!("{} where whole numbers are needed", other.name())),
        }
    }

    pub fn is_float(&self) -> bool {
        matches!(self, Data::Single(_) | Data::Double(_))
    }

    /// Texts as they are, whole numbers in decimal.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Data::Single(values) => values.iter().map(f32::to_string).collect(),
            Data::Double(values) => values.iter().map(f64::to_string).collect(),
            Data::Whole(values) => values.iter().map(i64::to_string).collect(),
            Data::Truth(values) => values.iter().map(|&value| u8::from(value).to_string()).collect(),
            Data::Text(values) => values.iter().map(|value| value.to_string()).collect(),
        }
    }

    /// The same values as another type.
    pub fn cast(&self, to: Element) -> Result<Self, Problem> {
        Ok(match (to, self) {
            (Element::Single, Data::Text(texts)) => Data::Single(parse(texts)?),
            (Element::Double, Data::Text(texts)) => Data::Double(parse(texts)?),
            (Element::Whole, Data::Text(texts)) => Data::Whole(parse(texts)?),
            (Element::Single, numbers) => Data::Single(numbers.singles()?),
            (Element::Double, numbers) => Data::Double(numbers.doubles()?),
            (Element::Whole, Data::Whole(wholes)) => Data::Whole(wholes.clone()),
            (Element::Whole, numbers) => {
                Data::Whole(numbers.doubles()?.into_iter().map(|value| value as i64).collect())
            }
            (Element::Truth, numbers) => {
                Data::Truth(numbers.doubles()?.into_iter().map(|value| value != 0.0).collect())
            }
            (Element::Text, any) => Data::Text(any.texts().into_iter().map(Rc::from).collect()),
        })
    }
}

fn parse<T: std::str::FromStr>(texts: &[Rc<str>]) -> Result<Vec<T>, Problem> {
    texts.iter().map(|text| text.trim().parse().map_err(|_| "a text is no number".to_owned())).collect()
}

impl Tensor {
    /// # Errors
    /// Where the elements do not fill the shape.
    pub fn new(shape: Vec<usize>, data: Data) -> Result<Self, Problem> {
        if elements(&shape)? == data.len() {
            Ok(Self { shape, data })
        } else {
            Err(format!("{} elements do not fill a tensor of {shape:?}", data.len()))
        }
    }

    pub fn list(data: Data) -> Self {
        Self { shape: vec![data.len()], data }
    }

    /// Rows and columns: one dimension is one row.
    pub fn matrix(&self) -> Result<(usize, usize), Problem> {
        match *self.shape.as_slice() {
            [columns] => Ok((1, columns)),
            [rows, columns] => Ok((rows, columns)),
            _ => Err(format!("a tensor of {:?} where a matrix is needed", self.shape)),
        }
    }

    /// An axis as ONNX gives it, -1 being the last.
    pub fn axis(&self, axis: i64) -> Result<usize, Problem> {
        axis_of(axis, self.shape.len())
    }
}

pub fn axis_of(axis: i64, rank: usize) -> Result<usize, Problem> {
    let counted = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    let counted = counted.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < rank);
    counted.ok_or_else(|| format!("there is no axis {axis} of {rank}"))
}

/// The elements before, at and behind an axis: a shape seen as three dimensions.
pub fn around(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    (shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product())
}
