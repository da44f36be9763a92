//! The first rows of a table for a terminal.

use wasmlops_core::table::{DataType, Table};

use super::text::Cells;

/// Characters of a cell that are shown; longer ones end in `…`.
const CELL_CHARACTERS: usize = 32;

/// Columns that are shown; more are counted in the last line.
const COLUMNS: usize = 12;

/// Names, types and the first `rows` rows as aligned text: numbers to the right, text to the left, `null` for nulls,
/// and a last line that says how much there is. Control characters are neutralised, so that no cell can command a
/// terminal.
pub fn preview(table: &Table, rows: usize) -> String {
    let fields = &table.schema().fields;
    let shown = rows.min(table.num_rows() as usize);
    let columns: Vec<Column> = (0..fields.len().min(COLUMNS)).map(|index| Column::of(table, index, shown)).collect();
    let mut text = String::new();
    if !columns.is_empty() {
        for line in 0..shown + 2 {
            let cells: Vec<String> = columns.iter().map(|column| column.line(line)).collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
    }
    let more = |shown: usize, all: u64, what: &str| match shown as u64 == all {
        true => format!("{all} {what}"),
        false => format!("{all} {what} ({shown} shown, …)"),
    };
    let (rows, columns) = (more(shown, table.num_rows(), "rows"), more(columns.len(), fields.len() as u64, "columns"));
    text + &format!("{rows}, {columns}\n")
}

/// A column's lines: name, type, cells.
struct Column {
    lines: Vec<String>,
    width: usize,
    to_the_right: bool,
}

impl Column {
    fn of(table: &Table, index: usize, rows: usize) -> Self {
        let field = &table.schema().fields[index];
        let mut lines = vec![shown(&field.name), field.data_type.to_string()];
        let mut cell = String::new();
        for batch in table.record_batches() {
            let cells = Cells::of(batch, index, field.data_type);
            for row in 0..batch.num_rows().min(rows + 2 - lines.len()) {
                let is_value = cells.write(row, &mut cell);
                lines.push(if is_value { shown(&cell) } else { "null".to_owned() });
            }
        }
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let to_the_right = matches!(field.data_type, DataType::S64 | DataType::F64 | DataType::F32);
        Self { lines, width, to_the_right }
    }

    fn line(&self, index: usize) -> String {
        let (line, width) = (&self.lines[index], self.width);
        if self.to_the_right { format!("{line:>width$}") } else { format!("{line:<width$}") }
    }
}

/// Cut to what is shown of a cell, without characters that a terminal obeys or that change the direction of text.
fn shown(text: &str) -> String {
    let mut characters = text.chars().map(|character| if is_obeyed(character) { '\u{fffd}' } else { character });
    let mut shown: String = characters.by_ref().take(CELL_CHARACTERS).collect();
    if characters.next().is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

fn is_obeyed(character: char) -> bool {
    let bidirectional =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || bidirectional
}
