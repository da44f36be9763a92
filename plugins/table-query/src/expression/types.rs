//! What an expression gives, before any row is read.
//!
//! As in CEL, whole numbers and floats compare with each other. Unlike there, they also calculate with each other: the
//! whole number is made a float (`amount * 2` for a float column).

mod functions;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use wasmlops_sdk::prelude::*;

use super::bind;

/// The type of a value in CEL, as far as it can be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    Bool,
    Int,
    Double,
    Text,
    Bytes,
    /// A whole number of microseconds since 1970-01-01T00:00:00Z.
    Time,
    Null,
    List(Box<Type>),
    Unknown,
}

impl Type {
    fn of(data_type: DataType) -> Self {
        match data_type {
            DataType::Bool => Self::Bool,
            DataType::S64 => Self::Int,
            DataType::F64 | DataType::F32 => Self::Double,
            DataType::Utf8 | DataType::Categorical => Self::Text,
            DataType::Binary => Self::Bytes,
            DataType::Timestamp => Self::Time,
        }
    }

    /// The type of a column of such values.
    pub fn data_type(&self) -> Option<DataType> {
        match self {
            Self::Bool => Some(DataType::Bool),
            Self::Int => Some(DataType::S64),
            Self::Double => Some(DataType::F64),
            Self::Text => Some(DataType::Utf8),
            Self::Bytes => Some(DataType::Binary),
            Self::Time => Some(DataType::Timestamp),
            Self::Null | Self::List(_) | Self::Unknown => None,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Int => "a whole number",
            Self::Double => "a float",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Time => "a time",
            Self::Null => "null",
            Self::List(_) => "a list",
            Self::Unknown => "anything",
        }
    }

    /// Whether a value may be of the other type.
    fn may_be(&self, other: &Self) -> bool {
        self == other || *self == Self::Unknown || *other == Self::Unknown
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Time)
    }
}

/// The type of a bound tree over columns of these types. Puts `double(…)` around whole numbers that meet floats.
///
/// Errors: every operator and function whose operands do not fit.
pub fn infer(tree: &mut IdedExpr, columns: &[DataType]) -> Result<Type, Vec<String>> {
    let mut inference = Inference { columns, problems: Vec::new() };
    let found = inference.visit(tree);
    if inference.problems.is_empty() { Ok(found) } else { Err(inference.problems) }
}

struct Inference<'a> {
    columns: &'a [DataType],
    problems: Vec<String>,
}

