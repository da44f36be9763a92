//! Which columns there are: every key that a row has, in the order in which they come first, and the type that all of
//! its values leave possible.

use std::collections::HashMap;

use wasmlops_sdk::prelude::*;

use super::keys::{Entry, Keys};
use super::parse::{Event, Kind};
use super::{Opened, Reader, Records};
use crate::infer::Guess;
use crate::options::json::Options;
use crate::source::Sources;
use crate::value::{self, Types};

/// The columns of the table.
pub struct Columns {
    pub fields: Vec<Field>,
    by_name: HashMap<String, usize>,
    /// For each key its column; those that came later are looked up by name.
    of_entry: Vec<Option<usize>>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl Columns {
    /// Those that `columns` declares, and no others, by name.
    pub fn declared(options: &Options, keys: &Keys) -> Self {
        let fields = options.columns.iter().map(|(name, type_)| Field::new(name, type_.data_type(), true)).collect();
        Self::new(fields, keys)
    }

    fn new(fields: Vec<Field>, keys: &Keys) -> Self {
        let by_name: HashMap<String, usize> =
            fields.iter().enumerate().map(|(index, field)| (field.name.clone(), index)).collect();
        let of_entry = keys.names().map(|name| by_name.get(name).copied()).collect();
        Self { fields, by_name, of_entry, notes: Vec::new() }
    }

    /// The column of a key, if it is one.
    #[inline]
    pub fn of(&self, entry: Entry, keys: &Keys) -> Option<usize> {
        match self.of_entry.get(entry.index()) {
            Some(column) => *column,
            None => self.by_name.get(keys.name(entry)).copied(),
        }
    }
}

/// What is known of a column.
struct Seen {
    name: String,
    guess: Guess,
    has_value: bool,
}

/// The columns of all rows; bad rows have no say.
pub fn inferred(sources: &Sources, options: &Options, reader: &mut Reader) -> Result<Columns> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut places: Vec<Option<usize>> = Vec::new();
    for input in &sources.inputs {
        let mut records: Opened<'_> = Records::new(input.open_content()?, input);
        while let Some(record) = records.next()? {
            if reader.read(record).is_err() {
                continue;
            }
            places.resize(reader.keys.len(), None);
            for event in &reader.events {
                let place = *places[event.entry.index()].get_or_insert_with(|| {
                    let name = reader.keys.name(event.entry);
                    *by_name.entry(name.to_owned()).or_insert_with(|| {
                        seen.push(Seen { name: name.to_owned(), guess: Guess::NEW, has_value: false });
                        seen.len() - 1
                    })
                });
                seen[place].see(event, record.bytes);
            }
        }
        sources.report_progress();
    }
    Ok(columns(seen, options, &reader.keys))
}

fn columns(seen: Vec<Seen>, options: &Options, keys: &Keys) -> Columns {
    // A key that is an object in some rows and null in others is no column of its own.
    let groups: Vec<String> =
        seen.iter().filter(|seen| !seen.has_value).map(|seen| format!("{}.", seen.name)).collect();
    let is_group = |name: &str| {
        let group = format!("{name}.");
        groups.contains(&group) && seen.iter().any(|other| other.name.starts_with(&group))
    };
    let mut fields = Vec::new();
    for Seen { name, guess, has_value } in &seen {
        let declared = options.columns.get(name);
        if declared.is_none() && !has_value && is_group(name) {
            continue;
        }
        let data_type = declared.map_or_else(|| guess.data_type(), |type_| type_.data_type());
        fields.push(Field::new(name, data_type, true));
    }
    let mut notes = Vec::new();
    for (name, type_) in &options.columns {
        if !seen.iter().any(|seen| &seen.name == name) {
            notes.push(format!("column `{name}` is declared, and no row has it"));
            fields.push(Field::new(name, type_.data_type(), true));
        }
    }
    Columns { notes, ..Columns::new(fields, keys) }
}

impl Seen {
    #[inline]
    fn see(&mut self, event: &Event, record: &[u8]) {
        if event.kind == Kind::Null {
            return;
        }
        self.has_value = true;
        if self.guess.is_settled() {
            return;
        }
        let text = &record[event.start as usize..event.end as usize];
        let types = match event.kind {
            Kind::True | Kind::False => Types::BOOL,
            Kind::Number => number_types(text),
            Kind::Text if value::timestamp(text).is_some() => Types::TIMESTAMP,
            _ => Types::NONE,
        };
        self.guess.see_types(types, true);
    }
}

/// A whole number beyond 64 bits is that of a key, and would lose digits as a number; one beyond what an `f64` holds
/// would be infinite.
#[inline]
fn number_types(text: &[u8]) -> Types {
    let is_whole = text.iter().all(|&byte| byte.is_ascii_digit() || byte == b'-');
    if is_whole {
        let fits = text.len() <= 18 || value::parse_s64(text).is_some();
        return if fits { value::types_of(b"1") } else { Types::NONE };
    }
    // Only a long text can be that large.
    let may_be_infinite = text.iter().any(|&byte| byte == b'e' || byte == b'E') || text.len() > 300;
    let is_finite = !may_be_infinite || value::parse_f64(text).is_some_and(f64::is_finite);
    if is_finite { Types::F64 } else { Types::NONE }
}
