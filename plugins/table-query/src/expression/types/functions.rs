//! What functions take and give.

use super::Type;
use crate::problems::nearest;

use Type::{Bool, Bytes, Double, Int, Text, Time, Unknown};

const GLOBAL: [&str; 7] = ["bool", "double", "duration", "int", "size", "string", "timestamp"];
const METHODS: [&str; 15] = [
    "charAt",
    "contains",
    "endsWith",
    "indexOf",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "replace",
    "reverse",
    "size",
    "split",
    "startsWith",
    "substring",
    "trim",
    "upperAscii",
];
const MATH: [&str; 12] =
    ["abs", "ceil", "floor", "greatest", "isFinite", "isInf", "isNaN", "least", "round", "sign", "sqrt", "trunc"];

/// `name(…)`.
pub fn global(name: &str, given: &[Type]) -> Result<Type, String> {
    match (name, given) {
        ("size", [Text | Bytes | Type::List(_) | Unknown]) => Ok(Int),
        ("int", [Int | Double | Text | Time | Unknown]) => Ok(Int),
        ("double", [Int | Double | Text | Unknown]) => Ok(Double),
        ("string", [Bool | Int | Double | Text | Bytes | Unknown]) => Ok(Text),
        ("bool", [Bool | Text | Unknown]) => Ok(Bool),
        ("timestamp", [Int | Time]) => Ok(Time),
        // The parser makes these of `math.greatest` and `math.least`.
        ("math.@max" | "math.@min", given) => common(given),
        ("duration", _) => Err("`duration(…)` takes a text that is written out, such as `duration('7d')`".to_owned()),
        (name, _) if GLOBAL.contains(&name) => Err(wrong(name, given)),
        (name, _) if METHODS.contains(&name) => Err(format!("`{name}` stands behind a text: `column.{name}(…)`")),
        (name, _) => Err(unknown(name, &GLOBAL)),
    }
}

/// `target.name(…)`.
pub fn method(name: &str, target: &Type, given: &[Type]) -> Result<Type, String> {
    if !METHODS.contains(&name) {
        return Err(unknown(name, &METHODS));
    }
    let text = |found: &Type| matches!(found, Text | Unknown);
    match (name, given) {
        ("join", _) => match target {
            Type::List(_) | Unknown => Ok(Text),
            other => Err(format!("`join` takes a list, and stands behind {}", other.name())),
        },
        ("size", []) if matches!(target, Text | Bytes | Type::List(_) | Unknown) => Ok(Int),
        _ if !text(target) => Err(format!("`{name}` takes text, and stands behind {}", target.name())),
        ("contains" | "startsWith" | "endsWith", [given]) if text(given) => Ok(Bool),
        ("indexOf" | "lastIndexOf", [given, ..]) if text(given) => Ok(Int),
        ("lowerAscii" | "upperAscii" | "trim" | "reverse", []) => Ok(Text),
        ("replace", [old, new, ..]) if text(old) && text(new) => Ok(Text),
        ("charAt", [Int | Unknown]) | ("substring", [Int | Unknown, ..]) => Ok(Text),
        ("split", [given, ..]) if text(given) => Ok(Type::List(Box::new(Text))),
        _ => Err(wrong(name, given)),
    }
}

/// `math.name(…)`.
pub fn math(name: &str, given: &[Type]) -> Result<Type, String> {
    match (name, given) {
        ("abs" | "sign", [found @ (Int | Double | Unknown)]) => Ok(found.clone()),
        ("ceil" | "floor" | "round" | "trunc", [Double | Unknown]) => Ok(Double),
        ("sqrt", [Int | Double | Unknown]) => Ok(Double),
        ("isNaN" | "isInf" | "isFinite", [Double | Unknown]) => Ok(Bool),
        ("greatest" | "least", given) => common(given),
        (name, _) if MATH.contains(&name) => Err(wrong(&format!("math.{name}"), given)),
        (name, _) => Err(unknown(name, &MATH)),
    }
}

fn common(given: &[Type]) -> Result<Type, String> {
    let given = match given {
        [Type::List(element)] => return Ok((**element).clone()),
        given => given,
    };
    match given.first() {
        Some(first @ (Int | Double)) if given.iter().all(|other| other == first) => Ok(first.clone()),
        _ => Err(format!(
            "{}\nhint: give only whole numbers or only floats",
            wrong("math.greatest and math.least", given)
        )),
    }
}

fn wrong(name: &str, given: &[Type]) -> String {
    let given: Vec<&str> = given.iter().map(Type::name).collect();
    let given = if given.is_empty() { "nothing".to_owned() } else { given.join(", ") };
    format!("`{name}` does not take {given}")
}

fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no function `{name}`\nhint: did you mean `{near}`?"),
        None => format!("there is no function `{name}`\nhint: there are `{}`", known.join("`, `")),
    }
}
