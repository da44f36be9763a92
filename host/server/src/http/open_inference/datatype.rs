//! The protocol's datatypes, and how their elements lie in binary tensors.

use wasmlops_core::table::DataType;

use crate::http::codec::Cell;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Datatype {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    /// The upper half of a 32-bit float, as Triton has it.
    BF16,
    F32,
    F64,
    Bytes,
}

const NAMES: [(Datatype, &str); 14] = [
    (Datatype::Bool, "BOOL"),
    (Datatype::U8, "UINT8"),
    (Datatype::U16, "UINT16"),
    (Datatype::U32, "UINT32"),
    (Datatype::U64, "UINT64"),
    (Datatype::I8, "INT8"),
    (Datatype::I16, "INT16"),
    (Datatype::I32, "INT32"),
    (Datatype::I64, "INT64"),
    (Datatype::F16, "FP16"),
    (Datatype::BF16, "BF16"),
    (Datatype::F32, "FP32"),
    (Datatype::F64, "FP64"),
    (Datatype::Bytes, "BYTES"),
];

impl Datatype {
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(datatype, _)| *datatype)
    }

    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(datatype, _)| *datatype == self).map_or("", |(_, name)| name)
    }

    /// The datatype of a column, as metadata and answers name it.
    pub fn name_of(data_type: DataType) -> &'static str {
        match data_type {
            DataType::Bool => "BOOL",
            DataType::S64 | DataType::Timestamp => "INT64",
            DataType::F64 => "FP64",
            DataType::F32 => "FP32",
            DataType::Utf8 | DataType::Binary | DataType::Categorical => "BYTES",
        }
    }

    /// Whether elements of this type may be a column's values; whether each one fits is another question.
    pub fn suits(self, data_type: DataType) -> bool {
        match data_type {
            DataType::Bool => self == Self::Bool,
            DataType::Utf8 | DataType::Binary | DataType::Categorical => self == Self::Bytes,
            DataType::S64 | DataType::F64 | DataType::F32 | DataType::Timestamp => self.is_number(),
        }
    }

    pub fn is_number(self) -> bool {
        !matches!(self, Self::Bool | Self::Bytes)
    }

    /// Bytes of an element; `None` for `BYTES`, whose elements say their own length.
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Bool | Self::U8 | Self::I8 => Some(1),
            Self::U16 | Self::I16 | Self::F16 | Self::BF16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Bytes => None,
        }
    }

    /// An element of fixed width out of its little-endian bytes; `None` for a BOOL that is neither 0 nor 1 and for
    /// bytes of another width.
    pub fn element(self, bytes: &[u8]) -> Option<Cell<'static>> {
        Some(match self {
            Self::Bool => match bytes {
                [0] => Cell::Bool(false),
                [1] => Cell::Bool(true),
                _ => return None,
            },
            Self::U8 => Cell::Int(u8::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::U16 => Cell::Int(u16::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::U32 => Cell::Int(u32::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::U64 => whole(u64::from_le_bytes(bytes.try_into().ok()?)),
            Self::I8 => Cell::Int(i8::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::I16 => Cell::Int(i16::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::I32 => Cell::Int(i32::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::I64 => Cell::Int(i64::from_le_bytes(bytes.try_into().ok()?)),
            Self::F16 => Cell::Float(half(u16::from_le_bytes(bytes.try_into().ok()?))),
            Self::BF16 => {
                let upper = u32::from(u16::from_le_bytes(bytes.try_into().ok()?));
                Cell::Float(f32::from_bits(upper << 16).into())
            }
            Self::F32 => Cell::Float(f32::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::F64 => Cell::Float(f64::from_le_bytes(bytes.try_into().ok()?)),
            Self::Bytes => return None,
        })
    }

    /// A JSON number as an element of this type: a whole number in range, or the nearest float of its width. `None` if
    /// there is none.
    pub fn number(self, cell: Cell<'_>) -> Option<Cell<'static>> {
        let range = match self {
            Self::U8 => 0..=i128::from(u8::MAX),
            Self::U16 => 0..=i128::from(u16::MAX),
            Self::U32 => 0..=i128::from(u32::MAX),
            Self::U64 => 0..=i128::from(u64::MAX),
            Self::I8 => i128::from(i8::MIN)..=i128::from(i8::MAX),
            Self::I16 => i128::from(i16::MIN)..=i128::from(i16::MAX),
            Self::I32 => i128::from(i32::MIN)..=i128::from(i32::MAX),
            Self::I64 => i128::from(i64::MIN)..=i128::from(i64::MAX),
            Self::F64 | Self::F32 | Self::F16 | Self::BF16 => return self.float(cell).map(Cell::Float),
            Self::Bool | Self::Bytes => return None,
        };
        match cell {
            Cell::Int(value) if range.contains(&i128::from(value)) => Some(Cell::Int(value)),
            Cell::Big(value) if range.contains(&i128::from(value)) => Some(Cell::Big(value)),
            _ => None,
        }
    }

    fn float(self, cell: Cell<'_>) -> Option<f64> {
        let (value, exact) = match cell {
            Cell::Float(value) => (value, true),
            Cell::Int(value) => (value as f64, (value as f64) as i128 == i128::from(value)),
            Cell::Big(value) => (value as f64, (value as f64) as u128 == u128::from(value)),
            _ => return None,
        };
        let value = match self {
            Self::F32 => f64::from(value as f32),
            // 16 bits are sent as binary tensors; JSON numbers within their range are taken as they are.
            Self::F16 if value.abs() > 65_504.0 => return None,
            _ => value,
        };
        // A whole number that a float cannot hold is not what the client meant to say.
        (value.is_finite() && exact).then_some(value)
    }
}

fn whole(value: u64) -> Cell<'static> {
    i64::try_from(value).map_or(Cell::Big(value), Cell::Int)
}

/// IEEE 754 binary16: one sign bit, five of exponent, ten of fraction.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 0x1f {
        0 => fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(i32::from(exponent) - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}
