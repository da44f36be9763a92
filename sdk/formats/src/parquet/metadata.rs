//! The footer: which row groups there are, and where their columns lie. Everything is checked against the length of the
//! file before anybody follows it. Source: apache/parquet-format, `parquet.thrift`.

use super::fault::{Decoded, Fault, broken};
use super::ranges::Ranges;
use super::thrift::{Kind, Thrift};

const MAGIC: &[u8; 4] = b"PAR1";
const ENCRYPTED_MAGIC: &[u8; 4] = b"PARE";

/// Length of the metadata and the magic bytes, at the end of the file.
const TAIL: u64 = 8;

/// A footer of tens of thousands of column chunks stays far below.
const MAX_FOOTER: u64 = 64 << 20;

/// What the footer says.
#[derive(Debug, Default)]
pub struct Metadata {
    /// The schema's tree, depth first, the root first.
    pub schema: Vec<Element>,
    pub num_rows: u64,
    pub row_groups: Vec<RowGroup>,
    /// Base64 of the Arrow schema that Arrow's writers add.
    pub arrow_schema: Option<String>,
}

/// A node of the schema.
#[derive(Clone, Debug, Default)]
pub struct Element {
    pub name: String,
    /// `None` for a group.
    pub physical: Option<i64>,
    /// Bytes of a value of fixed length.
    pub length: i64,
    /// 0 required, 1 optional, 2 repeated.
    pub repetition: i64,
    pub num_children: i64,
    pub converted: Option<i64>,
    pub scale: i64,
    pub logical: Option<Logical>,
}

/// What the format calls a logical type, as far as it changes how values are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Logical {
    Text,
    Decimal { scale: i64 },
    Date,
    Time,
    Timestamp { utc: bool, unit: Unit },
    Int { bits: i64, signed: bool },
    Uuid,
    Float16,
    Other(i16),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Millis,
    Micros,
    Nanos,
}

#[derive(Debug, Default)]
pub struct RowGroup {
    pub num_rows: u64,
    pub chunks: Vec<Chunk>,
}

/// Where the pages of one column of one row group lie.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    pub physical: i64,
    pub codec: i64,
    pub num_values: u64,
    /// Where the first page starts.
    pub start: u64,
    /// Of all its pages.
    pub length: u64,
    path: Vec<String>,
    data_page: i64,
    dictionary_page: Option<i64>,
    compressed: i64,
    elsewhere: bool,
    encrypted: bool,
}

