//! Which columns of a file become columns of the table.

use std::collections::HashSet;

use wasmlops_sdk::prelude::*;

use super::schema::{Leaf, Meaning};
use crate::options::parquet::Options;
use crate::source::Input;

/// The columns to read, in the table's order.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The index among the file's columns, and what the values mean.
    pub leaves: Vec<(usize, Meaning)>,
    pub fields: Vec<Field>,
}

impl Selection {
    /// `dictionaries` are the columns that the writer kept as categories.
    ///
    /// Errors: `invalid-config` at `columns` or `categories` for names that lead nowhere; `invalid-input` with every
    /// column that a table cannot hold.
    pub fn new(leaves: &[Leaf], dictionaries: &[String], options: &Options, input: &Input) -> Result<Self> {
        let indexes = match &options.columns {
            Some(names) => named(leaves, names, input)?,
            None => (0..leaves.len()).collect(),
        };
        let refused = indexes.iter().filter_map(|&index| {
            let leaf = &leaves[index];
            leaf.meaning.as_ref().err().map(|why| format!("column `{}` {why}", leaf.name))
        });
        let refused: Vec<String> = refused.collect();
        if !refused.is_empty() {
            let what = refused.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
            let message = format!("cannot be read as a table\n{what}\nhint: name the other columns under `columns`");
            return Err(input.wrong(&message));
        }
        let mut selection = Self { leaves: Vec::new(), fields: Vec::new() };
        let mut seen = HashSet::new();
        for index in indexes {
            let leaf = &leaves[index];
            let Ok(meaning) = leaf.meaning else { continue };
            if leaf.name.is_empty() || !seen.insert(&leaf.name) {
                let message = format!("has a column name that is empty or comes twice: `{}`", leaf.name);
                return Err(input.wrong(&message));
            }
            let is_category = dictionaries.contains(&leaf.name) || options.categories.contains(&leaf.name);
            let meaning = if meaning == Meaning::Text && is_category { Meaning::Category } else { meaning };
            selection.leaves.push((index, meaning));
            selection.fields.push(Field::new(&leaf.name, meaning.data_type(), leaf.max_level > 0));
        }
        if selection.fields.is_empty() {
            return Err(input.wrong("has no columns"));
        }
        selection.check_categories(options)?;
        Ok(selection)
    }

    pub fn meanings(&self) -> Vec<Meaning> {
        self.leaves.iter().map(|&(_, meaning)| meaning).collect()
    }

    fn check_categories(&self, options: &Options) -> Result<()> {
        for name in &options.categories {
            let message = match self.fields.iter().find(|field| &field.name == name) {
                Some(field) if field.data_type == DataType::Categorical => continue,
                Some(field) => {
                    format!("column `{name}` is `{}`, and only text can become categories", field.data_type.name())
                }
                None => format!("there is no column `{name}`; the table has {}", self.names()),
            };
            return Err(Error::invalid_config("categories", message));
        }
        Ok(())
    }

    fn names(&self) -> String {
        Schema::new(self.fields.clone()).names_for_message()
    }

    /// Errors: `invalid-input` where the columns are not those of `first`, the file `name`.
    pub fn check_same(&self, first: &Self, input: &Input, name: &str) -> Result<()> {
        if self.fields.len() != first.fields.len() {
            let (here, there) = (self.fields.len(), first.fields.len());
            return Err(input.wrong(&format!("has {here} columns, and `{name}` has {there}\n{HINT}")));
        }
        for (field, wanted) in self.fields.iter().zip(&first.fields) {
            let same = field.name == wanted.name && field.data_type == wanted.data_type;
            if !same {
                let message = format!("has {} where `{name}` has {}\n{HINT}", described(field), described(wanted));
                return Err(input.wrong(&message));
            }
        }
        Ok(())
    }
}

const HINT: &str = "hint: name the columns that they share under `columns`, or read them in two steps";

fn described(field: &Field) -> String {
    format!("column `{}` ({})", field.name, field.data_type.name())
}

fn named(leaves: &[Leaf], names: &[String], input: &Input) -> Result<Vec<usize>> {
    let mut indexes = Vec::new();
    for name in names {
        let in_group = |leaf: &Leaf| leaf.name.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
        let found: Vec<usize> =
            (0..leaves.len()).filter(|&index| &leaves[index].name == name || in_group(&leaves[index])).collect();
        if found.is_empty() {
            let fields = leaves.iter().map(|leaf| Field::new(&leaf.name, DataType::Utf8, true)).collect();
            let known = Schema::new(fields).names_for_message();
            let message = format!("there is no column `{name}`; `{}` has {known}", input.name());
            return Err(Error::invalid_config("columns", message));
        }
        indexes.extend(found);
    }
    if indexes.is_empty() {
        return Err(Error::invalid_config("columns", "no column is named\nhint: leave `columns` out to read all"));
    }
    Ok(indexes)
}
