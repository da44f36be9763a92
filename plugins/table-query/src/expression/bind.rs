//! From names to columns: in a bound tree a column is the identifier `@n`, which no text can spell, where `n` counts
//! the columns that are read. Also makes numbers of `timestamp('…')` and `duration('…')`.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};
use wasmlops_sdk::prelude::*;

use crate::problems::no_column;
use crate::span;

/// The name under which any column can be had: `row['full name']`.
const ROW: &str = "row";

/// Gives the columns that the expression reads. Errors: every name that is no column, every text that is no time.
pub fn bind(tree: &mut IdedExpr, schema: &Schema) -> Result<Vec<usize>, Vec<String>> {
    let mut binder = Binder { schema, reads: Vec::new(), bound: Vec::new(), problems: Vec::new() };
    binder.visit(tree);
    if binder.problems.is_empty() { Ok(binder.reads) } else { Err(binder.problems) }
}

/// Which of the columns that are read this is, if it is one.
pub fn column(tree: &IdedExpr) -> Option<usize> {
    match &tree.expr {
        Expr::Ident(name) => column_of_name(name),
        _ => None,
    }
}

/// As [`column`], for an identifier's name.
pub fn column_of_name(name: &str) -> Option<usize> {
    name.strip_prefix('@')?.parse().ok()
}

struct Binder<'a> {
    schema: &'a Schema,
    reads: Vec<usize>,
    /// Variables of the macros around, such as `x` in `list.exists(x, …)`.
    bound: Vec<String>,
    problems: Vec<String>,
}

impl Binder<'_> {
    fn visit(&mut self, tree: &mut IdedExpr) {
        if let Some(name) = self.of_row(tree) {
            tree.expr = self.named(&name);
            return;
        }
        match &mut tree.expr {
            Expr::Ident(name) if !self.bound.contains(name) => {
                let name = std::mem::take(name);
                tree.expr = self.named(&name);
            }
            Expr::Call(call) => {
                if let ("timestamp" | "duration", None, [argument]) =
                    (call.func_name.as_str(), &call.target, call.args.as_slice())
                    && let Expr::Literal(LiteralValue::String(text)) = &argument.expr
                {
                    // A duration is a whole number; a time stays a call, so that its type is still seen.
                    let parsed = match call.func_name.as_str() {
                        "timestamp" => span::timestamp(text.inner()),
                        _ => span::duration(text.inner()),
                    };
                    match parsed {
                        Ok(micros) if call.func_name == "duration" => {
                            tree.expr = Expr::Literal(LiteralValue::Int(micros.into()));
                        }
                        Ok(micros) => call.args[0].expr = Expr::Literal(LiteralValue::Int(micros.into())),
                        Err(problem) => self.problems.push(problem),
                    }
                    return;
                }
                if let Some(target) = &mut call.target
                    && !self.is_namespace(target)
                {
                    self.visit(target);
                }
                call.args.iter_mut().for_each(|argument| self.visit(argument));
            }
            Expr::Select(select) => self.visit(&mut select.operand),
            Expr::List(list) => list.elements.iter_mut().for_each(|element| self.visit(element)),
            Expr::Comprehension(comprehension) => {
                self.visit(&mut comprehension.iter_range);
                self.visit(&mut comprehension.accu_init);
                let before = self.bound.len();
                self.bound.extend([comprehension.iter_var.clone(), comprehension.accu_var.clone()]);
                self.bound.extend(comprehension.iter_var2.clone());
                self.visit(&mut comprehension.loop_cond);
                self.visit(&mut comprehension.loop_step);
                self.visit(&mut comprehension.result);
                self.bound.truncate(before);
            }
            Expr::Map(_) | Expr::Struct(_) => {
                self.problems.push("maps and messages have no place in an expression over columns".to_owned());
            }
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    /// The column's name in `row.name` and `row['full name']`, where no column is called `row`.
    fn of_row(&self, tree: &IdedExpr) -> Option<String> {
        let is_row = |tree: &IdedExpr| {
            matches!(&tree.expr, Expr::Ident(name) if name == ROW && !self.bound.contains(name))
                && self.schema.index_of(ROW).is_none()
        };
        match &tree.expr {
            Expr::Select(select) if !select.test && is_row(&select.operand) => Some(select.field.clone()),
            Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
                [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(name)), .. }] if is_row(operand) => {
                    Some(name.inner().to_owned())
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn is_namespace(&self, target: &IdedExpr) -> bool {
        matches!(&target.expr, Expr::Ident(name) if name == "math" && self.schema.index_of("math").is_none())
    }

    fn named(&mut self, name: &str) -> Expr {
        let Some(index) = self.schema.index_of(name) else {
            self.problems.push(no_column(self.schema, name));
            return Expr::Ident(name.to_owned());
        };
        let at = self.reads.iter().position(|read| *read == index).unwrap_or_else(|| {
            self.reads.push(index);
            self.reads.len() - 1
        });
        Expr::Ident(format!("@{at}"))
    }
}
