//! Collects what is wrong with a configuration, so that all of it is said at once. Knows nothing of verbs.

use wasmlops_sdk::prelude::*;

/// Everything wrong so far, each with the key that is at fault.
#[derive(Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    pub fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push((key.into(), message.into()));
    }

    /// The index of a column, or a problem at `key` that suggests another one.
    pub fn column(&mut self, schema: &Schema, name: &str, key: &str) -> Option<usize> {
        let found = schema.index_of(name);
        if found.is_none() {
            self.add(key, no_column(schema, name));
        }
        found
    }

    /// The indexes of all columns, if all exist.
    pub fn columns(&mut self, schema: &Schema, names: &[String], key: &str) -> Option<Vec<usize>> {
        let found: Vec<Option<usize>> =
            names.iter().enumerate().map(|(at, name)| self.column(schema, name, &format!("{key}.{at}"))).collect();
        found.into_iter().collect()
    }

    /// One error that names all problems, at the place of the first.
    pub fn into_result(self) -> Result<()> {
        match self.0.as_slice() {
            [] => Ok(()),
            [(key, message)] => Err(Error::invalid_config(key, message)),
            [(first, _), ..] => {
                let line = |(key, message): &(String, String)| format!("\n`{key}`: {}", message.replace('\n', "; "));
                let lines: String = self.0.iter().map(line).collect();
                Err(Error::invalid_config(first, format!("{} options do not fit{lines}", self.0.len())))
            }
        }
    }
}

/// `there is no column `amuont`` with a hint.
pub fn no_column(schema: &Schema, name: &str) -> String {
    match nearest(name, schema.names()) {
        Some(near) => format!("there is no column `{name}`\nhint: did you mean `{near}`?"),
        None => format!("there is no column `{name}`\nhint: there are {}", schema.names_for_message()),
    }
}

/// The name that differs in the fewest letters, if these are few.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 3).max(1);
    known
        .map(|known| (distance(name, known), known))
        .filter(|(far, _)| *far <= most)
        .min_by_key(|(far, _)| *far)
        .map(|(_, known)| known)
}

/// Letters to add, remove, change or swap with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        (before, last) = (last, row);
    }
    last[b.len()]
}
