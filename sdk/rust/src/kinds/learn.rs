//! The kinds around a model: trainer, predictor, validator.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::host::wasmlops::plugin::{tables as wire, types};
use crate::bindings::predictor::exports::wasmlops::plugin::predictor;
use crate::bindings::trainer::exports::wasmlops::plugin::trainer;
use crate::bindings::validator::exports::wasmlops::plugin::validator;
use crate::codec;
use crate::error::Result;
use crate::schema::Schema;
use crate::table::{Batch, Table};

/// Table(s) in, model out.
pub trait Trainer {
    type Config: DeserializeOwned;

    /// Returns the model ([`crate::encode`] makes one of anything serialisable), which the component's predictor must
    /// be able to load.
    fn train(config: Self::Config, data: &Training) -> Result<Vec<u8>>;
}

/// What a trainer learns from; transforms that the pipeline gives have been applied.
pub struct Training {
    /// The rows to learn from, target included.
    pub train: Table,
    /// Rows to watch for early stopping, never to learn from.
    pub validation: Option<Table>,
}

/// Model and rows in, predictions out. The columns to give are in `wit/0.1.0/kinds.wit`, at `predictor`.
pub trait Predictor: Sized + 'static {
    /// Makes ready for batches with these columns: those that the model needs, in any order, perhaps with more.
    ///
    /// Errors: `invalid-input` where a column is missing or has another type than in training.
    fn load(model: &[u8], input: &Schema) -> Result<Self>;

    /// The columns that [`Predictor::predict`] gives.
    fn output(&self) -> &Schema;

    /// One row out for each row in, in the same order, from the model and that row alone.
    fn predict(&self, input: &Batch) -> Result<Batch>;
}

/// Holds data or a model to expectations.
pub trait Validator {
    type Config: DeserializeOwned;

    /// Looks at every expectation before it returns.
    fn validate(config: Self::Config, subject: &Subject) -> Result<Report>;
}

/// What a validator looks at.
#[expect(clippy::large_enum_variant, reason = "there is one of them a call, and plugins match on it by value")]
pub enum Subject {
    Table(Table),
    Evaluation(Evaluation),
}

/// A model on held-out rows. All tables have the same rows in the same order.
pub struct Evaluation {
    /// One column: what really was.
    pub truth: Option<Table>,
    /// What the model under test says.
    pub candidate: Table,
    /// What the model to compare with says.
    pub champion: Option<Table>,
    /// The rows as they came, before any transform.
    pub features: Table,
}

/// What a validator found. It passes when every check does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub passed: bool,
    /// One sentence for a person.
    pub summary: String,
    pub checks: Vec<Check>,
}

/// One expectation and what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    pub name: String,
    pub passed: bool,
    pub column: Option<String>,
    /// The part of the rows it is about, as `column=value`.
    pub slice: Option<String>,
    pub observed: Option<f64>,
    /// What was asked for: `>= 0.98`.
    pub expected: String,
    /// Rows that break the expectation.
    pub count: u64,
    /// A few of the values that break it, at most 10.
    pub examples: Vec<String>,
    /// One sentence for a person.
    pub message: String,
}

pub struct TrainerAdapter<T>(PhantomData<T>);

impl<T: Trainer> trainer::Guest for TrainerAdapter<T> {
    fn train(config: String, data: trainer::Training) -> Result<Vec<u8>, types::Error> {
        let training =
            Training { train: Table::from_host(data.train), validation: data.validation.map(Table::from_host) };
        Ok(T::train(codec::config(&config)?, &training)?)
    }
}

pub struct PredictorAdapter<T>(PhantomData<T>);

/// A model with the schema that its batches come in.
pub struct Model<T> {
    predictor: T,
    input: Schema,
    columns: Vec<usize>,
}

impl<T: Predictor> predictor::Guest for PredictorAdapter<T> {
    type Model = Model<T>;
}

impl<T: Predictor> predictor::GuestModel for Model<T> {
    fn load(blob: Vec<u8>, input: Vec<wire::Field>) -> Result<predictor::Model, types::Error> {
        let input = Schema::from_wire(input);
        let columns = (0..input.fields.len()).collect();
        let predictor = T::load(&blob, &input)?;
        Ok(predictor::Model::new(Self { predictor, input, columns }))
    }

    fn output(&self) -> Vec<wire::Field> {
        self.predictor.output().to_wire()
    }

    fn predict(&self, input: wire::Batch) -> Result<wire::Batch, types::Error> {
        Ok(self.predictor.predict(&Batch::from_wire(&self.input, &self.columns, input))?.into_wire())
    }
}

pub struct ValidatorAdapter<T>(PhantomData<T>);

impl<T: Validator> validator::Guest for ValidatorAdapter<T> {
    fn validate(config: String, subject: validator::Subject) -> Result<validator::Report, types::Error> {
        let subject = match subject {
            validator::Subject::Table(table) => Subject::Table(Table::from_host(table)),
            validator::Subject::Evaluation(evaluation) => Subject::Evaluation(Evaluation {
                truth: evaluation.truth.map(Table::from_host),
                candidate: Table::from_host(evaluation.candidate),
                champion: evaluation.champion.map(Table::from_host),
                features: Table::from_host(evaluation.features),
            }),
        };
        let report = T::validate(codec::config(&config)?, &subject)?;
        Ok(validator::Report {
            passed: report.passed,
            summary: report.summary,
            checks: report.checks.into_iter().map(check_to_wire).collect(),
        })
    }
}

fn check_to_wire(check: Check) -> validator::Check {
    validator::Check {
        name: check.name,
        passed: check.passed,
        column: check.column,
        slice: check.slice,
        observed: check.observed,
        expected: check.expected,
        count: check.count,
        examples: check.examples,
        message: check.message,
    }
}
