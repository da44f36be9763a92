//! From the bytes of an Arrow IPC file to a table. Arrow's own reader panics on some malformed files, so only its
//! generated (and verified) flatbuffer types are used here.

mod body;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, PrimitiveArray, RecordBatch, StringArray,
};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_ipc::{self as ipc, Block, Precision, TimeUnit};

use self::body::{Body, Buffers};
use super::canonical;
use crate::table::{CHUNK_ROWS, DataType, Field, Rows, Schema, Table, TableError};

const MAGIC: &[u8] = b"ARROW1";

pub(super) fn table(file: &Buffer) -> Result<Table, TableError> {
    let footer = footer(file)?;
    let columns = columns(&footer)?;
    let schema = Schema::new(columns.iter().map(|column| column.field.clone()).collect())?;
    let arrow_schema = schema.to_arrow();

    let texts = dictionaries(file, &footer)?;
    let texts_of = |column: &IpcColumn| {
        let dictionary = column.dictionary.map(|id| texts.get(&id).cloned());
        dictionary.map(|texts| texts.unwrap_or_else(|| StringArray::new_null(0)))
    };
    let dictionaries: Vec<Option<StringArray>> = columns.iter().map(texts_of).collect();

    let blocks: Vec<&Block> = footer.recordBatches().into_iter().flatten().collect();
    let mut reader = ChunkReader {
        texts: dictionaries.iter().map(|texts| texts.clone().map(|texts| Arc::new(texts) as ArrayRef)).collect(),
        codes: columns.iter().map(|_| canonical::Codes::default()).collect(),
        schema: &schema,
    };
    let mut chunks = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        let (rows, arrays) = reader.chunk(&Body::of(file, block)?)?;
        let is_last = index + 1 == blocks.len();
        if rows == 0 || rows > CHUNK_ROWS || (!is_last && rows != CHUNK_ROWS) {
            let rule = format!("tables have {CHUNK_ROWS} in each but the last");
            return Err(malformed(format!("record batch {index} has {rows} rows, and {rule}")));
        }
        let chunk = RecordBatch::try_new(arrow_schema.clone(), arrays);
        chunks.push(chunk.map_err(|error| malformed(error.to_string()))?);
    }
    reader.check_texts(&dictionaries)?;
    let num_rows = chunks.iter().map(RecordBatch::num_rows).sum();
    Ok(Table(Arc::new(Rows { schema, arrow_schema, chunks, dictionaries, num_rows })))
}

fn malformed(reason: impl Into<String>) -> TableError {
    TableError::Ipc { reason: reason.into() }
}

fn wrong(column: &str, reason: impl Into<String>) -> TableError {
    TableError::IpcColumn { column: column.to_owned(), reason: reason.into() }
}

fn footer(file: &[u8]) -> Result<ipc::Footer<'_>, TableError> {
    let length = file
        .strip_prefix(MAGIC)
        .and_then(|file| file.strip_suffix(MAGIC))
        .and_then(|file| file.last_chunk())
        .ok_or_else(|| malformed("it is not an Arrow IPC file"))?;
    let end = file.len() - MAGIC.len() - length.len();
    let start = usize::try_from(i32::from_le_bytes(*length)).ok().and_then(|length| end.checked_sub(length));
    let footer = &file[start.ok_or_else(|| malformed("its footer is longer than the file"))?..end];
    ipc::root_as_footer(footer).map_err(|error| malformed(format!("its footer is malformed: {error}")))
}

/// A field and where its texts are, for categorical columns.
struct IpcColumn {
    field: Field,
    dictionary: Option<i64>,
}

fn columns(footer: &ipc::Footer) -> Result<Vec<IpcColumn>, TableError> {
    let fields = footer.schema().and_then(|schema| schema.fields()).ok_or_else(|| malformed("it has no schema"))?;
    let column = |field: ipc::Field| {
        let name = field.name().unwrap_or_default().to_owned();
        let Some(data_type) = data_type(field) else {
            let found = field.type_type();
            return Err(wrong(&name, format!("has the Arrow type `{found:?}` in a form that tables do not use")));
        };
        let dictionary = field.dictionary().map(|dictionary| dictionary.id());
        Ok(IpcColumn { field: Field { name, data_type, nullable: field.nullable() }, dictionary })
    };
    fields.iter().map(column).collect()
}

fn data_type(field: ipc::Field) -> Option<DataType> {
    if let Some(dictionary) = field.dictionary() {
        let index = dictionary.indexType()?;
        let is_ours = index.bitWidth() == 32 && index.is_signed() && field.type_type() == ipc::Type::Utf8;
        return is_ours.then_some(DataType::Categorical);
    }
    match field.type_type() {
        ipc::Type::Bool => Some(DataType::Bool),
        ipc::Type::Int => {
            let int = field.type_as_int()?;
            (int.bitWidth() == 64 && int.is_signed()).then_some(DataType::S64)
        }
        ipc::Type::FloatingPoint => match field.type_as_floating_point()?.precision() {
            Precision::DOUBLE => Some(DataType::F64),
            Precision::SINGLE => Some(DataType::F32),
            _ => None,
        },
        ipc::Type::Utf8 => Some(DataType::Utf8),
        ipc::Type::Binary => Some(DataType::Binary),
        ipc::Type::Timestamp => {
            let timestamp = field.type_as_timestamp()?;
            let is_ours = timestamp.unit() == TimeUnit::MICROSECOND && timestamp.timezone() == Some("UTC");
            is_ours.then_some(DataType::Timestamp)
        }
        _ => None,
    }
}

