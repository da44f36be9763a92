//! `when`: a condition in CEL (<https://cel.dev>) over `params`, `matrix` and the steps that it names.
//!
//! The text is kept and compiled on use, so that a condition can be stored with a run. Which steps it may name is for
//! the graph to say; this module finds out which it does name.

mod mentions;

use std::collections::{BTreeMap, HashMap};

use cel::objects::Key;
use cel::{Context, Program};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use mentions::{Mentions, Vocabulary};

/// Longer conditions belong into a plugin.
const MAX_CHARACTERS: usize = 2_000;

/// A condition whose syntax is right.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct When {
    text: String,
}

/// What a condition can see.
#[derive(Clone, Copy, Debug)]
pub struct WhenScope<'a> {
    pub params: &'a Map<String, Value>,
    pub matrix: &'a Map<String, Value>,
    /// By the names that the condition uses.
    pub steps: &'a BTreeMap<String, StepFacts>,
}

/// What a condition can see of a step that has ended.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StepFacts {
    pub status: String,
    /// The last value of each metric.
    pub metrics: BTreeMap<String, f64>,
}

/// One thing wrong with a condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WhenProblem {
    pub message: String,
    pub hint: Option<String>,
    /// Characters from the start of the text.
    pub offset: usize,
}

impl When {
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<WhenProblem>> {
        check(text, Vocabulary::Step)?;
        Ok(Self { text: text.to_owned() })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the step should run. Errors: what stopped the evaluation, such as a metric that no step reported.
    pub fn evaluate(&self, scope: &WhenScope<'_>) -> Result<bool, String> {
        let program =
            compile(&self.text).map_err(|problems| problems.into_iter().map(|p| p.message).collect::<String>())?;
        let mut context = Context::default();
        context.add_variable_from_value("params", map_to_cel(scope.params));
        context.add_variable_from_value("matrix", map_to_cel(scope.matrix));
        let steps = scope.steps.iter().map(|(name, facts)| (Key::from(name.as_str()), facts_to_cel(facts)));
        context.add_variable_from_value("steps", cel::Value::from(steps.collect::<HashMap<_, _>>()));
        decide(&program, &context)
    }

    pub(crate) fn mentions(&self) -> Mentions {
        compile(&self.text).map(|program| Mentions::of(&program, Vocabulary::Step)).unwrap_or_default()
    }
}

/// Whether a text is a condition over these names. Errors: what is wrong with it.
pub(super) fn check(text: &str, vocabulary: Vocabulary) -> Result<(), Vec<WhenProblem>> {
    let problem = |message: String| vec![WhenProblem { message, hint: None, offset: 0 }];
    if text.trim().is_empty() {
        return Err(problem("`when` is empty".to_owned()));
    } else if text.chars().count() > MAX_CHARACTERS {
        return Err(problem(format!("`when` is longer than {MAX_CHARACTERS} characters")));
    }
    let problems = Mentions::of(&compile(text)?, vocabulary).problems;
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn decide(program: &Program, context: &Context<'_, '_>) -> Result<bool, String> {
    match program.execute(context) {
        Ok(cel::Value::Bool(answer)) => Ok(answer),
        Ok(other) => Err(format!("`when` gave a value of type `{}`, not `true` or `false`", other.type_of())),
        Err(error) => Err(format!("`when` cannot be evaluated: {error}")),
    }
}

fn compile(text: &str) -> Result<Program, Vec<WhenProblem>> {
    Program::compile(text).map_err(|errors| {
        let problems = errors.errors.iter().map(|error| {
            let (line, column) = (usize::try_from(error.pos.0).unwrap_or(1), usize::try_from(error.pos.1).unwrap_or(1));
            let before: usize =
                text.split_inclusive('\n').take(line.saturating_sub(1)).map(|l| l.chars().count()).sum();
            WhenProblem { message: in_words(&error.msg), hint: None, offset: before + column.saturating_sub(1) }
        });
        // The first one is the cause; what follows is the parser trying to recover.
        problems.take(1).collect()
    })
}

/// The parser's message without its list of all tokens that could have stood there.
fn in_words(message: &str) -> String {
    let message = message.trim().trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    match message.contains("<EOF>") {
        true => "`when` is not CEL: it ends where more was expected".to_owned(),
        false => format!("`when` is not CEL: {message}"),
    }
}

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        // Literals in CEL are `int`: a `uint` here would make `params.seed + 1` an error.
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => cel::Value::Int(int),
            (None, Some(uint)) => cel::Value::UInt(uint),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::from(text.as_str()),
        Value::Array(items) => cel::Value::from(items.iter().map(to_cel).collect::<Vec<_>>()),
        Value::Object(map) => map_to_cel(map),
    }
}

