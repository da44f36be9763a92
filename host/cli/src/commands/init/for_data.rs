//! A project for a CSV file: the file is read in the sandbox, and the column to predict decides the task.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use wasmlops_core::config::ProjectPath;
use wasmlops_core::diagnostics::suggest;
use wasmlops_core::table::{DataType, Field, Table};
use wasmlops_server::error::Error;
use wasmlops_server::probe::{Distinct, distinct, read_table};
use wasmlops_server::project::Project;

use crate::settings::Settings;

/// A whole-number column with more values is a quantity, not a class.
const MOST_NUMBER_CLASSES: usize = 20;
/// A text column with more values is not a class, and not a feature either.
const MOST_TEXT_VALUES: usize = 64;

/// Writes the project and says in a sentence what it is.
pub async fn write(settings: &Settings, folder: &Path, data: &Path, target: &str) -> Result<String> {
    let (name, file) = names(data)?;
    fs::create_dir_all(folder.join("data")).context("cannot make the folder `data`")?;
    fs::copy(data, folder.join("data").join(&file)).map_err(|error| {
        Error::user("no-such-file", format!("cannot read `{}`: {error}", data.display()), "check the path")
    })?;
    super::write(folder, "wasmlops.yaml", &project_file(&name))?;
    let table = read(settings, folder, &file).await?;
    let shape = Shape::of(&table, target)?;
    super::write(folder, &format!("pipelines/{name}.yaml"), &pipeline(&name, &file, target, &shape, &table))?;
    let (rows, task) = (table.num_rows(), shape.task.name());
    Ok(format!("{rows} rows of `{file}`, a {task} model of `{target}`"))
}

/// A name for the project and its pipeline, and the file's name in it.
fn names(data: &Path) -> Result<(String, String)> {
    let stem = data.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_lowercase();
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = stem.chars().map(word).collect();
    let name = name.trim_matches('-').trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    let name = if name.is_empty() { "data" } else { name };
    Ok((name.chars().take(60).collect(), format!("{}.csv", name.chars().take(60).collect::<String>())))
}

async fn read(settings: &Settings, folder: &Path, file: &str) -> Result<Table> {
    let host = settings.host_with(Project::find(folder)?, false).await?;
    let path = format!("data/{file}");
    let grants = vec![path.parse::<ProjectPath>()?];
    let table = read_table(&host, "csv-source", json!({ "path": path }), grants).await?;
    host.store.close().await;
    Ok(table)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Regression,
    Binary,
    Multiclass,
}

impl Task {
    fn name(self) -> &'static str {
        match self {
            Task::Regression => "regression",
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
        }
    }
}

/// What the columns say about the pipeline.
struct Shape {
    task: Task,
    /// Classes that are all large enough to be split in proportion.
    stratify: bool,
    /// Columns that a linear model cannot use: times, and texts with too many values.
    drop: Vec<String>,
    /// What a model that knows nothing reaches.
    minimum: String,
}

impl Shape {
    fn of(table: &Table, target: &str) -> Result<Self> {
        let fields = &table.schema().fields;
        let position = fields.iter().position(|field| field.name == target).ok_or_else(|| unknown(fields, target))?;
        let values = distinct(table, position as u32, MOST_TEXT_VALUES + 1)?;
        let task = task(&fields[position], &values)?;
        let mut drop = Vec::new();
        for (index, field) in fields.iter().enumerate().filter(|(index, _)| *index != position) {
            let usable = match field.data_type {
                DataType::Utf8 | DataType::Categorical => !distinct(table, index as u32, MOST_TEXT_VALUES)?.capped,
                DataType::Timestamp | DataType::Binary => false,
                DataType::Bool | DataType::S64 | DataType::F64 | DataType::F32 => true,
            };
            if !usable {
                drop.push(field.name.clone());
            }
        }
        let minimum = match task {
            Task::Regression => "r2: 0".to_owned(),
            Task::Binary | Task::Multiclass => format!("balanced_accuracy: {:.3}", 1.0 / values.counts.len() as f64),
        };
        let stratify = task != Task::Regression && values.counts.values().all(|rows| *rows >= 4);
        Ok(Self { task, stratify, drop, minimum })
    }
}

