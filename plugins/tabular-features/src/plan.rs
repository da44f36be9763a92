//! Which column becomes what: the configuration held against a table's columns. The door is [`plan`].

use wasmlops_sdk::{DataType, Error, Field, Result, Schema};

use crate::config::Config;

/// A column to make features of.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub index: usize,
    pub name: String,
    pub role: Role,
}

/// What its values are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    Number,
    Bool,
    Text,
}

/// The columns to make features of, in the order of the features.
///
/// Errors: `invalid-config` for a name that is no column (all of them at once), that stands under two keys, or where
/// nothing is left; `invalid-input` for columns of a type that gives no features, all of them at once.
pub fn plan(config: &Config, schema: &Schema) -> Result<Vec<Planned>> {
    refuse_unknown(config, schema)?;
    refuse_overlap(config)?;
    let columns = chosen(config, schema);
    if columns.is_empty() {
        let hint = "hint: name `columns`, or take some out of `drop` and `pass_through`";
        return Err(Error::invalid_config("columns", format!("no column is left to make features of\n{hint}")));
    }
    let (planned, refused): (Vec<_>, Vec<_>) =
        columns.into_iter().map(|index| planned(index, &schema.fields[index])).partition(|column| column.is_ok());
    let refused: Vec<String> = refused.into_iter().filter_map(Result::err).collect();
    if !refused.is_empty() {
        let hint = "hint: put them under `drop`, or under `pass_through` to keep them as they are";
        return Err(
            Error::invalid_input(format!("no features can be made of {}\n{hint}", refused.join(", "))).at("table")
        );
    }
    Ok(planned.into_iter().flatten().collect())
}

/// Every name in the configuration with the key it stands under.
fn named(config: &Config) -> Vec<(&'static str, &str)> {
    let target = config.target.as_slice();
    let columns = config.columns.as_deref().unwrap_or_default();
    let keys =
        [("target", target), ("columns", columns), ("drop", &config.drop), ("pass_through", &config.pass_through)];
    keys.iter().flat_map(|&(key, names)| names.iter().map(move |name| (key, name.as_str()))).collect()
}

fn refuse_unknown(config: &Config, schema: &Schema) -> Result<()> {
    let unknown: Vec<_> = named(config).into_iter().filter(|(_, name)| schema.index_of(name).is_none()).collect();
    let Some(&(key, _)) = unknown.first() else { return Ok(()) };
    let names: Vec<String> = unknown.iter().map(|(key, name)| format!("`{name}` (in `{key}`)")).collect();
    let hint = format!("hint: the table has {}", schema.names_for_message());
    Err(Error::invalid_config(key, format!("no such column: {}\n{hint}", names.join(", "))))
}

fn refuse_overlap(config: &Config) -> Result<()> {
    let named = named(config);
    for (position, &(key, name)) in named.iter().enumerate() {
        if let Some((first, _)) = named[..position].iter().find(|(_, earlier)| *earlier == name) {
            let place =
                if *first == key { format!("twice under `{key}`") } else { format!("under `{first}` and `{key}`") };
            let hint = "hint: a column is the target, a feature, dropped or passed through: name it once";
            return Err(Error::invalid_config(key, format!("column `{name}` stands {place}\n{hint}")));
        }
    }
    Ok(())
}

fn chosen(config: &Config, schema: &Schema) -> Vec<usize> {
    match &config.columns {
        Some(names) => names.iter().filter_map(|name| schema.index_of(name)).collect(),
        None => {
            let named = named(config);
            let free = |name: &str| named.iter().all(|(_, other)| *other != name);
            schema.names().enumerate().filter(|(_, name)| free(name)).map(|(index, _)| index).collect()
        }
    }
}

fn planned(index: usize, field: &Field) -> Result<Planned, String> {
    let role = match field.data_type {
        DataType::S64 | DataType::F64 | DataType::F32 => Role::Number,
        DataType::Bool => Role::Bool,
        DataType::Utf8 | DataType::Categorical => Role::Text,
        DataType::Timestamp | DataType::Binary => {
            return Err(format!("`{}` ({})", field.name, field.data_type.name()));
        }
    };
    Ok(Planned { index, name: field.name.clone(), role })
}
