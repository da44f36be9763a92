//! The `data` of a JSON tensor, flat or nested, before its datatype is known.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::http::codec::{Cell, MAX_CELLS};

/// Lists within lists at the most.
const DEPTH: usize = 8;

/// Elements in row-major order.
#[derive(Debug, Default)]
pub struct Data {
    elements: Elements,
    texts: String,
    /// How long the lists of each level are, the outermost first; known where all of a level are equally long.
    dimensions: Vec<usize>,
    /// How deep the elements lie.
    leaves: Option<usize>,
    ragged: bool,
}

/// Numbers of one sort take 8 bytes each, whatever else takes 16.
#[derive(Debug, Default)]
enum Elements {
    #[default]
    None,
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Mixed(Vec<Element>),
}

#[derive(Clone, Copy, Debug)]
enum Element {
    Null,
    Bool(bool),
    Int(i64),
    Big(u64),
    Float(f64),
    /// Where in `texts`.
    Text {
        start: u32,
        end: u32,
    },
}

impl Data {
    pub fn len(&self) -> usize {
        match &self.elements {
            Elements::None => 0,
            Elements::Ints(values) => values.len(),
            Elements::Floats(values) => values.len(),
            Elements::Mixed(values) => values.len(),
        }
    }

    pub fn cell(&self, index: usize) -> Cell<'_> {
        match &self.elements {
            Elements::None => Cell::Null,
            Elements::Ints(values) => Cell::Int(values[index]),
            Elements::Floats(values) => Cell::Float(values[index]),
            Elements::Mixed(values) => match values[index] {
                Element::Null => Cell::Null,
                Element::Bool(value) => Cell::Bool(value),
                Element::Int(value) => Cell::Int(value),
                Element::Big(value) => Cell::Big(value),
                Element::Float(value) => Cell::Float(value),
                Element::Text { start, end } => Cell::Text(&self.texts[start as usize..end as usize]),
            },
        }
    }

    /// Whether the lists are flat, or nested just as the shape says.
    pub fn nests_as(&self, shape: &[usize]) -> bool {
        !self.ragged && (self.dimensions.len() == 1 || self.dimensions == shape)
    }

    fn push(&mut self, element: Element) {
        match (&mut self.elements, element) {
            (Elements::None, Element::Int(value)) => self.elements = Elements::Ints(vec![value]),
            (Elements::None, Element::Float(value)) => self.elements = Elements::Floats(vec![value]),
            (Elements::None, element) => self.elements = Elements::Mixed(vec![element]),
            (Elements::Ints(values), Element::Int(value)) => values.push(value),
            (Elements::Floats(values), Element::Float(value)) => values.push(value),
            (Elements::Mixed(values), element) => values.push(element),
            (Elements::Ints(values), element) => {
                let mut mixed: Vec<Element> = values.iter().copied().map(Element::Int).collect();
                mixed.push(element);
                self.elements = Elements::Mixed(mixed);
            }
            (Elements::Floats(values), element) => {
                let mut mixed: Vec<Element> = values.iter().copied().map(Element::Float).collect();
                mixed.push(element);
                self.elements = Elements::Mixed(mixed);
            }
        }
    }

    fn end_list(&mut self, depth: usize, length: usize) {
        if self.dimensions.len() <= depth {
            // Inner lists end first; the places of outer ones are filled when they do.
            self.dimensions.resize(depth + 1, usize::MAX);
        }
        match self.dimensions[depth] {
            usize::MAX => self.dimensions[depth] = length,
            known => self.ragged |= known != length,
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut data = Data::default();
        deserializer.deserialize_seq(List { data: &mut data, depth: 0 })?;
        Ok(data)
    }
}

struct List<'a> {
    data: &'a mut Data,
    depth: usize,
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { data, depth } = self;
        let mut length = 0;
        while seq.next_element_seed(Item { data: &mut *data, depth })?.is_some() {
            length += 1;
        }
        data.end_list(depth, length);
        Ok(())
    }
}

struct Item<'a> {
    data: &'a mut Data,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number, a text, true, false, or a list of them")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.element(Element::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.element(Element::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.element(Element::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.element(i64::try_from(value).map_or(Element::Big(value), Element::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.element(Element::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let start = self.data.texts.len();
        self.data.texts.push_str(value);
        let end = self.data.texts.len();
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => self.element(Element::Text { start, end }),
            _ => Err(E::custom("texts of more than 4 GiB")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        if self.depth + 1 >= DEPTH {
            return Err(A::Error::custom(format_args!("more than {DEPTH} lists within each other")));
        }
        List { data: self.data, depth: self.depth + 1 }.visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("an object is no element of a tensor"))
    }
}

impl Item<'_> {
    fn element<E: Error>(self, element: Element) -> Result<(), E> {
        if self.data.len() >= MAX_CELLS {
            return Err(E::custom(format_args!("more than {MAX_CELLS} elements")));
        }
        self.data.ragged |= *self.data.leaves.get_or_insert(self.depth) != self.depth;
        self.data.push(element);
        Ok(())
    }
}