fn unknown(fields: &[Field], target: &str) -> Error {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let hint = match suggest(target, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the file has `{}`", names.join("`, `")),
    };
    Error::user("unknown-column", format!("the file has no column `{target}`"), hint)
}

fn task(field: &Field, values: &Distinct) -> Result<Task> {
    let name = &field.name;
    let refuse = |message: String, hint: &str| Err(Error::user("unfit-target", message, hint).into());
    if values.nulls > 0 {
        let hint = "fill in or remove these rows: a model cannot learn from them";
        return refuse(format!("column `{name}` lacks a value in {} rows", values.nulls), hint);
    }
    if values.counts.len() < 2 {
        return refuse(format!("column `{name}` has one value: there is nothing to learn"), "name another `--target`");
    }
    let classes = values.counts.len();
    match field.data_type {
        _ if classes == 2 => Ok(Task::Binary),
        DataType::F64 | DataType::F32 => Ok(Task::Regression),
        DataType::S64 if values.capped || classes > MOST_NUMBER_CLASSES => Ok(Task::Regression),
        DataType::Timestamp | DataType::Binary => {
            refuse(format!("column `{name}` is a {}", field.data_type), "name a number or a class")
        }
        DataType::Utf8 | DataType::Categorical if values.capped => {
            refuse(format!("column `{name}` has more than {MOST_TEXT_VALUES} texts"), "name a number or a class")
        }
        _ => Ok(Task::Multiclass),
    }
}

fn project_file(name: &str) -> String {
    format!("project: {name}\n\n# What steps of this project can be granted at the most.\npolicy:\n  read: [data]\n")
}

fn pipeline(name: &str, file: &str, target: &str, shape: &Shape, table: &Table) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let (target_text, task) = (quoted(target), shape.task.name());
    let stratify = if shape.stratify { format!(", stratify: {target_text}") } else { String::new() };
    let drop: Vec<String> = shape.drop.iter().map(|column| quoted(column)).collect();
    let drop = if drop.is_empty() { String::new() } else { format!(", drop: [{}]", drop.join(", ")) };
    let mut text = String::new();
    let _ = write!(
        text,
        r#"pipeline: {name}
description: A {task} model of {target}

params:
  seed: {{ type: integer, default: 7, description: Chooses the rows of the test split }}

steps:
  ingest:
    uses: csv-source@^0.1
    with: {{ path: data/{file} }}
    grants: {{ read: [data/{file}] }}

  # Add what you know of the data: ranges, allowed values, uniqueness.
  quality:
    uses: data-quality@^0.1
    inputs: {{ table: ingest.table }}
    with:
      rules:
        - {{ rows: {{ min: {minimum_rows} }} }}
        - {{ no_nulls: [{target_text}] }}

  split:
    uses: split@^0.1
    inputs: {{ table: ingest.table }}
    needs: [quality]
    with: {{ test: 0.25{stratify}, seed: "${{{{ params.seed }}}}" }}

  features:
    uses: tabular-features@^0.1
    inputs: {{ table: split.train }}
    with: {{ target: {target_text}{drop} }}

  train:
    uses: linear-model@^0.1
    inputs: {{ train: split.train, features: features.state }}
    with: {{ task: {task}, target: {target_text} }}

  # What a model that knows nothing reaches: raise it to what you need.
  gate:
    uses: model-gate@^0.1
    inputs: {{ model: train.model, table: split.test }}
    with: {{ min: {{ {minimum} }} }}
"#,
        minimum_rows = table.num_rows().div_ceil(2),
        minimum = shape.minimum,
    );
    text
}
