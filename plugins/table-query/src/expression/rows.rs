//! CEL's interpreter, one row after the other: exact for every expression, at a fraction of a microsecond a row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cel::common::types::{CelBool, CelBytes, CelDouble, CelInt, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, IdedExpr, Value};
use wasmlops_sdk::prelude::*;

use super::bind;

/// The values of a bound tree for these rows of the columns that it reads. Errors: the first of them that has none.
pub fn evaluate(
    tree: &IdedExpr,
    env: &Arc<Env>,
    columns: &[&Column],
    rows: &mut dyn Iterator<Item = usize>,
    data_type: DataType,
) -> Result<Column> {
    let row = Row { columns, at: AtomicUsize::new(0) };
    let mut context = Context::with_env(env.clone());
    context.set_variable_resolver(&row);
    let mut values = ColumnBuilder::new(data_type);
    for at in rows {
        row.at.store(at, Ordering::Relaxed);
        match Value::resolve_val(tree, &context) {
            Ok(value) => push(&mut values, value.as_ref(), data_type).map_err(|problem| in_row(at, &problem))?,
            Err(error) if is_of_types(&error) && row.has_null() => values.push_null(),
            Err(error) => return Err(in_row(at, &in_words(&error))),
        }
    }
    Ok(values.finish())
}

/// The columns at the row that is being looked at. The interpreter wants what it reads from to be shared, so the row is
/// an atomic; there is one thread.
struct Row<'a> {
    columns: &'a [&'a Column],
    at: AtomicUsize,
}

impl Row<'_> {
    fn has_null(&self) -> bool {
        let row = self.at.load(Ordering::Relaxed);
        self.columns.iter().any(|column| is_missing(column, row))
    }
}

/// Whether the row holds what counts as null.
pub fn is_missing(column: &Column, row: usize) -> bool {
    column.is_null(row)
        || (matches!(column.data_type(), DataType::F64 | DataType::F32) && column.number(row).is_some_and(f64::is_nan))
}

impl VariableResolver for Row<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let column = self.columns[bind::column_of_name(variable)?];
        let row = self.at.load(Ordering::Relaxed);
        if is_missing(column, row) {
            return Some(CowVal::Borrowed(&CelNull));
        }
        match column.data_type() {
            DataType::Bool => column.bool(row).map(|value| CowVal::owned(CelBool::from(value))),
            DataType::S64 | DataType::Timestamp => {
                column.as_s64().map(|values| CowVal::owned(CelInt::from(values[row])))
            }
            DataType::F64 | DataType::F32 => column.number(row).map(|value| CowVal::owned(CelDouble::from(value))),
            DataType::Utf8 | DataType::Categorical => column.text(row).map(|text| CowVal::owned(CelString::from(text))),
            DataType::Binary => column.bytes(row).map(|bytes| CowVal::owned(CelBytes::from(bytes.to_vec()))),
        }
    }
}

fn push(values: &mut ColumnBuilder, value: &dyn Val, data_type: DataType) -> std::result::Result<(), String> {
    if value.downcast_ref::<CelNull>().is_some() {
        values.push_null();
        return Ok(());
    }
    let whole = || value.downcast_ref::<CelInt>().map(|value| *value.inner());
    let pushed = match data_type {
        DataType::Bool => value.downcast_ref::<CelBool>().map(|value| values.push_bool(*value.inner())),
        DataType::S64 | DataType::Timestamp => whole().map(|value| values.push_s64(value)),
        DataType::F64 | DataType::F32 => value.downcast_ref::<CelDouble>().map(|value| match *value.inner() {
            value if value.is_nan() => values.push_null(),
            value => values.push_f64(value),
        }),
        DataType::Utf8 | DataType::Categorical => {
            value.downcast_ref::<CelString>().map(|value| values.push_text(value.inner()))
        }
        DataType::Binary => value.downcast_ref::<CelBytes>().map(|value| values.push_bytes(value.inner())),
    };
    pushed.ok_or_else(|| format!("the expression gives `{}`, not {}", value.get_type().name(), data_type.name()))
}

/// Whether an operator or function was given a type that it does not take: what a null does.
fn is_of_types(error: &ExecutionError) -> bool {
    matches!(
        error,
        ExecutionError::NoSuchOverload(_)
            | ExecutionError::UnsupportedBinaryOperator(..)
            | ExecutionError::ValuesNotComparable(..)
            | ExecutionError::UnexpectedType { .. }
            | ExecutionError::UnsupportedTargetType { .. }
            | ExecutionError::NotSupportedAsMethod { .. }
            | ExecutionError::UnsupportedIndex(..)
    )
}

/// Without the row's values, which are not for logs.
fn in_words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::DivisionByZero(_) => {
            "a whole number is divided by zero\nhint: test it first (`b == 0 ? null : a / b`), or use floats".to_owned()
        }
        ExecutionError::RemainderByZero(_) => "`%` by zero\nhint: test it first (`b == 0 ? null : a % b`)".to_owned(),
        ExecutionError::Overflow(operator, ..) => {
            format!("whole numbers overflow in `{operator}`\nhint: calculate with floats: `double(…)`")
        }
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            format!("`{operator}` does not go with {} and {}", left.type_of(), right.type_of())
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("{} and {} cannot be compared; one may be NaN", left.type_of(), right.type_of())
        }
        ExecutionError::NoSuchOverload(error) => error.to_string(),
        ExecutionError::FunctionError { function, .. } => format!("`{function}` failed"),
        ExecutionError::IndexOutOfBounds(_) => "an index is out of bounds".to_owned(),
        _ => "the expression cannot be evaluated".to_owned(),
    }
}

fn in_row(row: usize, problem: &str) -> Error {
    Error::invalid_input(format!("row {row}: {problem}"))
}
