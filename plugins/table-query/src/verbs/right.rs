//! What both joins do with the other table's columns.

use wasmlops_sdk::prelude::*;

use crate::keys::go_together;
use crate::plan::Planning;

/// The key's columns in both tables.
pub struct On {
    pub left: Vec<usize>,
    pub right: Vec<usize>,
}

/// What the configuration says of a key.
pub struct Named<'a> {
    pub left: &'a [String],
    pub right: Option<&'a [String]>,
    /// The options' names: `on` and `right_on`.
    pub keys: [&'a str; 2],
}

impl On {
    pub fn plan(named: &Named<'_>, other: &Schema, key: &str, planning: &mut Planning<'_>) -> Option<Self> {
        let [left_key, right_key] = named.keys.map(|name| format!("{key}.{name}"));
        let names = named.right.unwrap_or(named.left);
        if names.len() != named.left.len() {
            let problem = format!("has {} columns, and `{}` has {}", names.len(), named.keys[0], named.left.len());
            planning.problems.add(&right_key, problem);
            return None;
        }
        let left = planning.problems.columns(&planning.schema, named.left, &left_key);
        let right_key = if named.right.is_some() { right_key } else { left_key.clone() };
        let right = planning.problems.columns(other, names, &right_key);
        let (left, right) = (left?, right?);
        let mut fit = true;
        for (index, (&a, &b)) in left.iter().zip(&right).enumerate() {
            let (a, b) = (&planning.schema.fields[a], &other.fields[b]);
            if !go_together(a.data_type, b.data_type) {
                let (here, there) = (a.data_type.name(), b.data_type.name());
                let problem = format!("`{}` is {here} here and {there} in the other table", a.name);
                let hint = "hint: `derive` one of them in the other's type first";
                planning.problems.add(format!("{left_key}.{index}"), format!("{problem}\n{hint}"));
                fit = false;
            }
        }
        fit.then_some(Self { left, right })
    }
}

/// The other table's columns but those of the key, with the fields that they get beside this table's.
pub fn beside(
    other: &Schema,
    without: &[usize],
    suffix: &str,
    key: &str,
    planning: &mut Planning<'_>,
) -> Option<Vec<(usize, Field)>> {
    let mut fields = planning.schema.fields.clone();
    let mut added = Vec::new();
    let mut fit = true;
    for (index, field) in other.fields.iter().enumerate().filter(|(index, _)| !without.contains(index)) {
        let mut field = Field { nullable: true, ..field.clone() };
        let taken = |name: &str, fields: &[Field]| fields.iter().any(|field| field.name == name);
        if taken(&field.name, &fields) {
            field.name.push_str(suffix);
        }
        if taken(&field.name, &fields) {
            let problem = format!("the column `{}` would come twice\nhint: choose another suffix", field.name);
            planning.problems.add(format!("{key}.suffix"), problem);
            fit = false;
        }
        fields.push(field.clone());
        added.push((index, field));
    }
    fit.then_some(added)
}
