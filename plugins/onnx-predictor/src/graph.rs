//! Runs the nodes of a model in order. All that can be known before rows come is checked and prepared once.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::model::Model;
use crate::ops::{self, Kernel};
use crate::protobuf::Problem;
use crate::tensor::{MOST_ELEMENTS, Tensor};

/// A model's nodes, ready to run.
pub struct Graph {
    steps: Vec<Step>,
    /// Where the graph's inputs are put.
    inputs: Vec<usize>,
    /// Where constants lie, and the constants.
    constants: Vec<(usize, Rc<Tensor>)>,
    /// Where the graph's outputs lie.
    outputs: Vec<usize>,
    /// For each value the last step that needs it.
    last_use: Vec<usize>,
}

struct Step {
    /// For messages.
    name: String,
    kernel: Kernel,
    /// Inputs may be left out.
    inputs: Vec<Option<usize>>,
    outputs: Vec<Option<usize>>,
}

impl Graph {
    /// Errors: every operator that is not supported; values that nothing gives; attributes that are wrong.
    pub fn new(model: &Model) -> Result<Self, Problem> {
        let unknown: BTreeSet<&str> =
            model.nodes.iter().map(|node| node.operator.as_str()).filter(|operator| !ops::is_known(operator)).collect();
        if !unknown.is_empty() {
            let unknown: Vec<String> = unknown.into_iter().map(|name| format!("`{}`", shortened(name))).collect();
            let hint = "hint: the README of `onnx-predictor` lists those that are";
            return Err(format!("operators that are not supported: {}\n{hint}", unknown.join(", ")));
        }
        let mut places: HashMap<&str, usize> = HashMap::new();
        let place = |name, places: &mut HashMap<_, _>| {
            let next = places.len();
            match places.insert(name, next) {
                None => Ok(next),
                Some(_) => Err(format!("the value `{}` is given twice", shortened(name))),
            }
        };
        let mut constants = Vec::new();
        for (name, tensor) in &model.constants {
            constants.push((place(name.as_str(), &mut places)?, tensor.clone()));
        }
        let inputs = model.inputs.iter().map(|port| place(&port.name, &mut places)).collect::<Result<_, _>>()?;
        let mut steps = Vec::with_capacity(model.nodes.len());
        for (number, node) in model.nodes.iter().enumerate() {
            let name = format!("node {number} (`{}`)", node.operator);
            let find = |input: &String| match (input.is_empty(), places.get(input.as_str())) {
                (true, _) => Ok(None),
                (false, Some(place)) => Ok(Some(*place)),
                (false, None) => Err(format!("{name} needs `{}`, which nothing before it gives", shortened(input))),
            };
            let inputs = node.inputs.iter().map(find).collect::<Result<_, _>>()?;
            let kernel = ops::prepare(node).map_err(|problem| format!("{name}: {problem}"))?;
            let mut outputs = Vec::new();
            for output in &node.outputs {
                outputs.push(if output.is_empty() { None } else { Some(place(output, &mut places)?) });
            }
            steps.push(Step { name, kernel, inputs, outputs });
        }
        let output = |name: &String| {
            places.get(name.as_str()).copied().ok_or_else(|| format!("nothing gives the output `{}`", shortened(name)))
        };
        let outputs = model.outputs.iter().map(output).collect::<Result<Vec<_>, _>>()?;
        let last_use = last_use(places.len(), &steps, &outputs);
        Ok(Self { steps, inputs, constants, outputs, last_use })
    }

    /// The outputs for these inputs, which stand in the graph's order.
    ///
    /// Errors: the node that could not be computed, and why.
    pub fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Rc<Tensor>>, Problem> {
        let mut values: Vec<Option<Rc<Tensor>>> = vec![None; self.last_use.len()];
        for (place, tensor) in &self.constants {
            values[*place] = Some(tensor.clone());
        }
        for (place, tensor) in self.inputs.iter().zip(inputs) {
            values[*place] = Some(Rc::new(tensor));
        }
        // Elements of the values that steps gave and that are still needed.
        let mut live = 0;
        for (number, step) in self.steps.iter().enumerate() {
            let outputs = step.run(&values).map_err(|problem| format!("{}: {problem}", step.name))?;
            for (place, output) in step.outputs.iter().zip(outputs) {
                live += output.data.len();
                if let Some(place) = *place {
                    values[place] = Some(Rc::new(output));
                }
            }
            if live > 2 * MOST_ELEMENTS {
                return Err(format!("{}: the model needs too much memory for these rows", step.name));
            }
            for place in step.inputs.iter().chain(&step.outputs).flatten().copied() {
                if self.last_use[place] <= number {
                    let freed = values[place].take();
                    live = live.saturating_sub(freed.map_or(0, |tensor| tensor.data.len()));
                }
            }
        }
        let output = |&place: &usize| values[place].clone().ok_or_else(|| "an output was not computed".to_owned());
        self.outputs.iter().map(output).collect()
    }
}

impl Step {
    fn run(&self, values: &[Option<Rc<Tensor>>]) -> Result<Vec<Tensor>, Problem> {
        let mut inputs: Vec<Option<&Tensor>> = Vec::with_capacity(self.inputs.len());
        for place in &self.inputs {
            match place.map(|place| values[place].as_deref()) {
                Some(None) => return Err("an input was not computed".to_owned()),
                Some(tensor) => inputs.push(tensor),
                None => inputs.push(None),
            }
        }
        (self.kernel)(&inputs)
    }
}

/// Outputs and constants are never done with.
fn last_use(values: usize, steps: &[Step], outputs: &[usize]) -> Vec<usize> {
    let mut last = vec![0; values];
    for (number, step) in steps.iter().enumerate() {
        step.inputs.iter().chain(&step.outputs).flatten().for_each(|&place| last[place] = number);
    }
    outputs.iter().for_each(|&place| last[place] = usize::MAX);
    last
}

/// A name from a file, fit for a message.
pub fn shortened(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(80).collect()
}
