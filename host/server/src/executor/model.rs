//! Steps around a model: fitting and applying transforms, training, predicting.
//!
//! The transforms that were fitted are applied here in every case, by the same component with the same state, so that
//! training, validation and prediction see the same features.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use wasmlops_core::artifact::{FittedTransform, ModelDocument, StateDocument, media_type};
use wasmlops_core::call::{Call, Value};
use wasmlops_core::graph::ArtifactType;
use wasmlops_core::run::Failure;
use wasmlops_core::table::{Schema, Table};
use wasmlops_package::Digest;

use super::failure::{self, WithHint, failure, host_failure};
use super::{Attempt, Input};

impl Attempt<'_> {
    pub(super) fn fit(&mut self) -> Result<(), Failure> {
        let raw = self.table(self.required("table")?)?;
        let mut transforms = self.transforms()?;
        let input = self.transformed(&transforms, raw.clone())?;
        let answer = self.main(Call::Fit { config: self.config(), input })?;
        let Value::Bytes(state) = answer else { return Err(failure::odd_answer()) };
        let state = self.made_part(state);
        transforms.push(FittedTransform {
            plugin: self.work.plugin.clone(),
            component: self.work.component,
            state,
            strict: self.work.strict,
        });
        self.made_json("state", media_type::STATE, &StateDocument { transforms, input: raw.schema().clone() })
    }

    pub(super) fn apply(&mut self) -> Result<(), Failure> {
        let table = self.table(self.required("table")?)?;
        let state: StateDocument = self.document(self.required("state")?)?;
        let table = self.transformed(&state.transforms, table)?;
        self.made_table("table", &table)
    }

    pub(super) fn train(&mut self) -> Result<(), Failure> {
        let raw = self.table(self.required("train")?)?;
        let transforms = self.transforms()?;
        let train = self.transformed(&transforms, raw.clone())?;
        let validation = match self.input("validation") {
            Some(input) => Some(self.transformed(&transforms, self.table(input)?)?),
            None => None,
        };
        let empty = first_rows(&train, 0)?;
        let answer = self.main(Call::Train { config: self.config(), train, validation })?;
        let Value::Bytes(model) = answer else { return Err(failure::odd_answer()) };
        let output = self.predicted(&self.work.component.clone(), self.work.strict, &model, empty)?.schema().clone();
        let model = self.made_part(model);
        let document = ModelDocument {
            transforms,
            plugin: self.work.plugin.clone(),
            predictor: self.work.component,
            model,
            input: raw.schema().clone(),
            output,
            target: self.target(raw.schema()),
            strict: self.work.strict,
        };
        self.made_json("model", media_type::MODEL, &document)
    }

    pub(super) fn predict(&mut self) -> Result<(), Failure> {
        let model: ModelDocument = self.document(self.required("model")?)?;
        let table = self.table(self.required("table")?)?;
        let predictions = self.predictions(&model, table)?;
        self.made_table("predictions", &predictions)
    }

    /// What a model says of raw rows.
    pub(super) fn predictions(&mut self, model: &ModelDocument, table: Table) -> Result<Table, Failure> {
        let features = self.transformed(&model.transforms, table)?;
        let blob = self.bytes(&model.model)?;
        self.predicted(&model.predictor, model.strict, &blob, features)
    }

    fn predicted(&mut self, component: &Digest, strict: bool, model: &[u8], input: Table) -> Result<Table, Failure> {
        let prepared = self.prepare(component, strict)?;
        let answer = self.call(&prepared, Call::Predict { model: Arc::from(model), input }, false)?;
        match answer.value {
            Value::Table(table) => Ok(table),
            _ => Err(failure::odd_answer()),
        }
    }

    /// Rows through fitted transforms, one after the other.
    fn transformed(&mut self, transforms: &[FittedTransform], mut table: Table) -> Result<Table, Failure> {
        for transform in transforms {
            let prepared = self.prepare(&transform.component, transform.strict)?;
            let state = Arc::from(self.bytes(&transform.state)?);
            let answer = self.call(&prepared, Call::Apply { state, input: table }, false)?;
            table = match answer.value {
                Value::Table(table) => table,
                _ => return Err(failure::odd_answer()),
            };
        }
        Ok(table)
    }

    /// The transforms that the step's inputs name, in the order of the file. A state that was fitted on top of another
    /// brings that one along.
    fn transforms(&self) -> Result<Vec<FittedTransform>, Failure> {
        let mut transforms: Vec<FittedTransform> = Vec::new();
        for input in self.work.inputs.iter().filter(|input| input.artifact == ArtifactType::State) {
            let state: StateDocument = self.document(input)?;
            let known = state.transforms.iter().zip(&transforms).take_while(|(one, other)| one == other).count();
            if known < transforms.len() && known > 0 {
                let message =
                    format!("input `{}` was fitted on other transforms than the inputs before it", input.name);
                return Err(failure("invalid-input", message)
                    .with_hint("give a step one state, or states that build on each other"));
            }
            transforms.extend_from_slice(&state.transforms[known..]);
        }
        Ok(transforms)
    }

    pub(super) fn document<T: DeserializeOwned>(&self, input: &Input) -> Result<T, Failure> {
        serde_json::from_slice(&self.bytes(&input.digest)?).map_err(host_failure)
    }

    /// By convention a trainer's configuration key `target` names the column to predict.
    fn target(&self, schema: &Schema) -> Option<String> {
        let target = self.work.config.get("target")?.as_str()?;
        schema.index_of(target).map(|_| target.to_owned())
    }
}

/// The columns of a table with its first rows.
fn first_rows(table: &Table, rows: u64) -> Result<Table, Failure> {
    let mut builder = wasmlops_core::table::TableBuilder::new(table.schema().clone());
    if rows > 0 {
        let all: Vec<u32> = (0..table.schema().fields.len() as u32).collect();
        builder.push(table.read(&all, 0, rows).map_err(host_failure)?).map_err(host_failure)?;
    }
    builder.finish().map_err(host_failure)
}