/// Reads and checks the footer.
pub fn read(ranges: &impl Ranges) -> Decoded<Metadata> {
    let size = ranges.size();
    if size < 2 * MAGIC.len() as u64 + TAIL {
        let what = format!("it is no Parquet file: it has {size} bytes, and no Parquet file has so few");
        return Err(Fault::Unsupported(what));
    }
    let head = ranges.bytes(0, 4)?;
    let tail = ranges.bytes(size - TAIL, 8)?;
    if &tail[4..] == ENCRYPTED_MAGIC {
        return Err(Fault::Unsupported("it is encrypted".to_owned()));
    }
    if head != MAGIC {
        return Err(Fault::Unsupported("it is no Parquet file: it does not start with `PAR1`".to_owned()));
    }
    if &tail[4..] != MAGIC {
        return broken("it is cut off: it does not end with `PAR1`");
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > size - TAIL - MAGIC.len() as u64 {
        return broken(format!("its footer should have {length} bytes, and the file has {size}"));
    }
    if length > MAX_FOOTER {
        return Err(Fault::TooLarge(format!("its footer has {length} bytes, and {MAX_FOOTER} are the most")));
    }
    let footer = ranges.bytes(size - TAIL - length, length)?;
    let mut metadata = parse(&footer).map_err(|fault| fault.within("footer"))?;
    metadata.check(size - TAIL - length).map_err(|fault| fault.within("footer"))?;
    Ok(metadata)
}

fn parse(footer: &[u8]) -> Decoded<Metadata> {
    let mut metadata = Metadata::default();
    Thrift::new(footer).structure(|thrift, id, kind| {
        match id {
            2 => metadata.schema = thrift.list(kind, |thrift, _| element(thrift))?,
            3 => metadata.num_rows = count(thrift.int(kind)?, "rows")?,
            4 => metadata.row_groups = thrift.list(kind, |thrift, _| row_group(thrift))?,
            5 => {
                let pairs = thrift.list(kind, |thrift, _| pair(thrift))?;
                let schema = pairs.into_iter().find(|(key, _)| key == "ARROW:schema");
                metadata.arrow_schema = schema.map(|(_, value)| value);
            }
            8 => return Err(Fault::Unsupported("the file is encrypted".to_owned())),
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })?;
    Ok(metadata)
}

fn element(thrift: &mut Thrift<'_>) -> Decoded<Element> {
    let mut element = Element::default();
    thrift.structure(|thrift, id, kind| {
        match id {
            1 => element.physical = Some(thrift.int(kind)?),
            2 => element.length = thrift.int(kind)?,
            3 => element.repetition = thrift.int(kind)?,
            4 => element.name = thrift.text(kind)?,
            5 => element.num_children = thrift.int(kind)?,
            6 => element.converted = Some(thrift.int(kind)?),
            7 => element.scale = thrift.int(kind)?,
            10 => element.logical = logical(thrift, kind)?,
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })?;
    Ok(element)
}

/// A union: a structure with one field, whose id says what it is.
fn logical(thrift: &mut Thrift<'_>, kind: Kind) -> Decoded<Option<Logical>> {
    let mut found = None;
    if kind != Kind::Struct {
        return broken("a logical type that is no structure");
    }
    thrift.structure(|thrift, id, kind| {
        if kind != Kind::Struct {
            return thrift.skip(kind);
        }
        let (mut first, mut utc, mut signed, mut unit) = (0, false, false, Unit::Micros);
        thrift.structure(|thrift, id, kind| match kind {
            Kind::Byte | Kind::Int if id == 1 => thrift.int(kind).map(|value| first = value),
            Kind::True | Kind::False if id == 1 => thrift.bool(kind).map(|value| utc = value),
            Kind::True | Kind::False if id == 2 => thrift.bool(kind).map(|value| signed = value),
            Kind::Struct if id == 2 => thrift.structure(|thrift, id, kind| {
                unit = match id {
                    1 => Unit::Millis,
                    2 => Unit::Micros,
                    _ => Unit::Nanos,
                };
                thrift.skip(kind)
            }),
            kind => thrift.skip(kind),
        })?;
        found = Some(match id {
            // Text, enum and JSON.
            1 | 4 | 12 => Logical::Text,
            5 => Logical::Decimal { scale: first },
            6 => Logical::Date,
            7 => Logical::Time,
            8 => Logical::Timestamp { utc, unit },
            10 => Logical::Int { bits: first, signed },
            14 => Logical::Uuid,
            15 => Logical::Float16,
            id => Logical::Other(id),
        });
        Ok(())
    })?;
    Ok(found)
}

fn row_group(thrift: &mut Thrift<'_>) -> Decoded<RowGroup> {
    let mut group = RowGroup::default();
    thrift.structure(|thrift, id, kind| {
        match id {
            1 => group.chunks = thrift.list(kind, |thrift, _| chunk(thrift))?,
            3 => group.num_rows = count(thrift.int(kind)?, "rows in a row group")?,
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })?;
    Ok(group)
}

fn chunk(thrift: &mut Thrift<'_>) -> Decoded<Chunk> {
    let mut chunk = Chunk::default();
    thrift.structure(|thrift, id, kind| {
        match id {
            1 => {
                thrift.skip(kind)?;
                chunk.elsewhere = true;
            }
            3 if kind == Kind::Struct => chunk_metadata(thrift, &mut chunk)?,
            8 | 9 => {
                thrift.skip(kind)?;
                chunk.encrypted = true;
            }
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })?;
    Ok(chunk)
}

fn chunk_metadata(thrift: &mut Thrift<'_>, chunk: &mut Chunk) -> Decoded<()> {
    thrift.structure(|thrift, id, kind| {
        match id {
            1 => chunk.physical = thrift.int(kind)?,
            3 => chunk.path = thrift.list(kind, |thrift, kind| thrift.text(kind))?,
            4 => chunk.codec = thrift.int(kind)?,
            5 => chunk.num_values = count(thrift.int(kind)?, "values in a column")?,
            7 => chunk.compressed = thrift.int(kind)?,
            9 => chunk.data_page = thrift.int(kind)?,
            11 => chunk.dictionary_page = Some(thrift.int(kind)?),
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })
}

fn pair(thrift: &mut Thrift<'_>) -> Decoded<(String, String)> {
    let mut pair = (String::new(), String::new());
    thrift.structure(|thrift, id, kind| {
        match id {
            1 => pair.0 = thrift.text(kind)?,
            // A value that is no text is of no use here, and no reason to refuse the file.
            2 if kind == Kind::Binary => pair.1 = thrift.text(kind).or_else(|_| Ok(String::new()))?,
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })?;
    Ok(pair)
}

fn count(value: i64, what: &str) -> Decoded<u64> {
    u64::try_from(value).or_else(|_| broken(format!("a number of {what} of {value}")))
}

impl Metadata {
    /// Checks what can be checked without reading a page; pages end before `footer`.
    fn check(&mut self, footer: u64) -> Decoded<()> {
        if self.schema.is_empty() {
            return broken("it has no schema");
        }
        let leaves = self.schema.iter().filter(|element| element.physical.is_some()).count();
        let mut rows: u64 = 0;
        for (number, group) in self.row_groups.iter_mut().enumerate() {
            let place = format!("row group {number}");
            rows = rows.saturating_add(group.num_rows);
            if group.chunks.len() != leaves {
                let found = group.chunks.len();
                return broken(format!("{place}: it has {found} columns, and the schema has {leaves}"));
            }
            for chunk in &mut group.chunks {
                let place = || format!("{place}: column `{}`", chunk.path.join("."));
                let place = place();
                chunk.locate(footer).map_err(|fault| fault.within(&place))?;
            }
        }
        if rows != self.num_rows {
            let said = self.num_rows;
            return broken(format!("the row groups have {rows} rows together, and the file should have {said}"));
        }
        Ok(())
    }
}

impl Chunk {
    fn locate(&mut self, footer: u64) -> Decoded<()> {
        if self.elsewhere {
            return Err(Fault::Unsupported("its pages are in another file".to_owned()));
        }
        if self.encrypted {
            return Err(Fault::Unsupported("it is encrypted".to_owned()));
        }
        // Old writers say 0 where there is no dictionary.
        let start = match self.dictionary_page {
            Some(page) if page > 0 => page.min(self.data_page),
            _ => self.data_page,
        };
        let (Ok(start), Ok(length)) = (u64::try_from(start), u64::try_from(self.compressed)) else {
            return broken(format!("its {} bytes should start at {start}", self.compressed));
        };
        let end = start.checked_add(length).filter(|&end| end <= footer);
        if self.num_values > 0 && (end.is_none() || start < MAGIC.len() as u64) {
            return broken(format!("its {length} bytes should start at {start}, and the pages end at {footer}"));
        }
        (self.start, self.length) = (start, length);
        Ok(())
    }
}
