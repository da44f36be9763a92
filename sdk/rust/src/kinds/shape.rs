//! The kinds that bring and shape rows: data source, processor, transform.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::data_source::exports::wasmlops::plugin::data_source;
use crate::bindings::host::wasmlops::plugin::{tables as wire, types};
use crate::bindings::processor::exports::wasmlops::plugin::processor;
use crate::bindings::transform::exports::wasmlops::plugin::transform;
use crate::codec;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::table::{Batch, Table, TableWriter};

/// Brings outside data in.
pub trait DataSource {
    type Config: DeserializeOwned;

    /// Starts `out`, writes all rows and says what it read.
    fn read(config: Self::Config, out: &mut TableWriter) -> Result<SourceReport>;
}

/// What a data source read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceReport {
    /// Rows written.
    pub rows: u64,
    /// Rows passed over because they could not be read.
    pub bad_rows: u64,
    /// What was odd; at most 100, the first ones.
    pub notes: Vec<Note>,
}

/// Something odd, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Counted from 1.
    pub line: Option<u64>,
    pub message: String,
}

/// Tables in, tables out.
pub trait Processor {
    type Config: DeserializeOwned;

    fn process(config: Self::Config, inputs: &Inputs, outputs: &mut Outputs) -> Result<()>;
}

/// The step's inputs by name.
pub struct Inputs(Vec<(String, Table)>);

impl Inputs {
    pub fn new(tables: Vec<(String, Table)>) -> Self {
        Self(tables)
    }

    /// Errors: `invalid-input` where there is no such input.
    pub fn table(&self, name: &str) -> Result<&Table> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, table)| table)
            .ok_or_else(|| Error::invalid_input(format!("the step has no input `{name}`")).at(name))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.0.iter().map(|(name, table)| (name.as_str(), table))
    }
}

/// The step's outputs by name. One whose writer is never started does not exist in this run.
pub struct Outputs(Vec<(String, TableWriter)>);

impl Outputs {
    pub fn new(writers: Vec<(String, TableWriter)>) -> Self {
        Self(writers)
    }

    /// Errors: `internal` where the manifest declares no such output.
    pub fn writer(&mut self, name: &str) -> Result<&mut TableWriter> {
        let found = self.0.iter_mut().find(|(known, _)| known == name);
        found
            .map(|(_, writer)| writer)
            .ok_or_else(|| Error::internal(format!("the manifest declares no output `{name}`")))
    }
}

/// Features: fitted once, then applied to every row that the model ever sees.
pub trait Transform: Sized + 'static {
    type Config: DeserializeOwned;

    /// Learns from `input` and returns the state ([`crate::encode`] makes one of anything serialisable).
    fn fit(config: Self::Config, input: &Table) -> Result<Vec<u8>>;

    /// Makes ready for batches with these columns: those that the state needs, in any order, perhaps with more.
    ///
    /// Errors: `invalid-input` where a column is missing or has another type than in `fit`.
    fn load(state: &[u8], input: &Schema) -> Result<Self>;

    /// The columns that [`Transform::apply`] gives.
    fn output(&self) -> &Schema;

    /// One row out for each row in, in the same order, from the state and that row alone.
    fn apply(&self, input: &Batch) -> Result<Batch>;
}

pub struct DataSourceAdapter<T>(PhantomData<T>);

impl<T: DataSource> data_source::Guest for DataSourceAdapter<T> {
    fn read(config: String, out: wire::TableWriter) -> Result<data_source::SourceReport, types::Error> {
        let report = T::read(codec::config(&config)?, &mut TableWriter::from_host(out))?;
        let note = |note: Note| types::Note { line: note.line, message: note.message };
        Ok(data_source::SourceReport {
            rows: report.rows,
            bad_rows: report.bad_rows,
            notes: report.notes.into_iter().map(note).collect(),
        })
    }
}

pub struct ProcessorAdapter<T>(PhantomData<T>);

impl<T: Processor> processor::Guest for ProcessorAdapter<T> {
    fn process(
        config: String,
        inputs: Vec<wire::NamedTable>,
        outputs: Vec<wire::NamedWriter>,
    ) -> Result<(), types::Error> {
        let input = |input: wire::NamedTable| (input.name, Table::from_host(input.table));
        let output = |output: wire::NamedWriter| (output.name, TableWriter::from_host(output.writer));
        let inputs = Inputs::new(inputs.into_iter().map(input).collect());
        let mut outputs = Outputs::new(outputs.into_iter().map(output).collect());
        Ok(T::process(codec::config(&config)?, &inputs, &mut outputs)?)
    }
}

pub struct TransformAdapter<T>(PhantomData<T>);

/// A transform with the schema that its batches come in.
pub struct Fitted<T> {
    transform: T,
    input: Schema,
    columns: Vec<usize>,
}

impl<T: Transform> transform::Guest for TransformAdapter<T> {
    type Fitted = Fitted<T>;

    fn fit(config: String, input: wire::Table) -> Result<Vec<u8>, types::Error> {
        Ok(T::fit(codec::config(&config)?, &Table::from_host(input))?)
    }
}

impl<T: Transform> transform::GuestFitted for Fitted<T> {
    fn load(state: Vec<u8>, input: Vec<wire::Field>) -> Result<transform::Fitted, types::Error> {
        let input = Schema::from_wire(input);
        let columns = (0..input.fields.len()).collect();
        let transform = T::load(&state, &input)?;
        Ok(transform::Fitted::new(Self { transform, input, columns }))
    }

    fn output(&self) -> Vec<wire::Field> {
        self.transform.output().to_wire()
    }

    fn apply(&self, input: wire::Batch) -> Result<wire::Batch, types::Error> {
        Ok(self.transform.apply(&Batch::from_wire(&self.input, &self.columns, input))?.into_wire())
    }
}
