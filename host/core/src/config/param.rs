//! Parameters of a pipeline: their types and what values they take.

use serde_json::{Number, Value};

use crate::config::Spanned;
use crate::config::keys;
use crate::config::reader::{Reader, listed};
use crate::config::yaml::{Entry, Node, NodeValue, describe};

/// A parameter as the pipeline declares it.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    pub name: Spanned<String>,
    pub kind: ParamType,
    /// Satisfies the declaration. Absent: every run must give a value.
    pub default: Option<Value>,
    /// Empty: any value of the type.
    pub choices: Vec<Value>,
    pub minimum: Option<Number>,
    pub maximum: Option<Number>,
    pub description: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamType {
    String,
    Integer,
    Number,
    Boolean,
}

impl ParamType {
    const ALL: [(&'static str, ParamType, &'static str); 4] = [
        ("string", ParamType::String, "text"),
        ("integer", ParamType::Integer, "an integer"),
        ("number", ParamType::Number, "a number"),
        ("boolean", ParamType::Boolean, "`true` or `false`"),
    ];

    /// As written in a pipeline.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// From the word of a pipeline.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, ..)| *known == name).map(|(_, kind, _)| kind)
    }

    fn in_words(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, ParamType, &'static str) {
        Self::ALL.into_iter().find(|(_, kind, _)| *kind == self).expect("every type stands in the list")
    }

    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(_) => Some(Self::String),
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(number) if number.is_f64() => Some(Self::Number),
            Value::Number(_) => Some(Self::Integer),
            _ => None,
        }
    }
}

impl Param {
    /// The value in the form that the run will see, or what is wrong with it: `must be an integer, not text `seven``.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        let value =
            self.typed(value).ok_or_else(|| format!("must be {}, not {}", self.kind.in_words(), describe(value)))?;
        if !self.choices.is_empty() && !self.choices.contains(&value) {
            let choices: Vec<_> = self.choices.iter().map(plain).collect();
            return Err(format!(
                "must be one of {}, not {}",
                listed(choices.iter().map(String::as_str)),
                describe(&value)
            ));
        }
        let number = value.as_f64();
        let beyond = |limit: &Option<Number>, wrong: fn(f64, f64) -> bool| {
            let limit = limit.as_ref()?;
            wrong(number?, limit.as_f64()?).then(|| limit.clone())
        };
        if let Some(limit) = beyond(&self.minimum, |number, limit| number < limit) {
            return Err(format!("must be at least `{limit}`, not {}", describe(&value)));
        }
        if let Some(limit) = beyond(&self.maximum, |number, limit| number > limit) {
            return Err(format!("must be at most `{limit}`, not {}", describe(&value)));
        }
        Ok(value)
    }

    /// A value from text without types, such as a command line: numbers and booleans where the type asks for them. Text
    /// that does not fit stays text, which [`Param::check`] then refuses.
    pub fn value_from_text(&self, text: &str) -> Value {
        let value = match self.kind {
            ParamType::String => None,
            _ => serde_json::from_str(text).ok().filter(|value| self.typed(value).is_some()),
        };
        value.unwrap_or_else(|| text.into())
    }

    /// The value if it has the parameter's type. `7.0` is an integer too: some JSON writers know floats only.
    fn typed(&self, value: &Value) -> Option<Value> {
        match (self.kind, value) {
            (ParamType::String, Value::String(_)) | (ParamType::Boolean, Value::Bool(_)) => Some(value.clone()),
            (ParamType::Number, Value::Number(_)) => Some(value.clone()),
            (ParamType::Integer, Value::Number(number)) if !number.is_f64() => Some(value.clone()),
            (ParamType::Integer, Value::Number(number)) => {
                // Beyond 2^53 a float no longer says which integer was meant.
                let whole = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0)?;
                Some(Value::from(whole as i64))
            }
            _ => None,
        }
    }
}

/// A scalar without quotes.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Reads one entry of `params`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<Param> {
    read_as(reader, entry, "parameter")
}

