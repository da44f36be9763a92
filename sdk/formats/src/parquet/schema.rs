//! From the footer's tree to columns: each leaf, its name, and how its values become those of a table.

use wasmlops_sdk::DataType;

use super::fault::{Decoded, broken};
use super::metadata::{Element, Logical, Metadata, Unit};

/// Columns in a file.
const MAX_LEAVES: usize = 20_000;

/// Groups within groups.
const MAX_DEPTH: usize = 16;

/// How values lie in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Physical {
    Bool,
    /// Whole or floating, 4 bytes.
    Four,
    /// Whole or floating, 8 bytes.
    Eight,
    /// Of this many bytes.
    Fixed(usize),
    /// Each of its own length.
    Slices,
}

/// What values mean, and so what they become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    Bool,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    F16,
    /// Days since 1970-01-01.
    Days,
    Timestamp(Unit),
    /// Nanoseconds of the day, then the Julian day.
    Int96,
    /// A whole number of this many decimal places.
    Decimal(u32),
    Text,
    Category,
    Binary,
    Uuid,
}

impl Meaning {
    pub fn data_type(self) -> DataType {
        match self {
            Meaning::Bool => DataType::Bool,
            Meaning::I32 | Meaning::U32 | Meaning::I64 | Meaning::U64 => DataType::S64,
            Meaning::F32 | Meaning::F16 => DataType::F32,
            Meaning::F64 | Meaning::Decimal(_) => DataType::F64,
            Meaning::Days | Meaning::Timestamp(_) | Meaning::Int96 => DataType::Timestamp,
            Meaning::Text | Meaning::Uuid => DataType::Utf8,
            Meaning::Category => DataType::Categorical,
            Meaning::Binary => DataType::Binary,
        }
    }
}

/// A column of the file.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// With the groups that it is in: `address.city`.
    pub name: String,
    pub physical: Physical,
    /// The number that a chunk must repeat.
    pub code: i64,
    /// Why the column cannot be read, if so.
    pub meaning: Result<Meaning, String>,
    /// The definition level of a value that is there; 0: no value is ever missing.
    pub max_level: u32,
    /// What the user should know about the values.
    pub note: Option<&'static str>,
}

/// The leaves, in the order of the file's columns.
pub fn leaves(metadata: &Metadata) -> Decoded<Vec<Leaf>> {
    let elements = &metadata.schema;
    if elements.len() > MAX_LEAVES {
        return broken(format!("a schema of {} columns, and {MAX_LEAVES} are the most", elements.len()));
    }
    let mut walk = Walk { elements, next: 1, leaves: Vec::new() };
    let root = &elements[0];
    for _ in 0..root.num_children {
        walk.element(&Above { name: String::new(), level: 0, repeated: None, depth: 0 })?;
    }
    if walk.next != elements.len() {
        return broken(format!("the schema's tree has {} nodes, and {} are given", walk.next, elements.len()));
    }
    Ok(walk.leaves)
}

struct Walk<'a> {
    elements: &'a [Element],
    next: usize,
    leaves: Vec<Leaf>,
}

/// What the groups around an element say.
struct Above {
    name: String,
    level: u32,
    /// The outermost group or column with many values in a row.
    repeated: Option<String>,
    depth: usize,
}

impl Walk<'_> {
    fn element(&mut self, above: &Above) -> Decoded<()> {
        let Some(element) = self.elements.get(self.next) else {
            return broken("the schema's tree has more nodes than are given");
        };
        self.next += 1;
        let name = if above.depth == 0 { element.name.clone() } else { format!("{}.{}", above.name, element.name) };
        let repeated = match element.repetition {
            2 => above
                .repeated
                .clone()
                .or_else(|| Some(above.name.clone()).filter(|name| !name.is_empty()))
                .or_else(|| Some(name.clone())),
            _ => above.repeated.clone(),
        };
        let level = above.level + u32::from(element.repetition != 0);
        match element.physical {
            Some(code) if element.num_children == 0 => self.leaves.push(leaf(element, code, name, level, repeated)?),
            Some(_) => return broken(format!("schema: `{name}` is a column and has children")),
            None => {
                if above.depth >= MAX_DEPTH {
                    return broken(format!("schema: `{name}` lies in more than {MAX_DEPTH} groups"));
                }
                let above = Above { name, level, repeated, depth: above.depth + 1 };
                for _ in 0..element.num_children {
                    self.element(&above)?;
                }
            }
        }
        Ok(())
    }
}

