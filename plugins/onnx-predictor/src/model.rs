//! What an ONNX file says (`onnx.proto` of ONNX), as far as it is needed to predict.

use std::collections::HashMap;
use std::rc::Rc;

use crate::protobuf::{Field, Message, Problem, chunks};
use crate::tensor::{Data, Element, Tensor};

/// More than any model for tables.
const MOST_NODES: usize = 10_000;

#[derive(Debug, Default)]
pub struct Model {
    /// The version of the standard operators.
    pub opset: i64,
    pub nodes: Vec<Node>,
    pub constants: HashMap<String, Rc<Tensor>>,
    /// Without constants.
    pub inputs: Vec<Port>,
    pub outputs: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Node {
    /// `Gemm`, or `ai.onnx.ml.Scaler`.
    pub operator: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    attributes: HashMap<String, Attribute>,
    pub opset: i64,
}

/// Whatever an attribute holds; empty where it does not.
#[derive(Clone, Debug, Default)]
struct Attribute {
    single: Option<f32>,
    whole: Option<i64>,
    text: Option<String>,
    tensor: Option<Tensor>,
    singles: Vec<f32>,
    wholes: Vec<i64>,
    texts: Vec<String>,
}

/// An input of the graph.
#[derive(Debug, Default)]
pub struct Port {
    pub name: String,
    /// `None` for what is no tensor.
    pub element: Option<i64>,
    /// `None` for sizes that are open.
    pub shape: Vec<Option<usize>>,
}

/// Reads a model file.
///
/// Errors: what is wrong, and where.
pub fn read(file: &[u8]) -> Result<Model, Problem> {
    let mut model = Model::default();
    let (mut message, mut graph) = (Message::new("the file", file), None);
    while let Some((number, field)) = message.next()? {
        match number {
            7 => graph = Some(field.bytes()?),
            8 => opset(field.bytes()?, &mut model)?,
            25 => return Err("functions of its own are not supported\nhint: export with functions inlined".to_owned()),
            _ => {}
        }
    }
    let graph = graph.ok_or("the file holds no ONNX graph")?;
    read_graph(graph, &mut model)?;
    let opset = model.opset;
    model.nodes.iter_mut().for_each(|node| node.opset = opset);
    Ok(model)
}

fn opset(bytes: &[u8], model: &mut Model) -> Result<(), Problem> {
    let (mut message, mut domain, mut version) = (Message::new("an operator set", bytes), String::new(), 0);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => domain = field.text()?,
            2 => version = field.whole()?,
            _ => {}
        }
    }
    if domain.is_empty() || domain == "ai.onnx" {
        model.opset = version;
    }
    Ok(())
}

fn read_graph(bytes: &[u8], model: &mut Model) -> Result<(), Problem> {
    let (mut message, mut ports) = (Message::new("the graph", bytes), Vec::new());
    while let Some((number, field)) = message.next()? {
        match number {
            1 if model.nodes.len() == MOST_NODES => return Err(format!("it has more than {MOST_NODES} nodes")),
            1 => {
                let place = model.nodes.len();
                model.nodes.push(node(field.bytes()?).map_err(|problem| format!("node {place}: {problem}"))?);
            }
            5 => {
                let (name, tensor) = tensor(field.bytes()?)?;
                model.constants.insert(name, Rc::new(tensor));
            }
            11 => ports.push(port(field.bytes()?)?),
            12 => model.outputs.push(port(field.bytes()?)?.name),
            15 => return Err("sparse constants are not supported".to_owned()),
            _ => {}
        }
    }
    // Before version 4 of the format, constants are inputs too.
    model.inputs = ports.into_iter().filter(|port| !model.constants.contains_key(&port.name)).collect();
    Ok(())
}

fn node(bytes: &[u8]) -> Result<Node, Problem> {
    let (mut node, mut operator, mut domain) = (Node::default(), String::new(), String::new());
    let mut message = Message::new("the node", bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => node.inputs.push(field.text()?),
            2 => node.outputs.push(field.text()?),
            4 => operator = field.text()?,
            5 => {
                let (name, attribute) = attribute(field.bytes()?)?;
                node.attributes.insert(name, attribute);
            }
            7 => domain = field.text()?,
            _ => {}
        }
    }
    let standard = domain.is_empty() || domain == "ai.onnx";
    node.operator = if standard { operator } else { format!("{domain}.{operator}") };
    Ok(node)
}

fn attribute(bytes: &[u8]) -> Result<(String, Attribute), Problem> {
    let (mut name, mut attribute) = (String::new(), Attribute::default());
    let mut message = Message::new("an attribute", bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => name = field.text()?,
            2 => attribute.single = Some(field.single()?),
            3 => attribute.whole = Some(field.whole()?),
            // Texts that are no UTF-8 are of no operator that is understood.
            4 => attribute.text = field.text().ok(),
            5 => attribute.tensor = Some(tensor(field.bytes()?)?.1),
            7 => field.singles(&mut attribute.singles)?,
            8 => field.wholes(&mut attribute.wholes)?,
            9 => attribute.texts.push(field.text()?),
            _ => {}
        }
    }
    Ok((name, attribute))
}

