//! Values computed from several rows: of a group in `aggregate`, of a frame in `window`.
//!
//! A partial result can be joined with that of later rows ([`Partial`]), so that a frame which moves on by one row
//! costs the same however long it is. Means and deviations are joined by the formulas of Chan, Golub and LeVeque, "Updating
//! Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).

mod cells;
mod sliding;

use wasmlops_sdk::prelude::*;

use crate::config::{Function, Measure};
use crate::keys::{NO_KEY, distinct_values};
use crate::order::Order;
use crate::problems::Problems;

use cells::Cell;
pub use cells::Cells;
pub use sliding::over_frames;

/// A measure whose column exists and fits.
#[derive(Clone, PartialEq, Debug)]
pub struct Planned {
    function: Function,
    column: Option<usize>,
    at: f64,
    pub field: Field,
}

/// Everything planned, if nothing is wrong.
pub fn plan(measures: &[Measure], schema: &Schema, key: &str, problems: &mut Problems) -> Option<Vec<Planned>> {
    let one = |(index, measure)| plan_one(measure, schema, &format!("{key}.{index}"), problems);
    let planned: Vec<Option<Planned>> = measures.iter().enumerate().map(one).collect();
    planned.into_iter().collect()
}

fn plan_one(measure: &Measure, schema: &Schema, key: &str, problems: &mut Problems) -> Option<Planned> {
    let function = measure.function;
    let name = function_name(function);
    let is_quantile = function == Function::Quantile;
    if is_quantile != measure.at.is_some() {
        let problem =
            if is_quantile { "`quantile` needs `at`, between 0 and 1" } else { "`at` is for `quantile` only" };
        problems.add(format!("{key}.at"), problem);
    }
    if measure.at.is_some_and(|at| !(0.0..=1.0).contains(&at)) {
        problems.add(format!("{key}.at"), "must be between 0 and 1");
    }
    let column = match &measure.column {
        Some(column) => Some(problems.column(schema, column, &format!("{key}.column"))?),
        None if function == Function::Count => None,
        None => {
            problems.add(format!("{key}.column"), format!("`{name}` needs a column"));
            return None;
        }
    };
    let given = column.map(|index| schema.fields[index].data_type);
    let data_type = match (function, given) {
        (Function::Count | Function::NUnique, _) | (_, None) => DataType::S64,
        (Function::First | Function::Last | Function::Min | Function::Max, Some(given)) => given,
        (_, Some(given)) if !given.is_numeric() || given == DataType::Timestamp => {
            let problem = format!("`{name}` takes numbers, and the column is {}", given.name());
            problems.add(format!("{key}.column"), problem);
            return None;
        }
        (Function::Sum, Some(DataType::S64 | DataType::Bool)) => DataType::S64,
        _ => DataType::F64,
    };
    let default = measure.column.as_ref().map_or_else(|| name.to_owned(), |column| format!("{column}_{name}"));
    let field = Field::new(measure.name.clone().unwrap_or(default), data_type, true);
    Some(Planned { function, column, at: measure.at.unwrap_or(0.5), field })
}

fn function_name(function: Function) -> &'static str {
    match function {
        Function::Count => "count",
        Function::Sum => "sum",
        Function::Mean => "mean",
        Function::Min => "min",
        Function::Max => "max",
        Function::Median => "median",
        Function::Std => "std",
        Function::First => "first",
        Function::Last => "last",
        Function::NUnique => "n_unique",
        Function::Quantile => "quantile",
    }
}

/// A measure with the values that it looks at.
pub struct Computer<'a> {
    planned: &'a Planned,
    column: Option<&'a Column>,
    order: Option<Order<'a>>,
    /// The column as numbers, where the function needs them.
    numbers: Vec<f64>,
    /// The column as whole numbers, where it holds such.
    whole: Vec<i64>,
    /// For `n_unique`: for each row the number of its value, and how many there are.
    values: (Vec<u32>, usize),
}

/// What is known of some rows.
#[derive(Clone, Copy)]
struct Partial {
    count: u64,
    whole: i128,
    float: f64,
    mean: f64,
    /// The sum of squared differences from the mean.
    squares: f64,
    /// The row with the least or greatest value.
    row: usize,
}

const NOTHING: Partial = Partial { count: 0, whole: 0, float: 0.0, mean: 0.0, squares: 0.0, row: usize::MAX };

impl<'a> Computer<'a> {
    pub fn new(planned: &'a Planned, columns: &'a [std::rc::Rc<Column>]) -> Self {
        let column = planned.column.map(|index| &*columns[index]);
        let mut computer =
            Self { planned, column, order: column.map(Order::of), numbers: vec![], whole: vec![], values: (vec![], 0) };
        let Some(column) = column else { return computer };
        match planned.function {
            Function::NUnique => computer.values = distinct_values(column),
            Function::Sum | Function::Mean | Function::Std | Function::Median | Function::Quantile => {
                match column.data_type() {
                    DataType::S64 => computer.whole = column.as_s64().map(<[i64]>::to_vec).unwrap_or_default(),
                    DataType::Bool => {
                        let number = |row| column.bool(row).map_or(0, i64::from);
                        computer.whole = (0..column.len()).map(number).collect();
                    }
                    _ => {}
                }
                computer.numbers = column.numbers().unwrap_or_default();
            }
            _ => {}
        }
        computer
    }

