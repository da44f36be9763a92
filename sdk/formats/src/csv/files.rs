//! Many files as one: the same columns, in any order.

use wasmlops_sdk::prelude::*;

use super::dialect::Dialect;
use super::header;
use super::reader::Reader;
use crate::compress::Content;
use crate::options::csv::Options;
use crate::source::{Input, Sources, Stream};

/// The files of one table; their headers are read.
pub struct Files<'a> {
    pub sources: &'a Sources,
    dialect: Dialect,
    header: bool,
    /// The columns, in the order of the first file.
    pub names: Vec<String>,
    /// For each file, where those columns are in it; `None` where they are in the first one's order.
    orders: Vec<Option<Vec<usize>>>,
}

impl<'a> Files<'a> {
    /// Errors: `invalid-input` at the sources' field for a file without a usable header, or with other columns than the
    /// first one.
    pub fn new(sources: &'a Sources, options: &Options, dialect: Dialect) -> Result<Self> {
        let mut files = Self { sources, dialect, header: options.header, names: Vec::new(), orders: Vec::new() };
        for (index, input) in sources.inputs.iter().enumerate() {
            let names = header::names(&mut reader(input, dialect)?, options.header)?;
            if index == 0 {
                files.orders.push(None);
                files.names = names;
            } else {
                let order = order(&files.names, &names, options.header)
                    .map_err(|what| input.wrong(&format!("{what} than `{}`", sources.inputs[0].name())))?;
                files.orders.push(order);
            }
        }
        Ok(files)
    }

    /// The rows of one file, from the first.
    pub fn rows(&self, index: usize) -> Result<Reader<'a, Content<Stream>>> {
        let mut reader = reader(&self.sources.inputs[index], self.dialect)?;
        if self.header {
            header::names(&mut reader, true)?;
        }
        Ok(reader)
    }

    /// Where a column of the table is in this file.
    pub fn place(&self, index: usize, column: usize) -> usize {
        self.orders[index].as_ref().map_or(column, |order| order[column])
    }
}

fn reader(input: &Input, dialect: Dialect) -> Result<Reader<'_, Content<Stream>>> {
    Reader::new(input.open_content()?, input, dialect)
}

/// Where each of `wanted` is among `names`, or what is different.
fn order(wanted: &[String], names: &[String], header: bool) -> Result<Option<Vec<usize>>, String> {
    if wanted == names {
        return Ok(None);
    }
    if !header {
        return Err(format!("has another number of columns ({})", names.len()));
    }
    let missing = absent(wanted, names);
    let added = absent(names, wanted);
    if missing.is_empty() && added.is_empty() {
        let place = |name: &String| names.iter().position(|known| known == name).expect("no name is missing");
        return Ok(Some(wanted.iter().map(place).collect()));
    }
    let parts = [("lacks", missing), ("adds", added)];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty());
    let parts: Vec<String> = parts.map(|(verb, names)| format!("{verb} {}", names.join(", "))).collect();
    Err(format!("has other columns ({})", parts.join("; ")))
}

/// What is in `names` and not in `others`, for a message.
fn absent(names: &[String], others: &[String]) -> Vec<String> {
    const SHOWN: usize = 10;
    let others: std::collections::BTreeSet<&String> = others.iter().collect();
    let absent: Vec<&String> = names.iter().filter(|name| !others.contains(name)).collect();
    let mut shown: Vec<String> = absent.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if absent.len() > SHOWN {
        shown.push(format!("and {} more", absent.len() - SHOWN));
    }
    shown
}
