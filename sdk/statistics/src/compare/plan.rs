//! Which columns are compared, and how. Reads no row.

use wasmlops_sdk::prelude::*;

use super::{Measure, Options, Subject};
use crate::text;

/// A column of the reference that is compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Planned {
    pub name: String,
    /// Its place in the reference.
    pub reference: usize,
    /// Its place in the window, or why it has none there.
    pub window: Result<usize, String>,
    /// Text and booleans, whose values are counted; others are numbers.
    pub is_text: bool,
    /// What the user asks for this column alone.
    pub measure: Measure,
}

/// The columns in the order of the reference.
///
/// Errors: `invalid-config` with everything that does not fit, at the place of the first.
pub fn columns(options: &Options, subject: Subject, reference: &Schema, window: &Schema) -> Result<Vec<Planned>> {
    let problems = problems(options, reference);
    if let Some((first, message)) = problems.first() {
        let message = match problems.as_slice() {
            [_] => message.clone(),
            all => {
                let lines = all.iter().map(|(at, message)| format!("\n`{at}`: {message}"));
                format!("{} options do not fit{}", all.len(), lines.collect::<String>())
            }
        };
        let columns = reference.names_for_message();
        return Err(Error::invalid_config(first, format!("{message}\nhint: the reference has {columns}")));
    }
    let chosen = |field: &Field| match &options.columns {
        Some(names) => names.contains(&field.name),
        None => subject.is_about(field),
    };
    let fields = reference.fields.iter().enumerate();
    let columns: Vec<Planned> = fields
        .filter(|(_, field)| chosen(field) && !options.exclude.contains(&field.name))
        .map(|(index, field)| Planned {
            name: field.name.clone(),
            reference: index,
            window: place(field, window),
            is_text: is_text(field.data_type),
            measure: options.per_column.get(&field.name).copied().unwrap_or_default(),
        })
        .collect();
    if columns.is_empty() {
        let what = match subject {
            Subject::Features => "no column",
            Subject::Predictions => "no column `prediction` or `probability.*`",
        };
        let columns = reference.names_for_message();
        let message = format!("there is {what} to compare; the reference has {columns}");
        return Err(Error::invalid_input(message).at("reference"));
    }
    Ok(columns)
}

impl Subject {
    /// Whether a column is compared where the user names none.
    fn is_about(self, field: &Field) -> bool {
        let predicted = field.name == "prediction" || field.name.starts_with("probability.");
        match self {
            Subject::Predictions => predicted && field.data_type != DataType::Binary,
            // Time goes on: its distribution always changes.
            Subject::Features => {
                let beside = field.name.starts_with('_') || field.name == "label";
                !beside && !predicted && !matches!(field.data_type, DataType::Binary | DataType::Timestamp)
            }
        }
    }
}

fn is_text(data_type: DataType) -> bool {
    data_type.is_text() || data_type == DataType::Bool
}

fn place(field: &Field, window: &Schema) -> Result<usize, String> {
    let Some(index) = window.index_of(&field.name) else {
        return Err("the window has no such column".to_owned());
    };
    let (there, here) = (window.fields[index].data_type, field.data_type);
    if there == DataType::Binary || is_text(there) != is_text(here) {
        return Err(format!("it is {} in the window and {} in the reference", there.name(), here.name()));
    }
    Ok(index)
}

/// Configuration keys and what is wrong with them.
fn problems(options: &Options, reference: &Schema) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let lists = [("columns", options.columns.as_deref().unwrap_or_default()), ("exclude", &options.exclude)];
    for (key, names) in lists {
        for (index, name) in names.iter().enumerate() {
            match reference.field(name) {
                None => problems.push((format!("{key}.{index}"), format!("there is no column {}", text::name(name)))),
                Some(field) if key == "columns" && field.data_type == DataType::Binary => {
                    problems.push((format!("{key}.{index}"), format!("`{name}` is binary, which cannot be compared")));
                }
                Some(_) => {}
            }
        }
    }
    for (name, measure) in &options.per_column {
        let key = format!("per_column.{name}");
        let Some(field) = reference.field(name) else {
            problems.push((key, format!("there is no column {}", text::name(name))));
            continue;
        };
        if let Some(statistic) = measure.statistic.filter(|statistic| statistic.needs_numbers())
            && is_text(field.data_type)
        {
            let (statistic, data_type) = (statistic.name(), field.data_type.name());
            problems.push((
                format!("{key}.statistic"),
                format!("`{statistic}` compares numbers, and `{name}` is {data_type}"),
            ));
        }
    }
    if let Some(statistic) = options.categorical.statistic.filter(|statistic| statistic.needs_numbers()) {
        let message = format!("`{}` compares numbers, and not categories", statistic.name());
        problems.push(("categorical.statistic".to_owned(), message));
    }
    problems
}
