//! Predicts with ONNX models of tables: what scikit-learn, XGBoost, LightGBM and small networks export.
//!
//! `protobuf` reads the wire format, `model` what the file says, `graph` prepares and runs its nodes with the operators
//! in `ops`; `feeds` makes inputs of rows and `answers` predictions of outputs. Files are not trusted: lengths, indexes
//! and sizes are checked before memory is asked for, there are no loops in graphs, and every failure is a typed error.
//! The plugin knows nothing of training.

mod answers;
mod feeds;
mod graph;
mod model;
mod ops;
mod protobuf;
mod tensor;

use wasmlops_sdk::foreign::{self, Format};
use wasmlops_sdk::prelude::*;

use answers::Answers;
use feeds::Feeds;
use graph::Graph;
use protobuf::Problem;

/// The predictor `onnx-predictor`.
pub struct OnnxPredictor {
    graph: Graph,
    feeds: Feeds,
    answers: Answers,
    /// Where each feature is in a batch, and what it is called.
    columns: Vec<usize>,
    names: Vec<String>,
    output: Schema,
}

impl Predictor for OnnxPredictor {
    fn load(model: &[u8], input: &Schema) -> Result<Self> {
        let (header, file) = foreign::split(model)?;
        let wrong = |problem: Problem| Error::invalid_input(problem).at("model");
        if header.format != Format::Onnx {
            return Err(wrong(
                "the file is no ONNX file\nhint: `tree-ensemble` reads XGBoost and LightGBM files".to_owned(),
            ));
        }
        let model = model::read(file).map_err(wrong)?;
        let graph = Graph::new(&model).map_err(wrong)?;
        let feeds = Feeds::new(&model, &header.columns).map_err(wrong)?;
        let answers = Answers::new(&model, &header, &graph, &feeds).map_err(wrong)?;
        let columns = header.find(input)?;
        let output = foreign::output(&answers.classes);
        Ok(Self { graph, feeds, answers, columns, names: header.columns, output })
    }

    fn output(&self) -> &Schema {
        &self.output
    }

    fn predict(&self, input: &Batch) -> Result<Batch> {
        let rows = foreign::matrix(input, &self.columns)?;
        let (mut predictions, mut numbers) = (Vec::new(), Vec::new());
        for start in (0..rows.rows).step_by(self.feeds.rows) {
            let count = self.feeds.rows.min(rows.rows - start);
            let outputs = self.graph.run(self.feeds.tensors(&rows, start)?);
            let outputs =
                outputs.map_err(|problem| Error::invalid_input(format!("the model cannot be run: {problem}")))?;
            let answers = self.answers.read(&outputs, self.feeds.rows, count);
            let answers = answers.map_err(|problem| Error::invalid_input(problem).at("model"))?;
            self.refuse_not_a_number(&answers.numbers, &rows, start)?;
            predictions.extend(answers.predictions);
            numbers.extend(answers.numbers);
        }
        Ok(match self.answers.classes.as_slice() {
            [] => foreign::numbers(&numbers),
            classes => foreign::classes(classes, &predictions, &numbers),
        })
    }
}

impl OnnxPredictor {
    /// Errors: the first row without an answer, and the features that it lacks.
    fn refuse_not_a_number(&self, numbers: &[f64], rows: &Matrix, start: usize) -> Result<()> {
        let Some(place) = numbers.iter().position(|number| number.is_nan()) else {
            return Ok(());
        };
        let row = start + place / self.answers.classes.len().max(1);
        let cells = rows.row(row).iter().zip(&self.names).filter(|(value, _)| !value.is_finite());
        let names: Vec<String> = cells.map(|(_, name)| format!("`{name}`")).take(20).collect();
        let reason =
            if names.is_empty() { String::new() } else { format!(": {} missing or infinite", names.join(", ")) };
        let hint = "hint: fill missing values before the model, or export it with its imputer";
        Err(Error::invalid_input(format!("the model gives no number for row {row} of the batch{reason}\n{hint}"))
            .at("table"))
    }
}

wasmlops_sdk::export! { predictor: OnnxPredictor }

#[cfg(test)]
mod tests;
