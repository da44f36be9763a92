//! Any answer of a server as text for people: facts one a line, lists as tables. For commands whose answer has no text
//! of its own here; programs read the JSON.

use serde_json::{Map, Value};

use crate::output::TextTable;

/// A cell or a fact longer than this is cut: `--json` has it whole.
const LONGEST: usize = 100;

/// Lines, then a table for each list of objects.
pub fn text(value: &Value) -> String {
    let mut facts = String::new();
    let mut tables = String::new();
    match value {
        Value::Object(fields) => object("", fields, &mut facts, &mut tables),
        Value::Array(items) => tables = list(items),
        value => facts = scalar(value),
    }
    match (facts.is_empty(), tables.is_empty()) {
        (false, false) => format!("{facts}{tables}"),
        (_, true) => facts,
        (true, _) => tables.trim_start().to_owned(),
    }
}

fn object(prefix: &str, fields: &Map<String, Value>, facts: &mut String, tables: &mut String) {
    for (key, value) in fields {
        let name = format!("{prefix}{key}");
        match value {
            Value::Null => {}
            Value::Object(inner) => object(&format!("{name}."), inner, facts, tables),
            Value::Array(items) if items.iter().any(Value::is_object) => {
                // The name of the only list says nothing that the command did not.
                let only = fields.values().filter(|value| !value.is_null()).count() == 1;
                let title = if only { String::new() } else { format!("\n{name}:\n") };
                *tables += &(title + &list(items));
            }
            value => *facts += &format!("{name}: {}\n", scalar(value)),
        }
    }
}

/// The columns are the keys that hold something short in some row, in the order in which they come.
fn list(items: &[Value]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    let rows: Vec<&Map<String, Value>> = items.iter().filter_map(Value::as_object).collect();
    for (key, value) in rows.iter().flat_map(|row| row.iter()) {
        let is_nested = |list: &Vec<Value>| list.is_empty() || list.iter().any(Value::is_object);
        let shown = !value.is_null() && !value.is_object() && !value.as_array().is_some_and(is_nested);
        if shown && !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    if rows.is_empty() {
        return items.iter().map(|item| scalar(item) + "\n").collect();
    }
    let mut table = TextTable::new(&columns);
    for row in rows {
        table.row(columns.iter().map(|column| row.get(*column).map_or_else(String::new, scalar)));
    }
    table.to_string()
}

fn scalar(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(scalar).collect::<Vec<_>>().join(", ")
        }
        value => value.to_string(),
    };
    // A name or a message may hold what moves a terminal's cursor.
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_a_table_and_an_object_is_facts() {
        let page = json!({"items": [{"name": "a", "n": 1, "more": {}}, {"name": "bc", "by": "ann"}], "next": null});
        assert_eq!(text(&page), "name  n  by\na     1\nbc       ann\n");
        let one = json!({"name": "a", "state": {"live": 3}, "tags": ["x", "y"], "moves": [{"to": 1}]});
        assert_eq!(text(&one), "name: a\nstate.live: 3\ntags: x, y\n\nmoves:\nto\n1\n");
    }

    #[test]
    fn nothing_in_a_name_reaches_the_terminal_as_a_command() {
        assert_eq!(text(&json!({"name": "a\u{1b}[2Jb"})), "name: a [2Jb\n");
    }
}