/// Reads one entry of a `form`: like a parameter, and it may say `required: false`.
pub(super) fn read_field(reader: &mut Reader<'_>, entry: &Entry) -> Option<Param> {
    let mut declared = entry.clone();
    if let NodeValue::Map(keys) = &mut declared.node.value
        && let Some(at) = keys.iter().position(|key| key.key == "required")
    {
        let required = keys.remove(at);
        reader.boolean(&required.node, &format!("`required` of field `{}`", entry.key));
    }
    read_as(reader, &declared, "field")
}

fn read_as(reader: &mut Reader<'_>, entry: &Entry, noun: &str) -> Option<Param> {
    let name = Spanned::new(entry.key.clone(), entry.key_span);
    let what = format!("{noun} `{}`", entry.key);
    match &entry.node.value {
        NodeValue::Map(_) => read_declared(reader, entry, name, &what),
        NodeValue::List(_) | NodeValue::Null => {
            reader.wrong_type(&entry.node, &what, "a declaration such as `{ type: integer, default: 7 }` or a default");
            None
        }
        _ => {
            let default = entry.node.to_json();
            let kind = ParamType::of(&default).expect("a scalar has a type");
            Some(Param {
                name,
                kind,
                default: Some(default),
                choices: vec![],
                minimum: None,
                maximum: None,
                description: None,
            })
        }
    }
}

fn read_declared(reader: &mut Reader<'_>, entry: &Entry, name: Spanned<String>, what: &str) -> Option<Param> {
    let fields = reader.fields(&entry.node, what, entry.key_span, keys::PARAM)?;
    let default = fields.get("default");
    let kind = match (fields.get("type"), default) {
        (Some(node), _) => read_type(reader, node, what)?,
        (None, Some(node)) => match ParamType::of(&node.to_json()) {
            Some(kind) => kind,
            None => {
                reader.wrong_type(node, &format!("the default of {what}"), "text, a number or a boolean");
                return None;
            }
        },
        (None, None) => {
            let hint = "say `type: string`, `integer`, `number` or `boolean`";
            reader.problem_with_hint(
                "missing-key",
                entry.key_span,
                format!("{what} has neither type nor default"),
                hint,
            );
            return None;
        }
    };
    let description = fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned);
    let mut param = Param { name, kind, default: None, choices: vec![], minimum: None, maximum: None, description };
    param.minimum = fields.get("minimum").and_then(|node| read_bound(reader, node, kind, what));
    param.maximum = fields.get("maximum").and_then(|node| read_bound(reader, node, kind, what));
    if let Some(items) = fields.get("enum").and_then(|node| reader.items(node, &format!("`enum` of {what}"))) {
        param.choices = items.iter().filter_map(|node| checked(reader, &param, node, what)).collect();
    }
    param.default = default.and_then(|node| checked(reader, &param, node, what));
    Some(param)
}

fn read_type(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<ParamType> {
    let text = reader.text(node, &format!("the type of {what}"))?;
    let found = ParamType::named(text);
    if found.is_none() {
        let names = ParamType::ALL.map(|(name, ..)| name);
        let hint = match crate::diagnostics::suggest(text, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("types are {}", listed(names)),
        };
        reader.problem_with_hint("wrong-type", node.span, format!("{what} has unknown type `{text}`"), hint);
    }
    found
}

fn read_bound(reader: &mut Reader<'_>, node: &Node, kind: ParamType, what: &str) -> Option<Number> {
    match &node.value {
        NodeValue::Number(number) if matches!(kind, ParamType::Integer | ParamType::Number) => Some(number.clone()),
        NodeValue::Number(_) => {
            let message = format!("{what} is {} and has no minimum or maximum", kind.in_words());
            reader.problem("wrong-type", node.span, message);
            None
        }
        _ => {
            reader.wrong_type(node, &format!("the bound of {what}"), "a number");
            None
        }
    }
}

fn checked(reader: &mut Reader<'_>, param: &Param, node: &Node, what: &str) -> Option<Value> {
    match param.check(&node.to_json()) {
        Ok(value) => Some(value),
        Err(wrong) => {
            reader.problem("wrong-value", node.span, format!("a value of {what} {wrong}"));
            None
        }
    }
}
