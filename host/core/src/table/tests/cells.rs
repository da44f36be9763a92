//! Tables as rows of cells, for tests: a slow, plain second implementation of the wire layout.

use proptest::prelude::*;
use proptest::sample::select;

use crate::table::*;

pub const TYPES: [DataType; 8] = [
    DataType::Bool,
    DataType::S64,
    DataType::F64,
    DataType::F32,
    DataType::Utf8,
    DataType::Binary,
    DataType::Timestamp,
    DataType::Categorical,
];

#[derive(Clone, Debug)]
pub enum Cell {
    Null,
    Bool(bool),
    /// Also timestamps.
    S64(i64),
    F64(f64),
    F32(f32),
    /// Also categories.
    Text(String),
    Bytes(Vec<u8>),
}

/// Bits count, but all NaNs are one.
impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Cell::Null, Cell::Null) => true,
            (Cell::Bool(left), Cell::Bool(right)) => left == right,
            (Cell::S64(left), Cell::S64(right)) => left == right,
            (Cell::F64(left), Cell::F64(right)) => {
                left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan())
            }
            (Cell::F32(left), Cell::F32(right)) => {
                left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan())
            }
            (Cell::Text(left), Cell::Text(right)) => left == right,
            (Cell::Bytes(left), Cell::Bytes(right)) => left == right,
            _ => false,
        }
    }
}

/// What a sender may choose freely without changing the data.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Dictionaries hold more texts, in another order.
    pub shuffle_texts: bool,
    /// Nulls hold something.
    pub garbage_under_nulls: bool,
    /// A NaN has these bits besides those that make it one.
    pub nan_payload: u32,
    /// Columns without nulls come with validity bits all the same.
    pub spare_validity: bool,
}

pub fn layout() -> impl Strategy<Value = Layout> {
    (any::<bool>(), any::<bool>(), any::<u32>(), any::<bool>()).prop_map(
        |(shuffle_texts, garbage_under_nulls, nan_payload, spare_validity)| Layout {
            shuffle_texts,
            garbage_under_nulls,
            nan_payload,
            spare_validity,
        },
    )
}

pub fn field(name: &str, data_type: DataType) -> Field {
    Field { name: name.to_owned(), data_type, nullable: true }
}

pub fn example(data_type: DataType) -> Cell {
    match data_type {
        DataType::Bool => Cell::Bool(true),
        DataType::S64 | DataType::Timestamp => Cell::S64(1_700_000_000_000_000),
        DataType::F64 => Cell::F64(f64::NAN),
        DataType::F32 => Cell::F32(-0.5),
        DataType::Utf8 | DataType::Categorical => Cell::Text("Übung".into()),
        DataType::Binary => Cell::Bytes(vec![0, 255]),
    }
}

/// Some columns and up to 60 rows of cells.
pub fn columns() -> impl Strategy<Value = (Schema, Vec<Vec<Cell>>)> {
    let fields = prop::collection::vec((select(TYPES.to_vec()), any::<bool>()), 1..6);
    fields.prop_flat_map(|fields| {
        let cells: Vec<_> = fields.iter().map(|(data_type, nullable)| cell(*data_type, *nullable)).collect();
        let field = |(index, (data_type, nullable))| Field { name: format!("c{index}"), data_type, nullable };
        let schema = Schema::new(fields.into_iter().enumerate().map(field).collect()).unwrap();
        (Just(schema), prop::collection::vec(cells, 0..60))
    })
}

fn cell(data_type: DataType, nullable: bool) -> BoxedStrategy<Cell> {
    let value = match data_type {
        DataType::Bool => any::<bool>().prop_map(Cell::Bool).boxed(),
        DataType::S64 | DataType::Timestamp => any::<i64>().prop_map(Cell::S64).boxed(),
        DataType::F64 => prop_oneof![any::<f64>(), Just(f64::NAN), Just(-0.0)].prop_map(Cell::F64).boxed(),
        DataType::F32 => prop_oneof![any::<f32>(), Just(f32::NAN)].prop_map(Cell::F32).boxed(),
        DataType::Utf8 => "\\PC{0,6}".prop_map(Cell::Text).boxed(),
        DataType::Binary => prop::collection::vec(any::<u8>(), 0..6).prop_map(Cell::Bytes).boxed(),
        DataType::Categorical => "[a-cß]{0,2}".prop_map(Cell::Text).boxed(),
    };
    if nullable { prop_oneof![1 => Just(Cell::Null), 3 => value].boxed() } else { value }
}

