//! The names of the columns, and the types that were declared for them.

use std::collections::BTreeMap;
use std::io::Read;

use wasmlops_sdk::prelude::*;

use super::reader::Reader;
use crate::options::Undeclared;
use crate::options::csv::Options;
use crate::source::Sources;

/// The most columns of a table: each has its own buffers here and its own place in every batch, so that many more would
/// be memory and nothing else.
const MAX_COLUMNS: usize = 100_000;

/// Reads the first row. Without a header it only says how many columns there are, and must be read again.
///
/// Errors: `invalid-input` where there is no row, or names that cannot be columns'.
pub fn names<R: Read>(reader: &mut Reader<'_, R>, header: bool) -> Result<Vec<String>> {
    let names: Option<Result<Vec<String>, String>> = reader.next_row()?.map(|block| {
        if let Some(bad) = block.grid.bad.first() {
            return Err(format!("has no readable first row: line {}: {}", bad.line, bad.reason));
        }
        let cells = (0..block.width).flat_map(|column| block.column(column).next());
        Ok(cells.map(|cell| block.text(cell).trim().to_owned()).collect())
    });
    let names = match names {
        None => return Err(reader.wrong("is empty")),
        Some(names) => names.map_err(|what| reader.wrong(&what))?,
    };
    if names.len() > MAX_COLUMNS {
        let what =
            format!("has {} columns, and at most {MAX_COLUMNS} are allowed\nhint: check `delimiter`", names.len());
        return Err(reader.wrong(&what));
    }
    if !header {
        return Ok((1..=names.len()).map(|number| format!("column_{number}")).collect());
    }
    match problems(&names) {
        None => Ok(names),
        Some(problems) => Err(reader.wrong(&problems)),
    }
}

/// What is wrong with the names, all of it.
fn problems(names: &[String]) -> Option<String> {
    if names.iter().any(|name| name.contains('\r')) {
        return Some("has lines that end with a carriage return alone\nhint: save it with line feeds".to_owned());
    }
    let mut first_with: BTreeMap<&str, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let number = index + 1;
        let first = *first_with.entry(name).or_insert(number);
        if name.is_empty() {
            problems.push(format!("column {number} has no name"));
        } else if first != number {
            problems.push(format!("columns {first} and {number} are both named `{name}`"));
        }
    }
    let hint = match first_with.contains_key("") {
        true => "name every column once; pandas writes one without a name, its index, unless told `index=False`",
        false => "name every column once",
    };
    (!problems.is_empty())
        .then(|| format!("has a header that cannot name columns: {}\nhint: {hint}", problems.join("; ")))
}

/// The type of each column as far as the configuration says it; `None` is to be inferred.
///
/// Errors: `invalid-config` for a declared column that is not there, or, if so wished, an undeclared one that is.
pub fn declared(options: &Options, names: &[String], sources: &Sources) -> Result<Vec<Option<DataType>>> {
    let schema = Schema::new(names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect());
    for name in options.columns.keys() {
        schema.require(name, &format!("columns.{name}"))?;
    }
    let undeclared: Vec<&String> = names.iter().filter(|name| !options.columns.contains_key(*name)).collect();
    if options.undeclared == Undeclared::Refuse && !undeclared.is_empty() {
        let names = undeclared.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = format!("`{}` has columns that are not declared: {names}\nhint: declare them", sources.name);
        return Err(Error::invalid_config("columns", message));
    }
    let otherwise = (options.undeclared == Undeclared::Text).then_some(DataType::Utf8);
    Ok(names.iter().map(|name| options.columns.get(name).map(|column| column.data_type()).or(otherwise)).collect())
}
