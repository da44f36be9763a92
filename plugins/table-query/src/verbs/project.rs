//! `select`, `drop` and `derive`.

use std::rc::Rc;

use wasmlops_sdk::prelude::*;

use crate::config::{Derived, Selected};
use crate::expression::Expression;
use crate::frame::{Frame, put_field};
use crate::plan::Planning;

/// Columns to make, with the key of each.
pub struct Projected(Vec<Projection>);

struct Projection {
    field: Field,
    source: Source,
    /// Below the verb's key: `.1.value`.
    place: String,
}

enum Source {
    Column(usize),
    Computed(Expression),
}

pub fn select(selected: &[Selected], key: &str, planning: &mut Planning<'_>) -> Option<Projected> {
    let mut projections = Vec::new();
    let before = planning.schema.clone();
    for (index, selected) in selected.iter().enumerate() {
        let (column, name) = match selected {
            Selected::Column(column) => (column, column),
            Selected::Renamed(renamed) => (&renamed.column, &renamed.name),
            Selected::Derived(derived) => {
                projections.push(computed(derived, index, key, planning));
                continue;
            }
        };
        let found = planning.problems.column(&before, column, &format!("{key}.{index}"));
        projections.push(found.map(|column| {
            let field = Field { name: name.clone(), ..before.fields[column].clone() };
            Projection { field, source: Source::Column(column), place: format!(".{index}") }
        }));
    }
    if selected.is_empty() {
        planning.problems.add(key, "keeps no column");
        return None;
    }
    let names: Vec<&str> = selected.iter().map(name).collect();
    let fine = no_name_twice(&names, key, planning);
    let projections: Vec<Projection> = projections.into_iter().collect::<Option<_>>()?;
    planning.schema = Schema::new(projections.iter().map(|projection| projection.field.clone()).collect());
    fine.then_some(Projected(projections))
}

pub fn drop(dropped: &[String], key: &str, planning: &mut Planning<'_>) -> Option<Projected> {
    let dropped = planning.problems.columns(&planning.schema, dropped, key)?;
    let fields = planning.schema.fields.iter().cloned().enumerate().filter(|(index, _)| !dropped.contains(index));
    let kept: Vec<Projection> = fields
        .map(|(index, field)| Projection { field, source: Source::Column(index), place: String::new() })
        .collect();
    if kept.is_empty() {
        planning.problems.add(key, "leaves no column");
        return None;
    }
    planning.schema = Schema::new(kept.iter().map(|projection| projection.field.clone()).collect());
    Some(Projected(kept))
}

/// Each sees what those before it made.
pub fn derive(derived: &[Derived], key: &str, planning: &mut Planning<'_>) -> Option<Projected> {
    let mut projections = Vec::new();
    for (index, derived) in derived.iter().enumerate() {
        if derived.name.is_empty() {
            planning.problems.add(format!("{key}.{index}.as"), "a column needs a name");
        }
        let projection = computed(derived, index, key, planning);
        if let Some(projection) = &projection {
            put_field(&mut planning.schema, projection.field.clone());
        }
        projections.push(projection);
    }
    projections.into_iter().collect::<Option<_>>().map(Projected)
}

fn computed(derived: &Derived, index: usize, key: &str, planning: &mut Planning<'_>) -> Option<Projection> {
    let place = format!(".{index}.value");
    match Expression::compile(&derived.value, &planning.schema) {
        Ok(expression) => {
            let field = Field::new(&derived.name, expression.data_type(), true);
            Some(Projection { field, source: Source::Computed(expression), place })
        }
        Err(wrong) => {
            wrong.into_iter().for_each(|problem| planning.problems.add(format!("{key}{place}"), problem));
            None
        }
    }
}

fn name(selected: &Selected) -> &str {
    match selected {
        Selected::Column(name) => name,
        Selected::Renamed(renamed) => &renamed.name,
        Selected::Derived(derived) => &derived.name,
    }
}

fn no_name_twice(names: &[&str], key: &str, planning: &mut Planning<'_>) -> bool {
    let mut fine = true;
    for (index, name) in names.iter().enumerate() {
        let problem = if name.is_empty() {
            "a column needs a name".to_owned()
        } else if names[..index].contains(name) {
            format!("gives the column `{name}` twice")
        } else {
            continue;
        };
        planning.problems.add(format!("{key}.{index}"), problem);
        fine = false;
    }
    fine
}

impl Projected {
    /// These columns and no others.
    pub fn select(&self, frame: &Frame, key: &str) -> Result<Frame> {
        let columns = self.0.iter().map(|projection| projection.column(frame, key)).collect::<Result<_>>()?;
        let fields = self.0.iter().map(|projection| projection.field.clone()).collect();
        Ok(Frame { schema: Schema::new(fields), columns, num_rows: frame.num_rows })
    }

    /// These columns beside those that are there, or in the place of those with the same names.
    pub fn derive(&self, mut frame: Frame, key: &str) -> Result<Frame> {
        for projection in &self.0 {
            let column = projection.column(&frame, key)?;
            frame.put(projection.field.clone(), column);
        }
        Ok(frame)
    }
}

impl Projection {
    fn column(&self, frame: &Frame, key: &str) -> Result<Rc<Column>> {
        match &self.source {
            Source::Column(index) => Ok(frame.columns[*index].clone()),
            Source::Computed(expression) => {
                expression.evaluate(frame).map(Rc::new).map_err(|error| error.at(format!("{key}{}", self.place)))
            }
        }
    }
}
