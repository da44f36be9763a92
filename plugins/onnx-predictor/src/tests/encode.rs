//! Writes small ONNX files, right or wrong ones.

/// A graph to write. An input is its name, the number of its element type and its sizes, 0 for an open one.
pub struct Graph {
    pub nodes: Vec<Node>,
    pub constants: Vec<Vec<u8>>,
    pub inputs: Vec<(&'static str, i64, Vec<i64>)>,
    pub outputs: Vec<&'static str>,
}

pub struct Node(Vec<u8>);

impl Node {
    /// `ai.onnx.ml.` before the operator names the domain.
    pub fn new(operator: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        let mut bytes = Vec::new();
        inputs.iter().for_each(|input| bytes.extend(field(1, input.as_bytes())));
        outputs.iter().for_each(|output| bytes.extend(field(2, output.as_bytes())));
        let (domain, operator) = operator.rsplit_once('.').unwrap_or(("", operator));
        bytes.extend(field(4, operator.as_bytes()));
        bytes.extend(field(7, domain.as_bytes()));
        Self(bytes)
    }

    pub fn whole(self, name: &str, value: i64) -> Self {
        self.attribute(name, &whole(3, value))
    }

    pub fn wholes(self, name: &str, values: &[i64]) -> Self {
        let values: Vec<u8> = values.iter().flat_map(|&value| whole(8, value)).collect();
        self.attribute(name, &values)
    }

    pub fn singles(self, name: &str, values: &[f32]) -> Self {
        let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.attribute(name, &field(7, &values))
    }

    pub fn texts(self, name: &str, values: &[&str]) -> Self {
        let values: Vec<u8> = values.iter().flat_map(|value| field(9, value.as_bytes())).collect();
        self.attribute(name, &values)
    }

    fn attribute(mut self, name: &str, value: &[u8]) -> Self {
        self.0.extend(field(5, &[field(1, name.as_bytes()), value.to_vec()].concat()));
        self
    }
}

pub fn file(graph: &Graph) -> Vec<u8> {
    let mut bytes = Vec::new();
    graph.nodes.iter().for_each(|node| bytes.extend(field(1, &node.0)));
    graph.constants.iter().for_each(|constant| bytes.extend(field(5, constant)));
    for (name, element, sizes) in &graph.inputs {
        let size = |&size: &i64| field(1, &if size == 0 { field(2, b"N") } else { whole(1, size) });
        let shape: Vec<u8> = sizes.iter().flat_map(size).collect();
        let tensor = [whole(1, *element), field(2, &shape)].concat();
        bytes.extend(field(11, &[field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()));
    }
    graph.outputs.iter().for_each(|output| bytes.extend(field(12, &field(1, output.as_bytes()))));
    let opset = field(8, &whole(2, 18));
    [whole(1, 8), field(7, &bytes), opset].concat()
}

/// A tensor of whole numbers.
pub fn wholes(name: &str, sizes: &[i64], values: &[i64]) -> Vec<u8> {
    let sizes: Vec<u8> = sizes.iter().flat_map(|&size| whole(1, size)).collect();
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [sizes, whole(2, 7), field(8, name.as_bytes()), field(9, &values)].concat()
}

/// A tensor of floats.
pub fn singles(name: &str, sizes: &[i64], values: &[f32]) -> Vec<u8> {
    let sizes: Vec<u8> = sizes.iter().flat_map(|&size| whole(1, size)).collect();
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [sizes, whole(2, 1), field(8, name.as_bytes()), field(9, &values)].concat()
}

pub fn whole(number: u64, value: i64) -> Vec<u8> {
    [varint(number << 3), varint(value as u64)].concat()
}

pub fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
