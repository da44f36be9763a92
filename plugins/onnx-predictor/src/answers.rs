//! Makes predictions of a graph's outputs: finds which output is what, and the classes' texts.

use std::rc::Rc;

use wasmlops_sdk::foreign::{Header, Task};

use crate::feeds::Feeds;
use crate::graph::{Graph, shortened};
use crate::model::{Model, Node};
use crate::protobuf::Problem;
use crate::tensor::Tensor;

/// More classes than any batch of probabilities has room for.
const MOST_CLASSES: usize = 1000;
/// How far rounding may lead a probability out of 0 to 1.
const ROUNDING: f64 = 1e-5;

/// Which outputs are read and what they mean.
#[derive(Debug)]
pub struct Answers {
    /// The texts that people see; none for regression.
    pub classes: Vec<String>,
    /// The texts that the model's labels have.
    labels: Vec<String>,
    label: Option<usize>,
    numbers: usize,
    /// The numbers' output, for messages.
    name: String,
}

/// For each row a class, and numbers row after row: probabilities, or the prediction itself.
#[derive(Debug)]
pub struct Read {
    pub predictions: Vec<usize>,
    pub numbers: Vec<f64>,
}

impl Answers {
    /// Runs the graph once, on zeros, to see what its outputs are.
    ///
    /// Errors: outputs that cannot be told apart or do not fit what the import says.
    pub fn new(model: &Model, header: &Header, graph: &Graph, feeds: &Feeds) -> Result<Self, Problem> {
        let zeros = feeds.zeros().map_err(|error| error.message)?;
        let outputs = graph.run(zeros).map_err(|problem| format!("the model cannot be run: {problem}"))?;
        let label = outputs.iter().position(|tensor| !tensor.data.is_float());
        let numbers = numbers(model, &outputs)?;
        let name = shortened(&model.outputs[numbers]);
        let width = width(&outputs[numbers], feeds.rows).map_err(|problem| format!("the output `{name}` {problem}"))?;
        let classification =
            label.is_some() || header.classes.is_some() || matches!(header.task, Some(Task::Binary | Task::Multiclass));
        if !classification {
            let hint = "hint: say the task when importing";
            return match width {
                1 => Ok(Self { classes: Vec::new(), labels: Vec::new(), label: None, numbers, name }),
                _ => {
                    Err(format!("the output `{name}` gives {width} numbers for a row, and the task is unknown\n{hint}"))
                }
            };
        }
        if header.task == Some(Task::Regression) {
            return Err("the import says regression, and the model gives classes".to_owned());
        }
        // One number is the probability of the second class.
        let count = width.max(2);
        if count > MOST_CLASSES || (header.task == Some(Task::Binary) && count > 2) {
            return Err(format!("the output `{name}` gives {width} numbers for a row"));
        }
        let names =
            [Some(numbers), label].into_iter().flatten().map(|output| classes_of(model, &model.outputs[output]));
        let labels = names.into_iter().find(|names| names.len() == count);
        let labels = labels.unwrap_or_else(|| (0..count).map(|class| class.to_string()).collect());
        let classes = match &header.classes {
            Some(classes) if classes.len() != count => {
                return Err(format!("the import names {} classes, and the model has {count}", classes.len()));
            }
            Some(classes) => classes.clone(),
            None => labels.clone(),
        };
        let mut sorted = classes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != classes.len() {
            return Err("two of the model's classes have the same name".to_owned());
        }
        Ok(Self { classes, labels, label, numbers, name })
    }

