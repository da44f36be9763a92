//! Makes a graph's inputs of rows.

use wasmlops_sdk::{Error, Matrix, Result as SdkResult};

use crate::graph::shortened;
use crate::model::{Model, Port};
use crate::protobuf::Problem;
use crate::tensor::{Data, Element, Tensor};

/// Rows that run through the graph at once: enough to be fast, few enough for the cache and to bound memory.
const ROWS: usize = 512;
/// A model with a fixed number of rows gets as many, the last one repeated.
const MOST_FIXED_ROWS: usize = 4096;

/// How rows are handed to the graph.
#[derive(Debug)]
pub struct Feeds {
    /// Rows that each run takes.
    pub rows: usize,
    inputs: Vec<Feed>,
}

#[derive(Debug)]
struct Feed {
    /// The columns that it takes, in order.
    columns: Vec<usize>,
    element: Element,
    /// A list, not a matrix.
    list: bool,
}

impl Feeds {
    /// One input takes all columns, several take one each, by name.
    ///
    /// Errors: inputs that fit neither way, all of them.
    pub fn new(model: &Model, columns: &[String]) -> Result<Self, Problem> {
        let mut rows = None;
        let mut inputs = Vec::new();
        let mut problems = Vec::new();
        let all: Vec<usize> = (0..columns.len()).collect();
        for port in &model.inputs {
            let taken = match columns.iter().position(|column| *column == port.name) {
                _ if model.inputs.len() == 1 => all.clone(),
                Some(column) => vec![column],
                None => {
                    problems.push(format!("the input `{}` is no column of the import", shortened(&port.name)));
                    continue;
                }
            };
            match feed(port, taken, &mut rows) {
                Ok(feed) => inputs.push(feed),
                Err(problem) => problems.push(format!("the input `{}` {problem}", shortened(&port.name))),
            }
        }
        if model.inputs.is_empty() {
            problems.push("it has no inputs".to_owned());
        }
        if !problems.is_empty() {
            let hint = "hint: one input takes all columns, several take one each, by name";
            return Err(format!("the model's inputs do not fit: {}\n{hint}", problems.join("; ")));
        }
        Ok(Self { rows: rows.unwrap_or(ROWS), inputs })
    }

    /// The rows from `start`, as many as a run takes; the last one is repeated where there are fewer.
    ///
    /// Errors: a missing value in an input of whole numbers.
    pub fn tensors(&self, rows: &Matrix, start: usize) -> SdkResult<Vec<Tensor>> {
        self.inputs.iter().map(|feed| feed.tensor(rows, start, self.rows)).collect()
    }

    /// As [`Feeds::tensors`], of nothing but zeros.
    pub fn zeros(&self) -> SdkResult<Vec<Tensor>> {
        let columns = self.inputs.iter().flat_map(|feed| &feed.columns).max().map_or(0, |most| most + 1);
        self.tensors(&Matrix { rows: 1, columns, values: vec![0.0; columns] }, 0)
    }
}

fn feed(port: &Port, columns: Vec<usize>, rows: &mut Option<usize>) -> Result<Feed, Problem> {
    let number = port.element.ok_or("is no tensor")?;
    let element = Element::from_number(number)?;
    if element == Element::Text {
        return Err("takes text, and features are numbers".to_owned());
    }
    let width = columns.len();
    let list = match port.shape.as_slice() {
        [_, Some(size)] if *size != width => return Err(format!("takes {size} columns, and there are {width}")),
        [_, _] | [] => false,
        [_] if width == 1 => true,
        shape => return Err(format!("has {} dimensions", shape.len())),
    };
    if let Some(Some(fixed)) = port.shape.first() {
        if *fixed > MOST_FIXED_ROWS || rows.is_some_and(|rows| rows != *fixed) {
            return Err(format!("takes {fixed} rows at once"));
        }
        *rows = Some(*fixed);
    }
    Ok(Feed { columns, element, list })
}

impl Feed {
    fn tensor(&self, rows: &Matrix, start: usize, count: usize) -> SdkResult<Tensor> {
        let mut values = Vec::with_capacity(count * self.columns.len());
        for row in start..start + count {
            let row = rows.row(row.min(rows.rows - 1));
            values.extend(self.columns.iter().map(|&column| row[column]));
        }
        let whole = matches!(self.element, Element::Whole | Element::Truth);
        if whole && values.iter().any(|value| !value.is_finite()) {
            let hint = "hint: fill missing values before the model";
            return Err(Error::invalid_input(format!("the model takes whole numbers, and values are missing\n{hint}"))
                .at("table"));
        }
        let data = Data::Double(values).cast(self.element).map_err(Error::internal)?;
        let shape = if self.list { vec![count] } else { vec![count, self.columns.len()] };
        Ok(Tensor { shape, data })
    }
}
