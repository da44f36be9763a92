//! The request: its JSON, and the tensors that lie behind it.

use std::borrow::Cow;

use serde::Deserialize;

use super::binary::Binary;
use super::data::Data;
use super::datatype::Datatype;
use crate::http::codec::{Cell, MAX_CELLS};

/// What a client asked for, each tensor consistent in itself.
#[derive(Debug)]
pub struct Request<'a> {
    pub id: Option<Cow<'a, str>>,
    pub(super) inputs: Vec<Tensor<'a>>,
    pub(super) outputs: Option<Vec<Wanted<'a>>>,
    /// Whether outputs are answered as binary tensors unless they say otherwise.
    pub(super) binary: bool,
}

#[derive(Debug)]
pub(super) struct Tensor<'a> {
    pub name: Cow<'a, str>,
    pub datatype: Datatype,
    pub shape: Vec<usize>,
    pub elements: Elements<'a>,
}

#[derive(Debug)]
pub(super) enum Elements<'a> {
    Json(Data),
    Binary(Binary<'a>),
}

impl Tensor<'_> {
    /// The element at that place in row-major order; `None` for a JSON value that is none of the datatype's.
    pub fn cell(&self, index: usize) -> Option<Cell<'_>> {
        match &self.elements {
            Elements::Binary(binary) => Some(binary.cell(index)),
            Elements::Json(data) => match (data.cell(index), self.datatype) {
                (Cell::Null, _) => Some(Cell::Null),
                (cell @ Cell::Bool(_), Datatype::Bool) | (cell @ Cell::Text(_), Datatype::Bytes) => Some(cell),
                (cell, datatype) => datatype.number(cell),
            },
        }
    }

    /// What was sent at that place, for messages.
    pub fn sent(&self, index: usize) -> Cell<'_> {
        match &self.elements {
            Elements::Binary(binary) => binary.cell(index),
            Elements::Json(data) => data.cell(index),
        }
    }
}

#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub name: Cow<'a, str>,
    pub binary: Option<bool>,
}

#[derive(Deserialize)]
struct WireRequest<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(default)]
    parameters: Option<Parameters>,
    #[serde(borrow)]
    inputs: Vec<WireTensor<'a>>,
    #[serde(borrow, default)]
    outputs: Option<Vec<WireOutput<'a>>>,
}

#[derive(Deserialize)]
struct WireTensor<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    shape: Vec<i64>,
    #[serde(borrow)]
    datatype: Cow<'a, str>,
    #[serde(default)]
    parameters: Option<Parameters>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct WireOutput<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    parameters: Option<Parameters>,
}

/// The parameters that mean something here; clients may send others.
#[derive(Deserialize, Default)]
struct Parameters {
    #[serde(default)]
    binary_data_size: Option<u64>,
    #[serde(default)]
    binary_data: Option<bool>,
    #[serde(default)]
    binary_data_output: Option<bool>,
}

impl<'a> Request<'a> {
    /// Takes a body apart. `json_length` is the header `Inference-Header-Content-Length`: how many bytes of JSON come
    /// before the binary tensors.
    ///
    /// Errors: what is wrong with the body as such, in one text. Names and types are judged by [`Request::batch`].
    pub fn parse(body: &'a [u8], json_length: Option<u64>) -> Result<Self, String> {
        let (json, mut tensors) = match json_length.map(usize::try_from) {
            None => (body, &[][..]),
            Some(Ok(length)) if length <= body.len() => body.split_at(length),
            Some(_) => return Err(format!("the header says more bytes of JSON than the body's {}", body.len())),
        };
        let wire: WireRequest<'a> =
            serde_json::from_slice(json).map_err(|error| format!("the request is malformed: {error}"))?;
        let mut inputs = Vec::with_capacity(wire.inputs.len().min(1024));
        let mut elements = 0_usize;
        for input in wire.inputs {
            let tensor = tensor(input, &mut tensors)?;
            elements += tensor.shape.iter().product::<usize>();
            if elements > MAX_CELLS {
                return Err(format!("the request has more than {MAX_CELLS} elements"));
            }
            inputs.push(tensor);
        }
        if !tensors.is_empty() {
            return Err(format!("{} bytes of the body belong to no input", tensors.len()));
        }
        let wanted = |output: WireOutput<'a>| Wanted {
            name: output.name,
            binary: output.parameters.and_then(|parameters| parameters.binary_data),
        };
        Ok(Self {
            id: wire.id.filter(|id| !id.is_empty()),
            inputs,
            outputs: wire.outputs.map(|outputs| outputs.into_iter().map(wanted).collect()),
            binary: wire.parameters.and_then(|parameters| parameters.binary_data_output).unwrap_or_default(),
        })
    }
}

/// One input; its bytes, if it is binary, are taken off the front of `tensors`.
fn tensor<'a>(wire: WireTensor<'a>, tensors: &mut &'a [u8]) -> Result<Tensor<'a>, String> {
    let name = wire.name;
    let shown: String = name.chars().take(100).collect();
    let wrong = |text: String| format!("input `{shown}` {text}");
    let datatype = Datatype::parse(&wire.datatype).ok_or_else(|| wrong("has an unknown datatype".to_owned()))?;
    let shape = shape(&wire.shape).map_err(wrong)?;
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
    let elements = match (wire.data, wire.parameters.and_then(|parameters| parameters.binary_data_size)) {
        (Some(_), Some(_)) => return Err(wrong("has both `data` and `binary_data_size`".to_owned())),
        (None, None) => return Err(wrong("has no `data`".to_owned())),
        (Some(data), None) if data.nests_as(&shape) => Elements::Json(data),
        (Some(_), None) => return Err(wrong(format!("has `data` nested otherwise than its shape {shape:?}"))),
        (None, Some(size)) => {
            let size = usize::try_from(size).ok().filter(|size| *size <= tensors.len());
            let Some(size) = size else {
                return Err(wrong(format!("has a `binary_data_size` beyond the {} bytes left", tensors.len())));
            };
            let (bytes, rest) = tensors.split_at(size);
            *tensors = rest;
            Elements::Binary(Binary::parse(datatype, bytes).map_err(wrong)?)
        }
    };
    let found = match &elements {
        Elements::Json(data) => data.len(),
        Elements::Binary(binary) => binary.len(),
    };
    if count != Some(found) {
        return Err(wrong(format!("has {found} elements, and its shape {shape:?} is of another number")));
    }
    Ok(Tensor { name, datatype, shape, elements })
}

fn shape(sizes: &[i64]) -> Result<Vec<usize>, String> {
    if sizes.len() > 8 {
        return Err("has more than 8 dimensions".to_owned());
    }
    let size =
        |size: &i64| usize::try_from(*size).map_err(|_| format!("has a negative dimension in its shape {sizes:?}"));
    sizes.iter().map(size).collect()
}