    /// The first `count` rows of outputs of `rows` rows.
    ///
    /// Errors: outputs of another shape than at first, labels that are no classes, numbers that are no probabilities.
    pub fn read(&self, outputs: &[Rc<Tensor>], rows: usize, count: usize) -> Result<Read, Problem> {
        let wrong = |problem: Problem| format!("the output `{}` {problem}", self.name);
        let tensor = &outputs[self.numbers];
        let width = width(tensor, rows).map_err(wrong)?;
        let mut numbers = tensor.data.doubles()?;
        numbers.truncate(count * width);
        if self.classes.is_empty() {
            return if width == 1 {
                Ok(Read { predictions: Vec::new(), numbers })
            } else {
                Err(wrong("changed its shape".into()))
            };
        }
        if width == 1 && self.classes.len() == 2 {
            numbers = numbers.into_iter().flat_map(|second| [1.0 - second, second]).collect();
        } else if width != self.classes.len() {
            return Err(wrong("changed its shape".to_owned()));
        }
        if let Some(number) = numbers.iter().find(|number| **number < -ROUNDING || **number > 1.0 + ROUNDING) {
            let hint = "hint: export the model with its softmax or sigmoid";
            return Err(wrong(format!("gives `{number}`, which is no probability\n{hint}")));
        }
        let likely = |row: &[f64]| (1..row.len()).fold(0, |best, next| if row[next] > row[best] { next } else { best });
        let predictions = match self.label {
            Some(label) => self.predictions(&outputs[label], count)?,
            None => numbers.chunks_exact(self.classes.len()).map(likely).collect(),
        };
        Ok(Read { predictions, numbers })
    }

    fn predictions(&self, labels: &Tensor, count: usize) -> Result<Vec<usize>, Problem> {
        let texts = labels.data.texts();
        if texts.len() < count {
            return Err(format!("the model gives {} labels for {count} rows", texts.len()));
        }
        let class = |text: &String| {
            let found = self.labels.iter().position(|label| label == text);
            found
                .ok_or_else(|| format!("the model gives the label `{}`, which is none of its classes", shortened(text)))
        };
        texts[..count].iter().map(class).collect()
    }
}

/// The output with the numbers: the only one of floats, else the one of a `ZipMap`, else the one called so.
fn numbers(model: &Model, outputs: &[Rc<Tensor>]) -> Result<usize, Problem> {
    let floats: Vec<usize> = (0..outputs.len()).filter(|&output| outputs[output].data.is_float()).collect();
    let zipped = |&output: &usize| {
        producer(model, &model.outputs[output]).is_some_and(|node| node.operator == "ai.onnx.ml.ZipMap")
    };
    let called = |&output: &usize| model.outputs[output].to_lowercase().contains("prob");
    let only = |outputs: Vec<usize>| if let [only] = outputs.as_slice() { Some(*only) } else { None };
    let found = only(floats.clone())
        .or_else(|| only(floats.iter().copied().filter(zipped).collect()))
        .or_else(|| only(floats.iter().copied().filter(called).collect()));
    found.ok_or_else(|| {
        if floats.is_empty() {
            return "the model gives no numbers\nhint: export it with its probabilities".to_owned();
        }
        let names: Vec<String> =
            floats.iter().map(|&output| format!("`{}`", shortened(&model.outputs[output]))).collect();
        format!("the model has several outputs that could be the predictions: {}", names.join(", "))
    })
}

/// Numbers for each row.
fn width(tensor: &Tensor, rows: usize) -> Result<usize, Problem> {
    let count = tensor.data.len();
    if tensor.shape.first() == Some(&rows) && count > 0 && count.is_multiple_of(rows) {
        Ok(count / rows)
    } else {
        Err(format!("has the shape {:?} for {rows} rows", tensor.shape))
    }
}

fn producer<'a>(model: &'a Model, value: &str) -> Option<&'a Node> {
    model.nodes.iter().find(|node| node.outputs.iter().any(|output| output == value))
}

/// The classes that a value's numbers or labels are of, as far as the graph says.
fn classes_of(model: &Model, value: &str) -> Vec<String> {
    let mut value = value;
    for _ in 0..model.nodes.len() {
        let Some(node) = producer(model, value) else {
            return Vec::new();
        };
        let classes = node.classes();
        if !classes.is_empty() {
            return classes;
        }
        let Some(input) = node.inputs.first() else {
            return Vec::new();
        };
        match node.operator.as_str() {
            "ai.onnx.ml.ArrayFeatureExtractor" | "Gather" => {
                return model.constants.get(input).map_or(Vec::new(), |tensor| tensor.data.texts());
            }
            "Cast" | "Identity" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => value = input,
            _ => return Vec::new(),
        }
    }
    Vec::new()
}
