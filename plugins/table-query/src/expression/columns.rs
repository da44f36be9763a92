//! Rows without nulls at once, where that gives exactly what the interpreter gives: no overflow, no division by zero,
//! no NaN to compare. Everything else is left to the interpreter.

use std::borrow::Cow;
use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use wasmlops_sdk::prelude::*;

use super::bind;

/// The values of a bound tree for rows that hold neither null nor NaN; `None` where they are to be asked one by one.
pub fn evaluate(tree: &IdedExpr, columns: &[&Column], rows: Range<usize>, data_type: DataType) -> Option<Column> {
    let batch = Batch { columns, rows };
    Some(match batch.visit(tree)? {
        Vector::Bool(values) => Column::from_bool(values),
        Vector::Whole(values) if data_type == DataType::Timestamp => Column::from_timestamp(values.iter().copied()),
        Vector::Whole(values) => Column::from_s64(values.iter().copied()),
        // A result that is NaN is null.
        Vector::Float(values) if values.iter().any(|value| value.is_nan()) => return None,
        Vector::Float(values) => Column::from_f64_slice(&values),
        Vector::Text(_) | Vector::OneText(_) | Vector::Null => return None,
    })
}

struct Batch<'a> {
    columns: &'a [&'a Column],
    rows: Range<usize>,
}

