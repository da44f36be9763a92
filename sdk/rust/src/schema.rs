//! The columns of a table: names and types.

use serde::{Deserialize, Serialize};

use crate::bindings::host::wasmlops::plugin::tables as wire;
use crate::error::{Error, Result};

/// What a column holds. The layout of each is in `wit/0.1.0/tables.wit`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    Bool,
    S64,
    F64,
    F32,
    Utf8,
    Binary,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// Text from a small set of values.
    Categorical,
}

impl DataType {
    /// The name that people meet in messages and configuration.
    pub fn name(self) -> &'static str {
        match self {
            DataType::Bool => "bool",
            DataType::S64 => "s64",
            DataType::F64 => "f64",
            DataType::F32 => "f32",
            DataType::Utf8 => "utf8",
            DataType::Binary => "binary",
            DataType::Timestamp => "timestamp",
            DataType::Categorical => "categorical",
        }
    }

    /// Whether [`crate::Column::numbers`] and [`crate::Table::matrix`] can read it.
    pub fn is_numeric(self) -> bool {
        matches!(self, DataType::Bool | DataType::S64 | DataType::F64 | DataType::F32 | DataType::Timestamp)
    }

    /// Whether rows are text: `utf8` or `categorical`.
    pub fn is_text(self) -> bool {
        matches!(self, DataType::Utf8 | DataType::Categorical)
    }

    /// Bytes of one value in the buffer `values`; `None` for bits and for values of their own length.
    pub(crate) fn width(self) -> Option<usize> {
        match self {
            DataType::S64 | DataType::F64 | DataType::Timestamp => Some(8),
            DataType::F32 | DataType::Categorical => Some(4),
            DataType::Bool | DataType::Utf8 | DataType::Binary => None,
        }
    }
}

/// A column's name and type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub data_type: DataType,
    pub nullable: bool,
}

impl Field {
    pub fn new(name: impl Into<String>, data_type: DataType, nullable: bool) -> Self {
        Self { name: name.into(), data_type, nullable }
    }
}

/// A table's columns, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Schema {
    pub fields: Vec<Field>,
}

impl Schema {
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The index of the column that the configuration key `key` names.
    ///
    /// Errors: `invalid-config` at `key`, with the columns there are.
    pub fn require(&self, name: &str, key: &str) -> Result<usize> {
        self.index_of(name).ok_or_else(|| {
            let columns = self.names_for_message();
            Error::invalid_config(key, format!("there is no column `{name}`; the table has {columns}"))
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// The names for an error message: the first 20.
    pub fn names_for_message(&self) -> String {
        const SHOWN: usize = 20;
        let mut names: Vec<String> = self.names().take(SHOWN).map(|name| format!("`{name}`")).collect();
        if self.fields.len() > SHOWN {
            names.push(format!("{} more", self.fields.len() - SHOWN));
        }
        if names.is_empty() { "no columns".to_owned() } else { names.join(", ") }
    }
}

impl From<wire::DataType> for DataType {
    fn from(data_type: wire::DataType) -> Self {
        match data_type {
            wire::DataType::Bool => DataType::Bool,
            wire::DataType::S64 => DataType::S64,
            wire::DataType::F64 => DataType::F64,
            wire::DataType::F32 => DataType::F32,
            wire::DataType::Utf8 => DataType::Utf8,
            wire::DataType::Binary => DataType::Binary,
            wire::DataType::Timestamp => DataType::Timestamp,
            wire::DataType::Categorical => DataType::Categorical,
        }
    }
}

impl From<DataType> for wire::DataType {
    fn from(data_type: DataType) -> Self {
        match data_type {
            DataType::Bool => wire::DataType::Bool,
            DataType::S64 => wire::DataType::S64,
            DataType::F64 => wire::DataType::F64,
            DataType::F32 => wire::DataType::F32,
            DataType::Utf8 => wire::DataType::Utf8,
            DataType::Binary => wire::DataType::Binary,
            DataType::Timestamp => wire::DataType::Timestamp,
            DataType::Categorical => wire::DataType::Categorical,
        }
    }
}

impl Schema {
    pub(crate) fn from_wire(fields: Vec<wire::Field>) -> Self {
        let field = |field: wire::Field| Field::new(field.name, field.data_type.into(), field.nullable);
        Self::new(fields.into_iter().map(field).collect())
    }

    pub(crate) fn to_wire(&self) -> Vec<wire::Field> {
        let field = |field: &Field| wire::Field {
            name: field.name.clone(),
            data_type: field.data_type.into(),
            nullable: field.nullable,
        };
        self.fields.iter().map(field).collect()
    }
}