fn dictionaries(file: &Buffer, footer: &ipc::Footer) -> Result<HashMap<i64, StringArray>, TableError> {
    let mut dictionaries = HashMap::new();
    for block in footer.dictionaries().into_iter().flatten() {
        let body = Body::of(file, block)?;
        let batch = body.message.header_as_dictionary_batch();
        let batch = batch.ok_or_else(|| malformed("a dictionary block holds no dictionary"))?;
        let rows = batch.data().ok_or_else(|| malformed("a dictionary has no data"))?;
        let name = format!("dictionary {}", batch.id());
        let mut buffers = Buffers::of(&body, rows)?;
        let (count, nulls) = buffers.node(&name)?;
        let (offsets, values) = buffers.bytes(&name, count, None)?;
        let texts = StringArray::try_new(offsets, values, None).map_err(|error| wrong(&name, error.to_string()))?;
        if batch.isDelta() || nulls.is_some() || dictionaries.insert(batch.id(), texts).is_some() {
            return Err(wrong(&name, "comes in parts or holds nulls"));
        }
    }
    Ok(dictionaries)
}

/// Reads one chunk after the other.
struct ChunkReader<'a> {
    schema: &'a Schema,
    /// For each categorical column its texts, and what its codes were so far.
    texts: Vec<Option<ArrayRef>>,
    codes: Vec<canonical::Codes>,
}

impl ChunkReader<'_> {
    fn chunk(&mut self, body: &Body) -> Result<(usize, Vec<ArrayRef>), TableError> {
        let batch = body.message.header_as_record_batch();
        let batch = batch.ok_or_else(|| malformed("a record block holds no rows"))?;
        let rows = usize::try_from(batch.length()).map_err(|_| malformed("a record batch has a negative length"))?;
        let mut buffers = Buffers::of(body, batch)?;
        let schema = self.schema;
        let column = |(index, field)| self.column(index, field, rows, &mut buffers);
        let arrays = schema.fields.iter().enumerate().map(column).collect::<Result<_, _>>()?;
        Ok((rows, arrays))
    }

    fn column(
        &mut self,
        index: usize,
        field: &Field,
        rows: usize,
        buffers: &mut Buffers,
    ) -> Result<ArrayRef, TableError> {
        let name = field.name.as_str();
        let (length, nulls) = buffers.node(name)?;
        if length != rows {
            return Err(wrong(name, format!("has {length} rows in a batch of {rows}")));
        }
        if let (false, Some(row)) = (field.nullable, canonical::null_rows(nulls.as_ref()).next()) {
            return Err(TableError::Null { column: name.to_owned(), row });
        }
        let arrow = |error: arrow_schema::ArrowError| wrong(name, error.to_string());
        Ok(match field.data_type {
            DataType::Bool => Arc::new(BooleanArray::new(buffers.bits(name, rows, nulls.as_ref())?, nulls)),
            DataType::S64 => Arc::new(numbers::<Int64Type>(name, buffers, rows, nulls)?),
            DataType::F64 => {
                let array = numbers::<Float64Type>(name, buffers, rows, nulls)?;
                canonical_nans(name, canonical::one_nan_f64(array.values()))?;
                Arc::new(array)
            }
            DataType::F32 => {
                let array = numbers::<Float32Type>(name, buffers, rows, nulls)?;
                canonical_nans(name, canonical::one_nan_f32(array.values()))?;
                Arc::new(array)
            }
            DataType::Timestamp => {
                Arc::new(numbers::<TimestampMicrosecondType>(name, buffers, rows, nulls)?.with_timezone("UTC"))
            }
            DataType::Utf8 => {
                let (offsets, values) = buffers.bytes(name, rows, nulls.as_ref())?;
                Arc::new(StringArray::try_new(offsets, values, nulls).map_err(arrow)?)
            }
            DataType::Binary => {
                let (offsets, values) = buffers.bytes(name, rows, nulls.as_ref())?;
                Arc::new(BinaryArray::try_new(offsets, values, nulls).map_err(arrow)?)
            }
            DataType::Categorical => {
                let codes = numbers::<Int32Type>(name, buffers, rows, nulls)?;
                if !self.codes[index].follow(codes.values(), codes.nulls()) {
                    return Err(wrong(name, "has codes that are not in the order in which rows show them"));
                }
                let texts = self.texts[index].clone().expect("each categorical column has texts");
                Arc::new(DictionaryArray::try_new(codes, texts).map_err(arrow)?)
            }
        })
    }

    /// After the last chunk: the dictionaries hold what the rows show, each text once.
    fn check_texts(&self, dictionaries: &[Option<StringArray>]) -> Result<(), TableError> {
        for ((field, codes), texts) in self.schema.fields.iter().zip(&self.codes).zip(dictionaries) {
            let Some(texts) = texts else { continue };
            let mut seen = HashSet::with_capacity(texts.len());
            if codes.count() != texts.len() || !texts.iter().all(|text| seen.insert(text)) {
                return Err(wrong(&field.name, "has a text in its dictionary twice, or one that no row shows"));
            }
        }
        Ok(())
    }
}

fn numbers<T: ArrowPrimitiveType>(
    column: &str,
    buffers: &mut Buffers,
    rows: usize,
    nulls: Option<NullBuffer>,
) -> Result<PrimitiveArray<T>, TableError> {
    let values = buffers.numbers::<T::Native>(column, rows)?;
    if !canonical::zero_nulls(values.inner(), size_of::<T::Native>(), nulls.as_ref()) {
        return Err(wrong(column, "has values under its nulls"));
    }
    PrimitiveArray::try_new(values, nulls).map_err(|error| wrong(column, error.to_string()))
}

fn canonical_nans(column: &str, good: bool) -> Result<(), TableError> {
    if good { Ok(()) } else { Err(wrong(column, "has NaNs of several bit patterns")) }
}
