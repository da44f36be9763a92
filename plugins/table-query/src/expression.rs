//! CEL (<https://cel.dev>) over the columns of a row: compiled once against a table's columns, with its type known
//! before any row is read.
//!
//! A null and a NaN are CEL's `null`. Where an operator or function is given one and takes none, the expression has no
//! value in that row: the result is null. `==` and `!=` do take nulls, and `&&` and `||` need no more than one operand
//! where it decides (`false && …`, `true || …`), so that conditions follow SQL's three-valued logic.
//!
//! `bind` makes names into columns, `types` infers, `columns` computes whole batches where that is exact, and `rows`
//! asks CEL's interpreter row by row for the rest.

mod bind;
mod columns;
mod rows;
mod types;

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use cel::{Env, IdedExpr, extensions};
use wasmlops_sdk::BATCH_ROWS;
use wasmlops_sdk::prelude::*;

use crate::frame::Frame;
use types::Type;

/// Longer expressions belong into a plugin.
const MOST_CHARACTERS: usize = 2_000;

/// An expression whose names and types are right.
#[derive(Clone)]
pub struct Expression {
    tree: Rc<IdedExpr>,
    env: Arc<Env>,
    /// The table's columns that it reads.
    reads: Vec<usize>,
    data_type: DataType,
    /// The column that it is, if it is nothing else.
    plain: Option<usize>,
}

impl Expression {
    /// Errors: everything that is wrong with the text for a table with these columns.
    pub fn compile(text: &str, schema: &Schema) -> Result<Self, Vec<String>> {
        if text.trim().is_empty() {
            return Err(vec!["the expression is empty".to_owned()]);
        } else if text.chars().count() > MOST_CHARACTERS {
            return Err(vec![format!("the expression is longer than {MOST_CHARACTERS} characters")]);
        }
        let env = environment();
        let program = env.compile(text).map_err(|errors| {
            // The first one is the cause; what follows is the parser trying to recover.
            errors.errors.first().map(|error| vec![in_words(&error.msg)]).unwrap_or_default()
        })?;
        let mut tree = program.expression().clone();
        let reads = bind::bind(&mut tree, schema)?;
        let columns: Vec<DataType> = reads.iter().map(|&index| schema.fields[index].data_type).collect();
        let found = types::infer(&mut tree, &columns)?;
        let plain = bind::column(&tree).map(|at| reads[at]);
        let data_type = match plain {
            Some(index) => Some(schema.fields[index].data_type),
            None => found.data_type(),
        };
        let data_type = data_type.ok_or_else(|| vec![untold(&found)])?;
        Ok(Self { tree: Rc::new(tree), env, reads, data_type, plain })
    }

    /// As [`Expression::compile`], for a condition.
    pub fn condition(text: &str, schema: &Schema) -> Result<Self, Vec<String>> {
        let condition = Self::compile(text, schema)?;
        match condition.data_type {
            DataType::Bool => Ok(condition),
            other => Err(vec![format!("must give `true` or `false`, and gives {}\nhint: compare it", other.name())]),
        }
    }

    /// The type of the column that [`Expression::evaluate`] gives; it may hold nulls.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// The value for each row.
    ///
    /// Errors: `invalid-input` with the first row, counted from 0, that has no value for another reason than a null:
    /// an overflow of whole numbers, their division by zero, a text that is no number.
    pub fn evaluate(&self, frame: &Frame) -> Result<Column> {
        if let Some(index) = self.plain {
            return Ok((*frame.columns[index]).clone());
        }
        let whole = frame.columns_at(&self.reads);
        let mut parts = Vec::with_capacity(frame.num_rows.div_ceil(BATCH_ROWS));
        let mut first = 0;
        while first < frame.num_rows {
            let rows = first..frame.num_rows.min(first + BATCH_ROWS);
            let part = self.evaluate_batch(&whole, rows.clone())?;
            parts.push(part);
            first = rows.end;
        }
        Ok(Column::concat(self.data_type, &parts))
    }

    /// Rows without a null at once, the others one by one.
    fn evaluate_batch(&self, columns: &[&Column], rows: Range<usize>) -> Result<Column> {
        let one_by_one = |rows: &mut dyn Iterator<Item = usize>| {
            rows::evaluate(&self.tree, &self.env, columns, rows, self.data_type)
        };
        let is_complete = |row: &usize| !columns.iter().any(|column| rows::is_missing(column, *row));
        let (complete, others): (Vec<usize>, Vec<usize>) = rows.clone().partition(is_complete);
        if others.is_empty() {
            let part = columns::evaluate(&self.tree, columns, rows.clone(), self.data_type);
            return part.map_or_else(|| one_by_one(&mut rows.clone()), Ok);
        }
        let taken: Vec<Column> = columns.iter().map(|column| column.take(&complete)).collect();
        let taken: Vec<&Column> = taken.iter().collect();
        let Some(part) = columns::evaluate(&self.tree, &taken, 0..complete.len(), self.data_type) else {
            return one_by_one(&mut rows.clone());
        };
        let other_part = one_by_one(&mut others.iter().copied())?;
        let both = Column::concat(self.data_type, &[part, other_part]);
        let mut places = vec![0; rows.len()];
        complete.iter().chain(&others).enumerate().for_each(|(place, row)| places[row - rows.start] = place);
        Ok(both.take(&places))
    }
}

fn environment() -> Arc<Env> {
    let mut env = Env::stdlib();
    for extension in [extensions::math, extensions::strings] {
        env.add_extension(extension).expect("the extensions declare nothing twice");
    }
    Arc::new(env)
}

/// The parser's message without its list of all tokens that could have stood there.
fn in_words(message: &str) -> String {
    let message = message.trim().trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    match message.contains("<EOF>") {
        true => "this is not CEL: it ends where more was expected".to_owned(),
        false => format!("this is not CEL: {message}"),
    }
}

fn untold(found: &Type) -> String {
    let found = match found {
        Type::Unknown => "has a type that cannot be told before rows are read".to_owned(),
        other => format!("gives {}, which no column can hold", other.name()),
    };
    format!("the expression {found}\nhint: end in `double(…)`, `int(…)`, `string(…)` or a comparison")
}

#[cfg(test)]
impl Expression {
    /// As [`Expression::evaluate`], by the interpreter alone.
    pub fn evaluate_by_rows(&self, frame: &Frame) -> Result<Column> {
        match self.plain {
            Some(index) => Ok((*frame.columns[index]).clone()),
            None => {
                let columns = frame.columns_at(&self.reads);
                rows::evaluate(&self.tree, &self.env, &columns, &mut (0..frame.num_rows), self.data_type)
            }
        }
    }
}
