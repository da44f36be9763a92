//! Which names a condition uses, and whether they exist.

use cel::Program;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};

use super::WhenProblem;
use crate::config::reader::listed;
use crate::diagnostics::suggest;

/// What every condition may call.
pub(super) const FUNCTIONS: [&str; 12] =
    ["size", "contains", "startsWith", "endsWith", "bool", "int", "uint", "double", "string", "bytes", "type", "dyn"];

/// Names of types, which stand for values in `type(x) == int`.
const TYPES: [&str; 9] = ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type"];

/// What a rule's condition sees.
const RULE_NAMES: [&str; 5] = ["findings", "found", "share", "window", "version"];

/// A name that a condition uses, and where: characters from the start of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mention {
    pub name: String,
    pub offset: usize,
}

/// Which names there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Vocabulary {
    /// `params`, `matrix` and `steps`.
    #[default]
    Step,
    /// Those of a monitor's rule.
    Rule,
}

/// What a condition names.
#[derive(Default)]
pub(crate) struct Mentions {
    vocabulary: Vocabulary,
    pub params: Vec<Mention>,
    pub matrix: Vec<Mention>,
    pub steps: Vec<Mention>,
    pub(super) problems: Vec<WhenProblem>,
}

impl Mentions {
    pub(crate) fn of(program: &Program, vocabulary: Vocabulary) -> Self {
        let mut found = Self { vocabulary, ..Self::default() };
        found.walk(program.expression(), program.source_info(), &mut Vec::new());
        found
    }

    fn walk<'e>(&mut self, node: &'e IdedExpr, info: &SourceInfo, local: &mut Vec<&'e str>) {
        if let Some((id, root, fields)) = chain(node) {
            if !root.starts_with('@') && !local.contains(&root) {
                self.mention(root, &fields, offset(info, id));
            }
            return;
        }
        match &node.expr {
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
            Expr::Select(select) => self.walk(&select.operand, info, local),
            Expr::Call(call) if self.dashed_name(&call.func_name, &call.args, info) => {}
            Expr::Call(call) => {
                self.call(&call.func_name, offset(info, node.id));
                call.target.iter().for_each(|target| self.walk(target, info, local));
                call.args.iter().for_each(|argument| self.walk(argument, info, local));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.walk(element, info, local)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr, info, local)),
            Expr::Struct(value) => value.entries.iter().for_each(|entry| self.entry(&entry.expr, info, local)),
            Expr::Comprehension(all) => {
                self.walk(&all.iter_range, info, local);
                self.walk(&all.accu_init, info, local);
                let outer = local.len();
                local.extend([all.iter_var.as_str(), all.accu_var.as_str()]);
                local.extend(all.iter_var2.as_deref());
                [&all.loop_cond, &all.loop_step, &all.result].into_iter().for_each(|part| self.walk(part, info, local));
                local.truncate(outer);
            }
        }
    }

    fn entry<'e>(&mut self, entry: &'e EntryExpr, info: &SourceInfo, local: &mut Vec<&'e str>) {
        match entry {
            EntryExpr::StructField(field) => self.walk(&field.value, info, local),
            EntryExpr::MapEntry(entry) => {
                self.walk(&entry.key, info, local);
                self.walk(&entry.value, info, local);
            }
        }
    }

    fn call(&mut self, name: &str, offset: usize) {
        let operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !operator && !FUNCTIONS.contains(&name) {
            let hint = match suggest(name, FUNCTIONS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("functions are {}", listed(FUNCTIONS)),
            };
            self.problem(offset, format!("`when` calls `{name}`, which does not exist"), Some(hint));
        }
    }

    /// Whether this is `steps.a-b.status`, which CEL reads as a subtraction; reports it.
    fn dashed_name(&mut self, function: &str, arguments: &[IdedExpr], info: &SourceInfo) -> bool {
        let [left, right] = arguments else { return false };
        let (Some((id, "steps", start)), Some((_, end, fields))) = (chain(left), chain(right)) else { return false };
        let ([start], operators::SUBSTRACT, false) = (start.as_slice(), function, ["params", "matrix"].contains(&end))
        else {
            return false;
        };
        let fields: String = fields.iter().map(|field| format!(".{field}")).collect();
        let hint = format!("write `steps[\"{start}-{end}\"]{fields}`");
        let message = format!("`steps.{start}-{end}` is a subtraction in CEL, not a step");
        self.problem(offset(info, id), message, Some(hint));
        true
    }

    fn mention(&mut self, root: &str, fields: &[&str], offset: usize) {
        if self.vocabulary == Vocabulary::Rule {
            return self.mention_in_rule(root, fields, offset);
        }
        let first = fields.first().map(|name| Mention { name: (*name).to_owned(), offset });
        match (root, first) {
            ("params", first) => self.params.extend(first),
            ("matrix", first) => self.matrix.extend(first),
            ("steps", Some(first)) => {
                if let Some(field) = fields.get(1).filter(|field| !["status", "metrics"].contains(field)) {
                    let hint = match suggest(field, ["status", "metrics"]) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("use `steps.{0}.status` or `steps.{0}.metrics.NAME`", first.name),
                    };
                    self.problem(offset, format!("a step has no `{field}` in `when`"), Some(hint));
                }
                self.steps.push(first);
            }
            ("steps", None) => {
                let hint = "write `steps.NAME.status` or `steps.NAME.metrics.METRIC`".to_owned();
                self.problem(offset, "`when` must name the steps that it looks at".to_owned(), Some(hint));
            }
            (root, _) if TYPES.contains(&root) => {}
            (root, _) => self.unknown(root, &["params", "matrix", "steps"], offset),
        }
    }

    fn mention_in_rule(&mut self, root: &str, fields: &[&str], offset: usize) {
        const FIELDS: [&str; 3] = ["rows", "start", "end"];
        match (root, fields) {
            ("window", [field, ..]) if !FIELDS.contains(field) => {
                let hint = match suggest(field, FIELDS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", listed(FIELDS)),
                };
                self.problem(offset, format!("`window` has no `{field}`"), Some(hint));
            }
            (root, _) if RULE_NAMES.contains(&root) || TYPES.contains(&root) => {}
            (root, _) => self.unknown(root, &RULE_NAMES, offset),
        }
    }

    fn unknown(&mut self, root: &str, known: &[&str], offset: usize) {
        let hint = match suggest(root, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`when` sees {}", listed(known.iter().copied())),
        };
        self.problem(offset, format!("`when` uses `{root}`, which does not exist"), Some(hint));
    }

    fn problem(&mut self, offset: usize, message: String, hint: Option<String>) {
        self.problems.push(WhenProblem { message, hint, offset });
    }
}

/// `a.b["c"]` as the node of `a` with its name, and `[b, c]`; nothing for other expressions.
fn chain(node: &IdedExpr) -> Option<(u64, &str, Vec<&str>)> {
    match &node.expr {
        Expr::Ident(name) => Some((node.id, name, Vec::new())),
        Expr::Select(select) => {
            let (id, root, mut fields) = chain(&select.operand)?;
            fields.push(&select.field);
            Some((id, root, fields))
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [operand, index] = call.args.as_slice() else { return None };
            let Expr::Literal(LiteralValue::String(name)) = &index.expr else { return None };
            let (id, root, mut fields) = chain(operand)?;
            fields.push(name.inner());
            Some((id, root, fields))
        }
        _ => None,
    }
}

/// Where a node starts, in characters.
fn offset(info: &SourceInfo, id: u64) -> usize {
    info.offset_for(id).map_or(0, |(start, _)| start as usize)
}