impl Inference<'_> {
    fn visit(&mut self, tree: &mut IdedExpr) -> Type {
        match &mut tree.expr {
            Expr::Literal(literal) => of_literal(literal),
            Expr::Ident(name) => bind::column_of_name(name).map_or(Type::Unknown, |at| Type::of(self.columns[at])),
            Expr::List(list) => {
                let elements: Vec<Type> = list.elements.iter_mut().map(|element| self.visit(element)).collect();
                let first = elements.first().cloned().unwrap_or(Type::Unknown);
                let same = elements.iter().all(|element| *element == first);
                Type::List(Box::new(if same { first } else { Type::Unknown }))
            }
            Expr::Comprehension(comprehension) => {
                self.visit(&mut comprehension.iter_range);
                let accumulated = self.visit(&mut comprehension.accu_init);
                self.visit(&mut comprehension.loop_cond);
                self.visit(&mut comprehension.loop_step);
                let result = self.visit(&mut comprehension.result);
                if accumulated == Type::Bool { Type::Bool } else { result }
            }
            Expr::Select(select) => {
                let operand = self.visit(&mut select.operand);
                if operand != Type::Unknown {
                    self.problems.push(format!(
                        "`.{}` is asked of {}, which has no parts",
                        select.field,
                        operand.name()
                    ));
                }
                Type::Unknown
            }
            Expr::Call(call) => {
                let found = self.call(call);
                // What marks a time has done its work: the interpreter sees the whole number.
                if call.func_name == "timestamp" && call.args.len() == 1 {
                    tree.expr = call.args.remove(0).expr;
                }
                found
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => Type::Unknown,
        }
    }

    fn call(&mut self, call: &mut CallExpr) -> Type {
        let namespace = match call.target.as_deref_mut() {
            Some(IdedExpr { expr: Expr::Ident(name), .. }) if name == "math" => true,
            Some(target) => {
                let target = self.visit(target);
                let types = call.args.iter_mut().map(|argument| self.visit(argument)).collect::<Vec<_>>();
                return self.told(functions::method(&call.func_name, &target, &types));
            }
            None => false,
        };
        let types: Vec<Type> = call.args.iter_mut().map(|argument| self.visit(argument)).collect();
        if namespace {
            return self.told(functions::math(&call.func_name, &types));
        }
        match (call.func_name.as_str(), types.as_slice()) {
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.want_bool("the condition before `?`", condition);
                self.branches(&mut call.args, yes, no)
            }
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                let sign = sign(&call.func_name);
                self.want_bool(&format!("what stands left of `{sign}`"), left);
                self.want_bool(&format!("what stands right of `{sign}`"), right);
                Type::Bool
            }
            (operators::LOGICAL_NOT, [operand]) => {
                self.want_bool("what stands after `!`", operand);
                Type::Bool
            }
            (operators::NOT_STRICTLY_FALSE, _) => Type::Bool,
            (operators::NEGATE, [operand]) => match operand {
                Type::Int | Type::Double | Type::Unknown => operand.clone(),
                other => self.misfit(format!("`-` is put before {}", other.name())),
            },
            (name, [left, right]) => match name {
                operators::EQUALS | operators::NOT_EQUALS => {
                    self.comparable(sign(name), left, right, true);
                    Type::Bool
                }
                operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS => {
                    self.comparable(sign(name), left, right, false);
                    Type::Bool
                }
                operators::IN => {
                    match right {
                        Type::List(element) => self.comparable("in", left, element, true),
                        Type::Unknown => {}
                        other => self.problems.push(format!("`in` wants a list, and finds {}", other.name())),
                    }
                    Type::Bool
                }
                operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO => {
                    self.arithmetic(call, left, right)
                }
                _ => self.told(functions::global(name, &types)),
            },
            (name, _) => self.told(functions::global(name, &types)),
        }
    }

    fn arithmetic(&mut self, call: &mut CallExpr, left: &Type, right: &Type) -> Type {
        use Type::{Bytes, Double, Int, Text, Time, Unknown};
        let name = call.func_name.as_str();
        match (name, left, right) {
            (operators::SUBSTRACT, Time, Time) => Int,
            (operators::ADD | operators::SUBSTRACT, Time, Int) | (operators::ADD, Int, Time) => Time,
            (_, Int, Int) => Int,
            (operators::ADD, Text, Text) => Text,
            (operators::ADD, Bytes, Bytes) => Bytes,
            (operators::ADD, Type::List(a), Type::List(b)) => {
                Type::List(Box::new(if a == b { (**a).clone() } else { Unknown }))
            }
            (operators::MODULO, Double, _) | (operators::MODULO, _, Double) => {
                self.misfit("`%` takes whole numbers only\nhint: `int(…)` cuts off the fraction".to_owned())
            }
            (_, Double, Double) => Double,
            (_, Int, Double) => {
                to_double(&mut call.args[0]);
                Double
            }
            (_, Double, Int) => {
                to_double(&mut call.args[1]);
                Double
            }
            (_, Unknown, other) | (_, other, Unknown) => match other {
                Double => Double,
                _ => Unknown,
            },
            _ => {
                let (left, right) = (left.name(), right.name());
                let hint = "hint: `double(…)`, `int(…)` and `string(…)` convert";
                self.misfit(format!("`{}` does not go with {left} and {right}\n{hint}", sign(name)))
            }
        }
    }

    /// The type of `condition ? yes : no`.
    fn branches(&mut self, args: &mut [IdedExpr], yes: &Type, no: &Type) -> Type {
        match (yes, no) {
            (Type::Null, other) | (other, Type::Null) => other.clone(),
            (Type::Int, Type::Double) => {
                to_double(&mut args[1]);
                Type::Double
            }
            (Type::Double, Type::Int) => {
                to_double(&mut args[2]);
                Type::Double
            }
            (yes, no) if yes == no => yes.clone(),
            (Type::Unknown, _) | (_, Type::Unknown) => Type::Unknown,
            (yes, no) => self.misfit(format!("`? :` gives {} or {}\nhint: both must be alike", yes.name(), no.name())),
        }
    }

    fn comparable(&mut self, sign: &str, left: &Type, right: &Type, for_equality: bool) {
        let null = for_equality && (*left == Type::Null || *right == Type::Null);
        let fit = match (left, right) {
            (Type::List(_), Type::List(_)) => for_equality,
            _ => left.may_be(right) || (left.is_number() && right.is_number()),
        };
        let ordered = for_equality || ![left, right].contains(&&Type::Null);
        if !(null || (fit && ordered)) {
            let (left, right) = (left.name(), right.name());
            self.problems.push(format!("`{sign}` compares {left} with {right}"));
        }
    }

    fn want_bool(&mut self, what: &str, found: &Type) {
        if !found.may_be(&Type::Bool) {
            self.problems.push(format!("{what} must be `true` or `false`, and is {}", found.name()));
        }
    }

    fn told(&mut self, found: Result<Type, String>) -> Type {
        found.unwrap_or_else(|problem| self.misfit(problem))
    }

    fn misfit(&mut self, problem: String) -> Type {
        self.problems.push(problem);
        Type::Unknown
    }
}

fn of_literal(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => Type::Bytes,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::Text,
        LiteralValue::UInt(_) => Type::Unknown,
    }
}

/// Makes a float of a whole number.
fn to_double(tree: &mut IdedExpr) {
    tree.expr = match std::mem::take(&mut tree.expr) {
        Expr::Literal(LiteralValue::Int(number)) => {
            Expr::Literal(LiteralValue::Double((*number.inner() as f64).into()))
        }
        other => {
            let inner = IdedExpr { id: tree.id, expr: other };
            Expr::Call(CallExpr { func_name: "double".to_owned(), target: None, args: vec![inner] })
        }
    };
}

/// `<` of `_<_`.
fn sign(operator: &str) -> &str {
    operator.trim_matches('_')
}