    /// The value of these rows, which come in their order.
    pub fn of(&self, rows: &[usize]) -> Result<Cell, Overflow> {
        match self.planned.function {
            Function::Count | Function::Sum | Function::Mean | Function::Min | Function::Max | Function::Std => {
                let partial = rows.iter().fold(NOTHING, |partial, &row| self.join(partial, self.one(row)));
                self.finish(&partial)
            }
            Function::First => Ok(rows.iter().find(|row| self.has(**row)).map_or(Cell::Null, |&row| Cell::Row(row))),
            Function::Last => {
                Ok(rows.iter().rev().find(|row| self.has(**row)).map_or(Cell::Null, |&row| Cell::Row(row)))
            }
            Function::NUnique => {
                let mut ids: Vec<u32> = rows.iter().map(|&row| self.values.0[row]).filter(|id| *id != NO_KEY).collect();
                ids.sort_unstable();
                ids.dedup();
                Ok(Cell::Whole(ids.len() as i64))
            }
            Function::Median | Function::Quantile => Ok(self.quantile(rows)),
        }
    }

    fn has(&self, row: usize) -> bool {
        self.order.as_ref().is_none_or(|order| order.has(row))
    }

    /// Interpolated between the neighbours, as numpy's `linear` does.
    fn quantile(&self, rows: &[usize]) -> Cell {
        let mut values: Vec<f64> = rows.iter().map(|&row| self.numbers[row]).filter(|value| !value.is_nan()).collect();
        if values.is_empty() {
            return Cell::Null;
        }
        values.sort_unstable_by(f64::total_cmp);
        let place = self.planned.at * (values.len() - 1) as f64;
        let below = place.floor() as usize;
        let above = values[(below + 1).min(values.len() - 1)];
        let part = place - place.floor();
        // Between equal neighbours nothing is calculated, so that infinities stay what they are.
        let value = if part == 0.0 || values[below] == above {
            values[below]
        } else {
            values[below] + (above - values[below]) * part
        };
        Cell::Float(value)
    }

    fn one(&self, row: usize) -> Partial {
        if !self.has(row) {
            return NOTHING;
        }
        let float = self.numbers.get(row).copied().unwrap_or(0.0);
        let whole = self.whole.get(row).map_or(0, |whole| i128::from(*whole));
        Partial { count: 1, whole, float, mean: float, squares: 0.0, row }
    }

    /// `b` is of rows after those of `a`.
    fn join(&self, a: Partial, b: Partial) -> Partial {
        if a.count == 0 || b.count == 0 {
            return if b.count == 0 { a } else { b };
        }
        let count = a.count + b.count;
        let mut joined = Partial { count, whole: a.whole + b.whole, float: a.float + b.float, ..a };
        match (self.planned.function, &self.order) {
            (Function::Std, _) => {
                let (left, right, all) = (a.count as f64, b.count as f64, count as f64);
                let difference = b.mean - a.mean;
                joined.mean = a.mean + difference * (right / all);
                joined.squares = a.squares + b.squares + difference * difference * (left * right / all);
            }
            (Function::Min, Some(order)) if order.compare(b.row, a.row).is_lt() => joined.row = b.row,
            (Function::Max, Some(order)) if order.compare(b.row, a.row).is_gt() => joined.row = b.row,
            _ => {}
        }
        joined
    }

    fn finish(&self, partial: &Partial) -> Result<Cell, Overflow> {
        let Partial { count, whole, float, squares, row, .. } = *partial;
        Ok(match self.planned.function {
            Function::Count => Cell::Whole(count as i64),
            Function::Sum if self.planned.field.data_type == DataType::S64 => {
                Cell::Whole(i64::try_from(whole).map_err(|_| Overflow)?)
            }
            Function::Sum => Cell::Float(float),
            Function::Mean if count == 0 => Cell::Null,
            Function::Mean if !self.whole.is_empty() => Cell::Float(whole as f64 / count as f64),
            Function::Mean => Cell::Float(float / count as f64),
            Function::Std if count < 2 => Cell::Null,
            Function::Std => Cell::Float((squares / (count - 1) as f64).sqrt()),
            _ if count == 0 => Cell::Null,
            _ => Cell::Row(row),
        })
    }

    /// An empty column of results for so many rows.
    pub fn cells(&self, len: usize) -> Cells {
        Cells::new(self.planned.field.data_type, self.planned.function, len)
    }

    /// The results as a column.
    pub fn column(&self, cells: Cells) -> Column {
        cells.finish(self.column)
    }
}

/// A sum of whole numbers that no `s64` holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overflow;

impl Overflow {
    pub fn at(self, row: usize, key: &str) -> Error {
        let message = format!("the sum of whole numbers at row {row} overflows\nhint: `derive` a float of them first");
        Error::invalid_input(message).at(key)
    }
}