fn leaf(element: &Element, code: i64, name: String, max_level: u32, repeated: Option<String>) -> Decoded<Leaf> {
    let physical = match code {
        0 => Physical::Bool,
        1 | 4 => Physical::Four,
        2 | 5 => Physical::Eight,
        3 => Physical::Fixed(12),
        6 => Physical::Slices,
        7 => match usize::try_from(element.length) {
            Ok(length) if (1..=1 << 20).contains(&length) => Physical::Fixed(length),
            _ => return broken(format!("schema: `{name}` holds values of {} bytes", element.length)),
        },
        _ => return broken(format!("schema: `{name}` is of the unknown type {code}")),
    };
    let mut note = None;
    let meaning = match repeated {
        Some(group) if group == name => Err("holds many values in a row".to_owned()),
        Some(group) => Err(format!("is in `{group}`, a list or a map")),
        None => meaning(element, code, physical, &mut note),
    };
    Ok(Leaf { name, physical, code, meaning, max_level, note })
}

fn meaning(
    element: &Element,
    code: i64,
    physical: Physical,
    note: &mut Option<&'static str>,
) -> Result<Meaning, String> {
    let logical = element.logical.or_else(|| converted(element));
    Ok(match (code, logical) {
        (0, _) => Meaning::Bool,
        (1, Some(Logical::Date)) => Meaning::Days,
        (1 | 2, Some(Logical::Decimal { scale })) => decimal(scale, note)?,
        (1 | 2, Some(Logical::Time)) => {
            *note = Some("times of day are whole numbers in the file's own unit");
            if code == 1 { Meaning::I32 } else { Meaning::I64 }
        }
        (2, Some(Logical::Timestamp { utc, unit })) => {
            if !utc {
                *note = Some("times without a time zone are taken as UTC");
            }
            Meaning::Timestamp(unit)
        }
        (1, Some(Logical::Int { signed: false, bits: 32 })) => Meaning::U32,
        (2, Some(Logical::Int { signed: false, bits: 64 })) => Meaning::U64,
        (1, _) => Meaning::I32,
        (2, _) => Meaning::I64,
        (3, _) => Meaning::Int96,
        (4, _) => Meaning::F32,
        (5, _) => Meaning::F64,
        (6, Some(Logical::Text)) => Meaning::Text,
        (6, Some(Logical::Decimal { scale })) => decimal(scale, note)?,
        (7, Some(Logical::Decimal { scale })) => match physical {
            Physical::Fixed(1..=16) => decimal(scale, note)?,
            _ => return Err("holds decimals of more than 128 bits".to_owned()),
        },
        (7, Some(Logical::Uuid)) if physical == Physical::Fixed(16) => Meaning::Uuid,
        (7, Some(Logical::Float16)) if physical == Physical::Fixed(2) => Meaning::F16,
        _ if element.converted == Some(21) => return Err("holds intervals".to_owned()),
        (_, Some(Logical::Other(16))) => return Err("holds variants".to_owned()),
        _ => Meaning::Binary,
    })
}

fn decimal(scale: i64, note: &mut Option<&'static str>) -> Result<Meaning, String> {
    *note = Some("decimals are the nearest f64");
    match u32::try_from(scale) {
        Ok(scale) if scale <= 64 => Ok(Meaning::Decimal(scale)),
        _ => Err(format!("holds decimals of {scale} places")),
    }
}

/// What older writers say instead of a logical type.
fn converted(element: &Element) -> Option<Logical> {
    Some(match element.converted? {
        // UTF8, ENUM, JSON.
        0 | 4 | 19 => Logical::Text,
        5 => Logical::Decimal { scale: element.scale },
        6 => Logical::Date,
        7 | 8 => Logical::Time,
        9 => Logical::Timestamp { utc: true, unit: Unit::Millis },
        10 => Logical::Timestamp { utc: true, unit: Unit::Micros },
        code @ 11..=14 => Logical::Int { bits: 8 << (code - 11), signed: false },
        _ => return None,
    })
}