/// One value a row, or one for all rows.
enum Vector<'a> {
    Bool(Vec<bool>),
    Whole(Cow<'a, [i64]>),
    Float(Cow<'a, [f64]>),
    Text(&'a Column),
    OneText(&'a str),
    Null,
}

impl<'a> Batch<'a> {
    fn visit(&self, tree: &'a IdedExpr) -> Option<Vector<'a>> {
        match &tree.expr {
            Expr::Ident(name) => self.column(bind::column_of_name(name)?),
            Expr::Literal(literal) => Some(match literal {
                LiteralValue::Boolean(value) => Vector::Bool(vec![*value.inner(); self.rows.len()]),
                LiteralValue::Int(value) => Vector::Whole(Cow::Owned(vec![*value.inner(); self.rows.len()])),
                LiteralValue::Double(value) => Vector::Float(Cow::Owned(vec![*value.inner(); self.rows.len()])),
                LiteralValue::String(value) => Vector::OneText(value.inner()),
                LiteralValue::Null => Vector::Null,
                LiteralValue::Bytes(_) | LiteralValue::UInt(_) => return None,
            }),
            Expr::Call(call) => match &call.target {
                Some(target) => self.method(call, target),
                None => self.call(call),
            },
            _ => None,
        }
    }

    fn column(&self, at: usize) -> Option<Vector<'a>> {
        let column = self.columns[at];
        let rows = self.rows.clone();
        match column.data_type() {
            DataType::S64 | DataType::Timestamp => Some(Vector::Whole(Cow::Borrowed(&column.as_s64()?[rows]))),
            DataType::F64 => Some(Vector::Float(Cow::Borrowed(&column.as_f64()?[rows]))),
            DataType::Bool => Some(Vector::Bool(rows.map(|row| column.bool(row) == Some(true)).collect())),
            DataType::Utf8 | DataType::Categorical => Some(Vector::Text(column)),
            DataType::F32 | DataType::Binary => None,
        }
    }

    fn call(&self, call: &'a CallExpr) -> Option<Vector<'a>> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::IN, [needle, IdedExpr { expr: Expr::List(list), .. }]) => self.is_in(needle, &list.elements),
            (name, [only]) => unary(name, self.visit(only)?),
            (name, [left, right]) => self.binary(name, self.visit(left)?, self.visit(right)?),
            (operators::CONDITIONAL, [condition, yes, no]) => {
                let Vector::Bool(condition) = self.visit(condition)? else { return None };
                match (self.visit(yes)?, self.visit(no)?) {
                    (Vector::Whole(yes), Vector::Whole(no)) => Some(Vector::Whole(choose(&condition, &yes, &no))),
                    (Vector::Float(yes), Vector::Float(no)) => Some(Vector::Float(choose(&condition, &yes, &no))),
                    (Vector::Bool(yes), Vector::Bool(no)) => {
                        Some(Vector::Bool(choose(&condition, &yes, &no).into_owned()))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn method(&self, call: &'a CallExpr, target: &'a IdedExpr) -> Option<Vector<'a>> {
        let [argument] = call.args.as_slice() else { return None };
        match (self.visit(target)?, self.visit(argument)?) {
            (Vector::Text(column), Vector::OneText(text)) => match call.func_name.as_str() {
                "contains" => self.test_text(column, |value| value.contains(text)),
                "startsWith" => self.test_text(column, |value| value.starts_with(text)),
                "endsWith" => self.test_text(column, |value| value.ends_with(text)),
                _ => None,
            },
            _ => None,
        }
    }

    fn binary(&self, name: &str, left: Vector<'a>, right: Vector<'a>) -> Option<Vector<'a>> {
        use Vector::{Bool, Float, Null, OneText, Text, Whole};
        match (name, left, right) {
            (operators::LOGICAL_AND, Bool(left), Bool(right)) => Some(Bool(zip(&left, &right, |a, b| a && b))),
            (operators::LOGICAL_OR, Bool(left), Bool(right)) => Some(Bool(zip(&left, &right, |a, b| a || b))),
            (operators::EQUALS, Bool(left), Bool(right)) => Some(Bool(zip(&left, &right, |a, b| a == b))),
            (operators::NOT_EQUALS, Bool(left), Bool(right)) => Some(Bool(zip(&left, &right, |a, b| a != b))),
            // No value here is null, but two literals would be equal.
            (_, Null, Null) => None,
            (operators::EQUALS, Null, _) | (operators::EQUALS, _, Null) => Some(Bool(vec![false; self.rows.len()])),
            (operators::NOT_EQUALS, Null, _) | (operators::NOT_EQUALS, _, Null) => {
                Some(Bool(vec![true; self.rows.len()]))
            }
            (name, Whole(left), Whole(right)) => whole(name, &left, &right),
            (name, Float(left), Float(right)) => float(name, &left, &right),
            // As in CEL, a whole number is rounded to a float for a comparison with one.
            (name, Whole(left), Float(right)) => compare_floats(name, &floats(&left), &right),
            (name, Float(left), Whole(right)) => compare_floats(name, &left, &floats(&right)),
            (name, Text(column), OneText(text)) => self.compare_text(name, column, text),
            (name, OneText(text), Text(column)) => self.compare_text(mirrored(name)?, column, text),
            (name, Text(left), Text(right)) => {
                let compare = ordering(name)?;
                Some(Bool(self.rows.clone().map(|row| compare(left.text(row).cmp(&right.text(row)))).collect()))
            }
            _ => None,
        }
    }

    /// A category is compared once, not in every row.
    fn compare_text(&self, name: &str, column: &Column, text: &str) -> Option<Vector<'a>> {
        let compare = ordering(name)?;
        self.test_text(column, |value| compare(value.cmp(text)))
    }

    fn test_text(&self, column: &Column, test: impl Fn(&str) -> bool) -> Option<Vector<'a>> {
        let rows = self.rows.clone();
        let tested = match column.as_codes() {
            Some(codes) => {
                let of_category: Vec<bool> = column.categories().into_iter().map(test).collect();
                codes[rows].iter().map(|&code| of_category[code as usize]).collect()
            }
            None => rows.map(|row| column.text(row).is_some_and(&test)).collect(),
        };
        Some(Vector::Bool(tested))
    }

    /// `needle in [literal, …]`.
    fn is_in(&self, needle: &'a IdedExpr, list: &[IdedExpr]) -> Option<Vector<'a>> {
        let literals = list.iter().map(|element| match &element.expr {
            Expr::Literal(literal) => Some(literal),
            _ => None,
        });
        let literals = literals.collect::<Option<Vec<_>>>()?;
        match self.visit(needle)? {
            Vector::Whole(values) => {
                let whole = |literal: &&LiteralValue| match literal {
                    LiteralValue::Int(value) => Some(*value.inner()),
                    _ => None,
                };
                let wanted = literals.iter().map(whole).collect::<Option<Vec<_>>>()?;
                Some(Vector::Bool(values.iter().map(|value| wanted.contains(value)).collect()))
            }
            Vector::Text(column) => {
                let wanted = literals.iter().map(|literal| match literal {
                    LiteralValue::String(value) => Some(value.inner()),
                    _ => None,
                });
                let wanted = wanted.collect::<Option<Vec<_>>>()?;
                self.test_text(column, |value| wanted.contains(&value))
            }
            _ => None,
        }
    }
}

fn unary<'a>(name: &str, operand: Vector<'a>) -> Option<Vector<'a>> {
    match (name, operand) {
        (operators::LOGICAL_NOT, Vector::Bool(values)) => {
            Some(Vector::Bool(values.into_iter().map(|value| !value).collect()))
        }
        (operators::NEGATE, Vector::Whole(values)) => {
            let negated = values.iter().map(|value| value.checked_neg()).collect::<Option<Vec<_>>>()?;
            Some(Vector::Whole(Cow::Owned(negated)))
        }
        (operators::NEGATE, Vector::Float(values)) => Some(Vector::Float(values.iter().map(|value| -value).collect())),
        ("double", Vector::Whole(values)) => Some(Vector::Float(Cow::Owned(floats(&values)))),
        ("double", values @ Vector::Float(_)) | ("int", values @ Vector::Whole(_)) => Some(values),
        _ => None,
    }
}

fn whole<'a>(name: &str, left: &[i64], right: &[i64]) -> Option<Vector<'a>> {
    let calculate: fn(i64, i64) -> Option<i64> = match name {
        operators::ADD => i64::checked_add,
        operators::SUBSTRACT => i64::checked_sub,
        operators::MULTIPLY => i64::checked_mul,
        operators::DIVIDE => i64::checked_div,
        operators::MODULO => i64::checked_rem,
        _ => {
            let compare = ordering(name)?;
            return Some(Vector::Bool(zip(left, right, |a, b| compare(a.cmp(&b)))));
        }
    };
    let each = left.iter().zip(right).map(|(a, b)| calculate(*a, *b));
    Some(Vector::Whole(Cow::Owned(each.collect::<Option<Vec<_>>>()?)))
}

fn float<'a>(name: &str, left: &[f64], right: &[f64]) -> Option<Vector<'a>> {
    let values = match name {
        operators::ADD => zip(left, right, |a, b| a + b),
        operators::SUBSTRACT => zip(left, right, |a, b| a - b),
        operators::MULTIPLY => zip(left, right, |a, b| a * b),
        operators::DIVIDE => zip(left, right, |a, b| a / b),
        _ => return compare_floats(name, left, right),
    };
    Some(Vector::Float(Cow::Owned(values)))
}

/// `None` for NaN, which CEL's interpreter does not compare.
fn compare_floats<'a>(name: &str, left: &[f64], right: &[f64]) -> Option<Vector<'a>> {
    if left.iter().chain(right).any(|value| value.is_nan()) {
        return None;
    }
    let compared = match name {
        operators::EQUALS => zip(left, right, |a, b| a == b),
        operators::NOT_EQUALS => zip(left, right, |a, b| a != b),
        operators::LESS => zip(left, right, |a, b| a < b),
        operators::LESS_EQUALS => zip(left, right, |a, b| a <= b),
        operators::GREATER => zip(left, right, |a, b| a > b),
        operators::GREATER_EQUALS => zip(left, right, |a, b| a >= b),
        _ => return None,
    };
    Some(Vector::Bool(compared))
}

fn ordering(name: &str) -> Option<fn(std::cmp::Ordering) -> bool> {
    Some(match name {
        operators::EQUALS => std::cmp::Ordering::is_eq,
        operators::NOT_EQUALS => std::cmp::Ordering::is_ne,
        operators::LESS => std::cmp::Ordering::is_lt,
        operators::LESS_EQUALS => std::cmp::Ordering::is_le,
        operators::GREATER => std::cmp::Ordering::is_gt,
        operators::GREATER_EQUALS => std::cmp::Ordering::is_ge,
        _ => return None,
    })
}

/// The comparison that holds with the operands the other way round.
fn mirrored(name: &str) -> Option<&str> {
    Some(match name {
        operators::LESS => operators::GREATER,
        operators::LESS_EQUALS => operators::GREATER_EQUALS,
        operators::GREATER => operators::LESS,
        operators::GREATER_EQUALS => operators::LESS_EQUALS,
        operators::EQUALS | operators::NOT_EQUALS => name,
        _ => return None,
    })
}

fn zip<T: Copy, U>(left: &[T], right: &[T], make: impl Fn(T, T) -> U) -> Vec<U> {
    left.iter().zip(right).map(|(a, b)| make(*a, *b)).collect()
}

fn floats(values: &[i64]) -> Vec<f64> {
    values.iter().map(|value| *value as f64).collect()
}

fn choose<T: Copy>(condition: &[bool], yes: &[T], no: &[T]) -> Cow<'static, [T]> {
    let either = condition.iter().zip(yes.iter().zip(no));
    Cow::Owned(either.map(|(condition, (yes, no))| if *condition { *yes } else { *no }).collect())
}