fn map_to_cel(map: &Map<String, Value>) -> cel::Value {
    let pairs = map.iter().map(|(name, value)| (Key::from(name.as_str()), to_cel(value)));
    cel::Value::from(pairs.collect::<HashMap<_, _>>())
}

fn facts_to_cel(facts: &StepFacts) -> cel::Value {
    let metrics = facts.metrics.iter().map(|(name, value)| (Key::from(name.as_str()), cel::Value::Float(*value)));
    cel::Value::from(HashMap::from([
        (Key::from("status"), cel::Value::from(facts.status.as_str())),
        (Key::from("metrics"), cel::Value::from(metrics.collect::<HashMap<_, _>>())),
    ]))
}

#[cfg(test)]
mod tests {
    use super::mentions::Mention;
    use super::*;

    fn evaluate(text: &str) -> Result<bool, String> {
        let params = serde_json::json!({"seed": 7, "name": "x"});
        let matrix = serde_json::json!({"alpha": 0.1});
        let facts = StepFacts { status: "succeeded".into(), metrics: BTreeMap::from([("auc".into(), 0.9)]) };
        let steps = BTreeMap::from([("gate".to_owned(), facts.clone()), ("a-b".to_owned(), facts)]);
        let scope =
            WhenScope { params: params.as_object().unwrap(), matrix: matrix.as_object().unwrap(), steps: &steps };
        When::parse(text).map_err(|problems| problems[0].message.clone())?.evaluate(&scope)
    }

    #[test]
    fn evaluates_conditions() {
        for text in [
            "params.seed + 1 == 8",
            "steps.gate.metrics.auc > 0.8 && steps.gate.status == 'succeeded'",
            "steps[\"a-b\"].metrics[\"auc\"] > 0.8",
            "matrix.alpha < 1.0",
            "!has(steps.gate.metrics.f1)",
            "[1, 2].exists(x, x == 2)",
            "params.name.startsWith('x') && type(params.seed) == int",
            "steps.gate.metrics.auc >= 0",
        ] {
            assert_eq!(evaluate(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn every_listed_function_exists() {
        let calls = [
            "size('a') == 1",
            "'ab'.contains('a')",
            "'ab'.startsWith('a')",
            "'ab'.endsWith('b')",
            "bool('true')",
            "int('1') == 1",
            "uint('1') == 1u",
            "double('1') == 1.0",
            "string(1) == '1'",
            "bytes('a') == b'a'",
            "type(1) == int",
            "dyn(1) == 1",
        ];
        for (call, function) in calls.iter().zip(super::mentions::FUNCTIONS) {
            assert!(call.contains(function));
            assert_eq!(evaluate(call), Ok(true), "{call}");
        }
    }

    #[test]
    fn refuses_what_cannot_work() {
        for text in [
            "",
            "1 +",
            "parms.seed == 1",
            "steps.all(s, true)",
            "steps.gate.stauts == 'x'",
            "sizee('a') == 1",
            "(".repeat(500).as_str(),
        ] {
            assert!(When::parse(text).is_err(), "{text}");
        }
        for text in ["params.seed", "steps.gate.metrics.f1 > 0", "params.seed == params.nothing"] {
            assert!(evaluate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn finds_what_it_names() {
        let when =
            When::parse("params.a > 0 && steps.b.metrics.c > matrix.d && [1].all(x, x > steps['e f'].metrics.g)")
                .unwrap();
        let names = |list: &[Mention]| list.iter().map(|m| m.name.clone()).collect::<Vec<_>>();
        let mentions = when.mentions();
        assert_eq!(names(&mentions.steps), ["b", "e f"]);
        assert_eq!((names(&mentions.params), names(&mentions.matrix)), (vec!["a".to_owned()], vec!["d".to_owned()]));
    }
}