/// The rows in the contract's layout.
pub fn wire(schema: &Schema, rows: &[Vec<Cell>], layout: &Layout) -> Batch {
    let column = |(index, field): (usize, &Field)| {
        let cells: Vec<&Cell> = rows.iter().map(|row| &row[index]).collect();
        wire_column(field.data_type, &cells, layout)
    };
    Batch { num_rows: rows.len() as u64, columns: schema.fields.iter().enumerate().map(column).collect() }
}

fn wire_column(data_type: DataType, cells: &[&Cell], layout: &Layout) -> Column {
    let is_null = |cell: &&Cell| matches!(cell, Cell::Null);
    let mut column = Column::default();
    if cells.iter().any(is_null) || layout.spare_validity {
        column.validity = Some(bits(cells.iter().map(|cell| !is_null(cell))));
    }
    let shuffled = layout.shuffle_texts && data_type == DataType::Categorical;
    let mut texts = Texts::new(if shuffled { cells } else { &[] });
    let mut ends = vec![0];
    let mut flags = Vec::new();
    for cell in cells {
        match (cell, layout.garbage_under_nulls) {
            (Cell::Null, garbage) => match data_type.width() {
                Some(width) => column.values.extend(vec![if garbage { 0xa7 } else { 0 }; width]),
                None if data_type == DataType::Bool => flags.push(garbage),
                None => column.values.extend_from_slice(if garbage { b"null" } else { b"" }),
            },
            (Cell::Bool(value), _) => flags.push(*value),
            (Cell::S64(value), _) => column.values.extend(value.to_le_bytes()),
            (Cell::F64(value), _) if value.is_nan() => {
                column.values.extend((value.to_bits() | u64::from(layout.nan_payload) << 20).to_le_bytes());
            }
            (Cell::F64(value), _) => column.values.extend(value.to_le_bytes()),
            (Cell::F32(value), _) if value.is_nan() => {
                column.values.extend((value.to_bits() | layout.nan_payload >> 1).to_le_bytes());
            }
            (Cell::F32(value), _) => column.values.extend(value.to_le_bytes()),
            (Cell::Text(text), _) if data_type == DataType::Categorical => {
                column.values.extend(texts.code(text).to_le_bytes());
            }
            (Cell::Text(text), _) => column.values.extend(text.as_bytes()),
            (Cell::Bytes(bytes), _) => column.values.extend(bytes),
        }
        ends.push(column.values.len() as i32);
    }
    match data_type {
        DataType::Bool => column.values = bits(flags.into_iter()),
        DataType::Utf8 | DataType::Binary => {
            column.offsets = Some(ends.iter().flat_map(|end| end.to_le_bytes()).collect())
        }
        DataType::Categorical => column.dictionary = Some(texts.dictionary()),
        _ => {}
    }
    column
}

struct Texts(Vec<String>);

impl Texts {
    /// Starts with the texts of `cells`, the last first, and one that no row shows.
    fn new(cells: &[&Cell]) -> Self {
        let mut texts = Texts(vec!["no row shows this".to_owned()]);
        for cell in cells.iter().rev() {
            if let Cell::Text(text) = cell {
                texts.code(text);
            }
        }
        texts
    }

    fn code(&mut self, text: &str) -> i32 {
        let known = self.0.iter().position(|known| known == text);
        known.unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        }) as i32
    }

    fn dictionary(&self) -> Dictionary {
        let ends = (0..=self.0.len()).map(|count| self.0[..count].iter().map(String::len).sum::<usize>() as i32);
        Dictionary { offsets: ends.flat_map(i32::to_le_bytes).collect(), values: self.0.concat().into_bytes() }
    }
}

