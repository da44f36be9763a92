//! The columns of the result, and where each table has them.

use wasmlops_sdk::prelude::*;

use crate::config::{Config, Missing};

pub struct Plan {
    pub schema: Schema,
    /// For each table, one source for each column of the schema.
    pub sources: Vec<Vec<Source>>,
}

/// Where a column comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The table's column as it is.
    Same(usize),
    /// The table's column, in the result's type.
    Converted(usize),
    Nulls,
}

impl Plan {
    /// Columns in the order of the first table that has them.
    ///
    /// Errors: `invalid-input` without tables, with every column whose types do not go together or that a table lacks.
    pub fn make(config: &Config, tables: &[(&str, &Schema)]) -> Result<Self> {
        if tables.is_empty() {
            return Err(Error::invalid_input("there is no table to put anything below\nhint: give the step inputs"));
        }
        let mut names: Vec<&str> = Vec::new();
        for (_, schema) in tables {
            names.extend(schema.names().filter(|name| !names.contains(name)).collect::<Vec<_>>());
        }
        let mut problems = Vec::new();
        let mut fields = Vec::new();
        for name in names {
            let lacking: Vec<&str> =
                tables.iter().filter(|(_, schema)| schema.field(name).is_none()).map(|(table, _)| *table).collect();
            match (lacking.as_slice(), config.missing) {
                ([], _) | (_, Missing::Null) => {}
                (_, Missing::Drop) => continue,
                (lacking, Missing::Error) => {
                    problems.push(format!("`{}` has no column `{name}`", lacking.join("`, `")));
                    continue;
                }
            }
            match field(name, tables, !lacking.is_empty()) {
                Ok(field) => fields.push(field),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            let hint = "\nhint: `missing: null` or `missing: drop` allows other columns";
            return Err(Error::invalid_input(format!("the tables do not go together: {}{hint}", problems.join("; "))));
        }
        let schema = Schema::new(fields);
        let sources = tables.iter().map(|(_, table)| sources(&schema, table)).collect();
        Ok(Self { schema, sources })
    }
}

/// The column in a type that holds what every table has. Errors: what does not go together.
fn field(name: &str, tables: &[(&str, &Schema)], lacking: bool) -> std::result::Result<Field, String> {
    let mut found = tables.iter().filter_map(|(table, schema)| Some((*table, schema.field(name)?)));
    let (first_table, first) = found.next().expect("the name is from one of the schemas");
    let (mut data_type, mut nullable) = (first.data_type, first.nullable || lacking);
    for (table, field) in found {
        nullable |= field.nullable;
        data_type = common(data_type, field.data_type).ok_or_else(|| {
            let (here, there) = (first.data_type.name(), field.data_type.name());
            format!("column `{name}` is {here} in `{first_table}` and {there} in `{table}`")
        })?;
    }
    Ok(Field::new(name, data_type, nullable))
}

/// The type that holds values of both: whole numbers fit into f64 (exactly up to 2^53), categories into text.
fn common(a: DataType, b: DataType) -> Option<DataType> {
    match (a, b) {
        _ if a == b => Some(a),
        _ if a.is_numeric() && b.is_numeric() => Some(DataType::F64),
        _ if a.is_text() && b.is_text() => Some(DataType::Utf8),
        _ => None,
    }
}

fn sources(schema: &Schema, table: &Schema) -> Vec<Source> {
    let source = |field: &Field| match table.index_of(&field.name) {
        Some(index) if table.fields[index].data_type == field.data_type => Source::Same(index),
        Some(index) => Source::Converted(index),
        None => Source::Nulls,
    };
    schema.fields.iter().map(source).collect()
}
