//! CSV as RFC 4180 says: comma, CRLF, and quotes where they are needed.
//!
//! Written by hand because a null (an empty field) and an empty text (`""`) must differ, which the `csv` crate's writer
//! decides for a whole file, not for a field.

use std::io::{self, Write};

use wasmlops_core::table::{DataType, Table};

use super::text::Cells;

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let fields = &table.schema().fields;
    let mut lines = String::with_capacity(BUFFER_BYTES + 4096);
    for (index, field) in fields.iter().enumerate() {
        separate(&mut lines, index);
        push_field(&mut lines, &field.name);
    }
    lines.push_str("\r\n");

    let mut cell = String::new();
    for batch in table.record_batches() {
        let columns: Vec<(Cells, bool)> = fields
            .iter()
            .enumerate()
            .map(|(index, field)| (Cells::of(batch, index, field.data_type), holds_text(field.data_type)))
            .collect();
        for row in 0..batch.num_rows() {
            for (index, (cells, holds_text)) in columns.iter().enumerate() {
                separate(&mut lines, index);
                match (cells.write(row, &mut cell), holds_text) {
                    (false, _) => {}
                    (true, true) => push_field(&mut lines, &cell),
                    (true, false) => lines.push_str(&cell),
                }
            }
            lines.push_str("\r\n");
            if lines.len() >= BUFFER_BYTES {
                out.write_all(lines.as_bytes())?;
                lines.clear();
            }
        }
    }
    out.write_all(lines.as_bytes())
}

/// Whether a cell may be empty or hold what needs quotes.
fn holds_text(data_type: DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Categorical | DataType::Binary)
}

fn separate(lines: &mut String, index: usize) {
    if index > 0 {
        lines.push(',');
    }
}

/// A text that is there: quoted if it is empty, holds a separator, or has white space at an end that readers strip.
fn push_field(lines: &mut String, text: &str) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    let plain = !text.is_empty() && text.trim() == text && !text.as_bytes().iter().any(special);
    if plain {
        return lines.push_str(text);
    }
    lines.push('"');
    lines.push_str(&text.replace('"', "\"\""));
    lines.push('"');
}