fn port(bytes: &[u8]) -> Result<Port, Problem> {
    let mut port = Port::default();
    let mut message = Message::new("an input or output", bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => port.name = field.text()?,
            2 => {
                let mut kinds = Message::new("a type", field.bytes()?);
                while let Some((number, field)) = kinds.next()? {
                    if number == 1 {
                        tensor_type(field.bytes()?, &mut port)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(port)
}

fn tensor_type(bytes: &[u8], port: &mut Port) -> Result<(), Problem> {
    let mut message = Message::new("a tensor's type", bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => port.element = Some(field.whole()?),
            2 => {
                let mut shape = Message::new("a shape", field.bytes()?);
                while let Some((number, field)) = shape.next()? {
                    if number == 1 {
                        port.shape.push(size(field.bytes()?)?);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn size(bytes: &[u8]) -> Result<Option<usize>, Problem> {
    let (mut message, mut size) = (Message::new("a size", bytes), None);
    while let Some((number, field)) = message.next()? {
        if number == 1 {
            // 0 and below are what some exporters write for an open size.
            size = usize::try_from(field.whole()?).ok().filter(|&size| size > 0);
        }
    }
    Ok(size)
}

fn tensor(bytes: &[u8]) -> Result<(String, Tensor), Problem> {
    let (mut name, mut shape, mut element, mut raw) = (String::new(), Vec::new(), 0, None);
    let (mut singles, mut doubles, mut wholes, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut message = Message::new("a tensor", bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => field.wholes(&mut shape)?,
            2 => element = field.whole()?,
            4 => field.singles(&mut singles)?,
            5 | 7 | 11 => field.wholes(&mut wholes)?,
            6 => texts.push(Rc::from(field.text()?)),
            8 => name = field.text()?,
            9 => raw = Some(field.bytes()?),
            10 => field.doubles(&mut doubles)?,
            13 | 14 if !matches!(field, Field::Whole(0)) => {
                return Err(format!("the tensor `{name}` lies in another file\nhint: export the model as one file"));
            }
            _ => {}
        }
    }
    let place = |problem: Problem| format!("the tensor `{name}`: {problem}");
    let data = match (raw, Element::from_number(element).map_err(place)?) {
        (Some(raw), Element::Text) => return Err(place(format!("{} raw bytes of text", raw.len()))),
        (Some(raw), _) => from_raw(raw, element).map_err(place)?,
        (None, Element::Single) => Data::Single(singles),
        (None, Element::Double) => Data::Double(doubles),
        (None, Element::Whole) => Data::Whole(wholes),
        (None, Element::Truth) => Data::Truth(wholes.iter().map(|&value| value != 0).collect()),
        (None, Element::Text) => Data::Text(texts),
    };
    let shape = shape.into_iter().map(usize::try_from).collect::<Result<_, _>>();
    let shape = shape.map_err(|_| place("a size below 0".to_owned()))?;
    let tensor = Tensor::new(shape, data).map_err(place)?;
    Ok((name, tensor))
}

fn from_raw(raw: &[u8], element: i64) -> Result<Data, Problem> {
    fn all<const N: usize>(raw: &[u8], value: impl Fn([u8; N]) -> i64) -> Result<Data, Problem> {
        Ok(Data::Whole(chunks::<N>(raw)?.iter().map(|chunk| value(*chunk)).collect()))
    }
    match element {
        1 => Ok(Data::Single(chunks::<4>(raw)?.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())),
        11 => Ok(Data::Double(chunks::<8>(raw)?.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect())),
        9 => Ok(Data::Truth(raw.iter().map(|&byte| byte != 0).collect())),
        2 => all(raw, |chunk| i64::from(u8::from_le_bytes(chunk))),
        3 => all(raw, |chunk| i64::from(i8::from_le_bytes(chunk))),
        4 => all(raw, |chunk| i64::from(u16::from_le_bytes(chunk))),
        5 => all(raw, |chunk| i64::from(i16::from_le_bytes(chunk))),
        6 => all(raw, |chunk| i64::from(i32::from_le_bytes(chunk))),
        12 => all(raw, |chunk| i64::from(u32::from_le_bytes(chunk))),
        _ => all(raw, i64::from_le_bytes),
    }
}

impl Node {
    fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    pub fn whole(&self, name: &str, otherwise: i64) -> i64 {
        self.get(name).and_then(|attribute| attribute.whole).unwrap_or(otherwise)
    }

    pub fn single(&self, name: &str, otherwise: f32) -> f32 {
        self.get(name).and_then(|attribute| attribute.single).unwrap_or(otherwise)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|attribute| attribute.text.as_deref())
    }

    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.get(name).and_then(|attribute| attribute.tensor.as_ref())
    }

    pub fn singles(&self, name: &str) -> &[f32] {
        self.get(name).map_or(&[], |attribute| &attribute.singles)
    }

    pub fn wholes(&self, name: &str) -> &[i64] {
        self.get(name).map_or(&[], |attribute| &attribute.wholes)
    }

    pub fn texts(&self, name: &str) -> &[String] {
        self.get(name).map_or(&[], |attribute| &attribute.texts)
    }

    /// `f32` values, or under `<name>_as_tensor` doubles.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, Problem> {
        match self.tensor(&format!("{name}_as_tensor")) {
            Some(tensor) => tensor.data.doubles(),
            None => Ok(self.singles(name).iter().map(|&value| f64::from(value)).collect()),
        }
    }

    /// The classes that a classifier or `ZipMap` names, whole numbers in decimal.
    pub fn classes(&self) -> Vec<String> {
        let names = ["classlabels_strings", "classlabels_int64s", "classlabels_ints"];
        let of = |name: &str| match self.texts(name) {
            [] => self.wholes(name).iter().map(i64::to_string).collect(),
            texts => texts.to_vec(),
        };
        names.into_iter().map(of).find(|classes: &Vec<String>| !classes.is_empty()).unwrap_or_default()
    }

    /// The classes as the tensor that labels are taken from.
    pub fn class_data(&self) -> Data {
        match self.texts("classlabels_strings") {
            [] => {
                let classes = [self.wholes("classlabels_int64s"), self.wholes("classlabels_ints")].concat();
                Data::Whole(classes)
            }
            texts => Data::Text(texts.iter().map(|text| Rc::from(text.as_str())).collect()),
        }
    }
}
