//! The visitors that serde drives through a document of rows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Decoder, Stop};
use crate::http::codec::Cell;

/// The whole body.
pub(super) struct Document<'a, 's>(pub &'a mut Decoder<'s>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object with `rows`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut id, mut columns, mut rows) = (false, false, false);
        while let Some(key) = map.next_key::<TopKey>()? {
            let (seen, name) = match key {
                TopKey::Id => (&mut id, "id"),
                TopKey::Columns => (&mut columns, "columns"),
                TopKey::Rows => (&mut rows, "rows"),
            };
            if std::mem::replace(seen, true) {
                return Err(Error::custom(format_args!("`{name}` comes twice")));
            }
            match key {
                TopKey::Id => self.0.id = map.next_value()?,
                TopKey::Columns => {
                    let names: Vec<String> = map.next_value()?;
                    if self.0.positions.is_none() {
                        self.0.set_positions(&names).map_err(Error::custom)?;
                    }
                }
                TopKey::Rows => map.next_value_seed(Rows(self.0))?,
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum TopKey {
    Id,
    Columns,
    Rows,
}

struct Rows<'a, 's>(&'a mut Decoder<'s>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Row(self.0))?.is_some() {
            self.0.end_row().map_err(Error::custom)?;
        }
        Ok(())
    }
}

struct Row<'a, 's>(&'a mut Decoder<'s>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a row: an object of columns, or a list beside `columns`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(column) = map.next_key_seed(ColumnKey(self.0))? {
            match column {
                Some(index) => map.next_value_seed(Value { decoder: self.0, index })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some(positions) = self.0.positions.take() else {
            self.0.stop = Some(Stop::ColumnsComeLater);
            return Err(Error::custom("rows are lists"));
        };
        let mut count = 0;
        for position in &positions {
            let more = match position {
                Some(index) => seq.next_element_seed(Value { decoder: self.0, index: *index })?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            count += usize::from(more);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        if count != positions.len() {
            let (row, named) = (self.0.rows, positions.len());
            return Err(Error::custom(format_args!("row {row} has {count} values, and `columns` names {named}")));
        }
        self.0.positions = Some(positions);
        Ok(())
    }
}

/// A column's name, as its index; `None` for a name that the model does not know.
struct ColumnKey<'a, 's>(&'a mut Decoder<'s>);

impl<'de> DeserializeSeed<'de> for ColumnKey<'_, '_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ColumnKey<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a column's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.column(name))
    }
}

/// The value of a column. Never an error of its own: what does not fit is noted.
struct Value<'a, 's> {
    decoder: &'a mut Decoder<'s>,
    index: usize,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(Cell::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(Cell::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(Cell::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(i64::try_from(value).map_or(Cell::Big(value), Cell::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.put(Cell::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(Cell::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.put(Cell::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.put(Cell::Object)
    }
}

impl Value<'_, '_> {
    fn put<E>(self, cell: Cell<'_>) -> Result<(), E> {
        self.decoder.put(self.index, cell);
        Ok(())
    }
}