fn bits(values: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
    let mut bytes = vec![0; values.len().div_ceil(8)];
    for (row, value) in values.enumerate() {
        bytes[row / 8] |= u8::from(value) << (row % 8);
    }
    bytes
}

/// All rows of a table, read in one batch after the other.
pub fn rows_of(table: &Table) -> Vec<Vec<Cell>> {
    let columns: Vec<u32> = (0..table.schema().fields.len() as u32).collect();
    let mut rows = Vec::new();
    while (rows.len() as u64) < table.num_rows() {
        let batch = table.read(&columns, rows.len() as u64, u64::MAX).unwrap();
        assert!(batch.num_rows > 0);
        rows.extend(cells(&table.schema().fields, &batch));
    }
    rows
}

/// A batch as rows; checks that it has the one layout that tables give.
pub fn cells(fields: &[Field], batch: &Batch) -> Vec<Vec<Cell>> {
    let columns: Vec<Vec<Cell>> =
        fields.iter().zip(&batch.columns).map(|(field, column)| column_cells(field, column, batch.num_rows)).collect();
    (0..batch.num_rows as usize).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

fn column_cells(field: &Field, column: &Column, rows: u64) -> Vec<Cell> {
    let rows = rows as usize;
    let offsets = |bytes: &[u8]| bytes.chunks(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect::<Vec<_>>();
    let slices = |ends: &[u8], values: &[u8]| -> Vec<Vec<u8>> {
        offsets(ends).windows(2).map(|pair| values[pair[0] as usize..pair[1] as usize].to_vec()).collect()
    };
    let text = |bytes: &[u8]| Cell::Text(String::from_utf8(bytes.to_vec()).unwrap());
    let bit = |bytes: &[u8], row: usize| bytes[row / 8] >> (row % 8) & 1 == 1;
    let tail_is_zero = |bytes: &[u8]| rows.is_multiple_of(8) || bytes.last().is_none_or(|last| last >> (rows % 8) == 0);

    let mut cells: Vec<Cell> = match field.data_type {
        DataType::Bool => {
            assert!(column.values.len() == rows.div_ceil(8) && tail_is_zero(&column.values));
            (0..rows).map(|row| Cell::Bool(bit(&column.values, row))).collect()
        }
        DataType::S64 | DataType::Timestamp => {
            column.values.chunks(8).map(|b| Cell::S64(i64::from_le_bytes(b.try_into().unwrap()))).collect()
        }
        DataType::F64 => {
            column.values.chunks(8).map(|b| Cell::F64(f64::from_le_bytes(b.try_into().unwrap()))).collect()
        }
        DataType::F32 => {
            column.values.chunks(4).map(|b| Cell::F32(f32::from_le_bytes(b.try_into().unwrap()))).collect()
        }
        DataType::Utf8 => {
            slices(column.offsets.as_ref().unwrap(), &column.values).iter().map(|bytes| text(bytes)).collect()
        }
        DataType::Binary => {
            slices(column.offsets.as_ref().unwrap(), &column.values).into_iter().map(Cell::Bytes).collect()
        }
        DataType::Categorical => {
            let dictionary = column.dictionary.as_ref().unwrap();
            let texts = slices(&dictionary.offsets, &dictionary.values);
            let code = |code: i32| texts.get(code as usize).map_or(Cell::Null, |bytes| text(bytes));
            offsets(&column.values).into_iter().map(code).collect()
        }
    };
    assert_eq!(cells.len(), rows);
    if let Some(validity) = &column.validity {
        assert!(validity.len() == rows.div_ceil(8) && tail_is_zero(validity));
        let nulls: Vec<usize> = (0..rows).filter(|row| !bit(validity, *row)).collect();
        assert!(!nulls.is_empty(), "validity without a null");
        nulls.into_iter().for_each(|row| cells[row] = Cell::Null);
    }
    cells
}
