//! What a search leaves behind: the best trial as a document, and all trials as a table. Neither names a run, so that the
//! same search gives the same bytes in every run; the trials' runs are found from the search's own run.

use serde_json::{Map, Value, json};

use super::{Finished, Search, TrialStatus, Values};
use crate::canonical_json::to_canonical;
use crate::config::plain;
use crate::table::{Batch, Column, DataType, Field, Schema, Table, TableBuilder, TableError};

/// Columns of the table of trials beside those of the parameters.
pub(super) const RESERVED: [&str; 5] = ["trial", "objective", "status", "stopped_at", "stopped_value"];

/// The best trial, as canonical JSON.
pub fn best_document(search: &Search, best: &Finished, history: &[Finished]) -> Vec<u8> {
    let count = |is: fn(&TrialStatus) -> bool| history.iter().filter(|ended| is(&ended.status)).count();
    let document = json!({
        "trial": best.trial.number,
        "params": best.trial.params,
        "objective": {
            "metric": search.objective,
            "goal": search.goal,
            "value": best.objective,
        },
        "trials": history.len(),
        "failed": count(|status| *status == TrialStatus::Failed),
        "stopped": count(|status| matches!(status, TrialStatus::Stopped { .. })),
    });
    to_canonical(&document).into_bytes()
}

/// One row for each trial, in order: its number, each parameter, what the objective measured, how it ended, and for one
/// that was stopped early where and with which value.
pub fn trials_table(search: &Search, history: &[Finished]) -> Result<Table, TableError> {
    let mut fields = vec![field("trial", DataType::S64, false)];
    let mut columns = vec![whole(history.iter().map(|ended| Some(ended.trial.number as i64)))];
    for dimension in &search.space {
        let values = history.iter().map(|ended| ended.trial.params.get(&dimension.name));
        let data_type = data_type(&dimension.values);
        fields.push(field(&dimension.name, data_type, false));
        columns.push(match data_type {
            DataType::S64 => whole(values.map(|value| value.and_then(Value::as_i64))),
            DataType::F64 => real(values.map(|value| value.and_then(Value::as_f64))),
            DataType::Bool => flags(values.map(|value| value.and_then(Value::as_bool).unwrap_or_default())),
            _ => texts(values.map(|value| value.map(plain).unwrap_or_default())),
        });
    }
    let stop = |ended: &Finished| match ended.status {
        TrialStatus::Stopped { at } => ended.rungs.iter().find(|(rung, _)| *rung == at).copied(),
        _ => None,
    };
    fields.extend([field("objective", DataType::F64, true), field("status", DataType::Utf8, false)]);
    columns.push(real(history.iter().map(|ended| ended.objective)));
    columns.push(texts(history.iter().map(|ended| ended.status.as_str().to_owned())));
    fields.extend([field("stopped_at", DataType::S64, true), field("stopped_value", DataType::F64, true)]);
    columns.push(whole(history.iter().map(|ended| i64::try_from(stop(ended)?.0).ok())));
    columns.push(real(history.iter().map(|ended| Some(stop(ended)?.1))));
    let mut builder = TableBuilder::new(Schema::new(fields)?);
    builder.push(Batch { num_rows: history.len() as u64, columns })?;
    builder.finish()
}

fn field(name: &str, data_type: DataType, nullable: bool) -> Field {
    Field { name: name.to_owned(), data_type, nullable }
}

fn data_type(values: &Values) -> DataType {
    match values {
        Values::Number { .. } => DataType::F64,
        Values::Whole { .. } => DataType::S64,
        Values::Choices(choices) if choices.iter().all(Value::is_i64) => DataType::S64,
        Values::Choices(choices) if choices.iter().all(Value::is_number) => DataType::F64,
        Values::Choices(choices) if choices.iter().all(Value::is_boolean) => DataType::Bool,
        Values::Choices(_) => DataType::Utf8,
    }
}

fn whole(values: impl Iterator<Item = Option<i64>>) -> Column {
    fixed(values.map(|value| value.map(i64::to_le_bytes)))
}

fn real(values: impl Iterator<Item = Option<f64>>) -> Column {
    fixed(values.map(|value| value.map(f64::to_le_bytes)))
}

fn fixed(values: impl Iterator<Item = Option<[u8; 8]>>) -> Column {
    let values: Vec<_> = values.collect();
    let is_full = values.iter().all(Option::is_some);
    let validity = (!is_full).then(|| bits(values.iter().map(Option::is_some)));
    Column { values: values.into_iter().flat_map(Option::unwrap_or_default).collect(), validity, ..Column::default() }
}

fn flags(values: impl Iterator<Item = bool>) -> Column {
    Column { values: bits(values), ..Column::default() }
}

fn texts(values: impl Iterator<Item = String>) -> Column {
    let mut column = Column { offsets: Some(0_i32.to_le_bytes().to_vec()), ..Column::default() };
    for text in values {
        column.values.extend(text.as_bytes());
        let end = i32::try_from(column.values.len()).unwrap_or(i32::MAX);
        column.offsets.get_or_insert_default().extend(end.to_le_bytes());
    }
    column
}

/// Least significant bit first.
fn bits(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, value) in values.enumerate() {
        if at % 8 == 0 {
            bytes.push(0);
        }
        *bytes.last_mut().expect("a byte was pushed for the first bit") |= u8::from(value) << (at % 8);
    }
    bytes
}

/// What a trial is called, for people: its values.
pub fn described(params: &Map<String, Value>) -> String {
    let pair = |(name, value): (&String, &Value)| format!("{name} {}", plain(value));
    params.iter().map(pair).collect::<Vec<_>>().join(", ")
}
