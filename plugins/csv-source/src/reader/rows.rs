//! The state machine: from marks to rows.

use crate::block::{BadRow, Cell, Grid};
use crate::dialect::Dialect;
use crate::scan::Marks;

/// Bytes to find rows in.
pub struct Task<'a> {
    pub bytes: &'a [u8],
    pub dialect: Dialect,
    /// Whether the file ends with these bytes.
    pub ended: bool,
    /// Rows are looked for until there are that many.
    pub max_rows: usize,
    /// Or that many cells.
    pub max_cells: usize,
}

/// Why no more rows were found.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    Enough,
    EndOfFile,
    /// The last row may go on in bytes that were not read yet.
    EndOfBytes,
    /// The file ends inside a quoted cell that begins on that line.
    OpenQuote {
        line: u64,
    },
}

/// What is known of the row being read.
struct Row {
    /// Where its cells are in the grid.
    first_cell: usize,
    /// Lines that it goes over, so far.
    lines: u64,
    defect: Option<&'static str>,
}

/// Fills `grid` with rows. `width` is said by the first row, `line` is where the next row begins.
pub fn find(task: &Task, width: &mut Option<usize>, line: &mut u64, grid: &mut Grid) -> Stop {
    let bytes = task.bytes;
    let mut marks = Marks::new(bytes, 0, task.dialect);
    while grid.lines.len() < task.max_rows && grid.cells.len() < task.max_cells {
        if grid.end == bytes.len() {
            return if task.ended { Stop::EndOfFile } else { Stop::EndOfBytes };
        }
        let mut row = Row { first_cell: grid.cells.len(), lines: 1, defect: None };
        match read_row(task, &mut marks, &mut row, grid) {
            Ok(end) => grid.end = end,
            Err(stop) => {
                grid.cells.truncate(row.first_cell);
                return match stop {
                    Stop::OpenQuote { line: line_in_row } => Stop::OpenQuote { line: *line + line_in_row },
                    stop => stop,
                };
            }
        }
        close_row(bytes, &row, width, *line, grid);
        *line += row.lines;
    }
    Stop::Enough
}

/// Pushes the cells of the row that begins at `grid.end`, and says where the next one begins.
#[inline]
fn read_row(task: &Task, marks: &mut Marks, row: &mut Row, grid: &mut Grid) -> Result<usize, Stop> {
    let bytes = task.bytes;
    let mut start = grid.end;
    loop {
        let mut mark = match marks.next() {
            Some(mark) => mark,
            None if task.ended => bytes.len(),
            None => return Err(Stop::EndOfBytes),
        };
        let mut cell = Cell::plain(start, mark);
        if bytes.get(mark).copied() == task.dialect.quote && mark < bytes.len() {
            if mark > start {
                // A quote in the midst of a cell is an ordinary character.
                continue;
            }
            (cell, mark) = quoted_cell(task, marks, mark, row)?;
        }
        grid.cells.push(cell);
        start = mark + 1;
        if bytes.get(mark) != Some(&task.dialect.delimiter) {
            return Ok(start.min(bytes.len()));
        }
    }
}

/// The row's cells are all there: keeps them, or says why not. A blank line is no row at all.
#[inline]
fn close_row(bytes: &[u8], row: &Row, width: &mut Option<usize>, line: u64, grid: &mut Grid) {
    if let Some(last) = grid.cells.last_mut() {
        *last = last.without_carriage_return(bytes);
    }
    let cells = grid.cells.len() - row.first_cell;
    let first = grid.cells[row.first_cell];
    if cells == 1 && !first.is_quoted() && first.start() == first.end() {
        grid.cells.truncate(row.first_cell);
        return;
    }
    let width = *width.get_or_insert(cells);
    let reason = match row.defect {
        Some(defect) => defect.to_owned(),
        None if cells != width => {
            let plural = if cells == 1 { "" } else { "s" };
            format!("{cells} cell{plural} where the first row has {width}")
        }
        None => {
            grid.lines.push(line);
            return;
        }
    };
    grid.cells.truncate(row.first_cell);
    grid.bad.push(BadRow { line, reason });
}

/// The cell whose quote opens at `open`, and the delimiter, line end or end of the file behind it.
fn quoted_cell(task: &Task, marks: &mut Marks, open: usize, row: &mut Row) -> Result<(Cell, usize), Stop> {
    let bytes = task.bytes;
    let quote = bytes[open];
    let no_close = if task.ended { Stop::OpenQuote { line: row.lines - 1 } } else { Stop::EndOfBytes };
    let mut doubled = false;
    let close = loop {
        let Some(mark) = marks.next() else { return Err(no_close) };
        if bytes[mark] == b'\n' {
            row.lines += 1;
        } else if bytes[mark] == quote {
            match bytes.get(mark + 1) {
                Some(&next) if next == quote => {
                    marks.next();
                    doubled = true;
                }
                None if !task.ended => return Err(Stop::EndOfBytes),
                _ => break mark,
            }
        }
    };
    loop {
        let mark = match marks.next() {
            Some(mark) if bytes[mark] == quote => continue,
            Some(mark) => mark,
            None if task.ended => bytes.len(),
            None => return Err(Stop::EndOfBytes),
        };
        let row_ends = bytes.get(mark) != Some(&task.dialect.delimiter);
        let between = &bytes[close + 1..mark];
        let line_end = between == b"\r" && row_ends;
        if !between.is_empty() && !line_end {
            row.defect = Some("text after a closing quote");
        }
        return Ok((Cell::quoted(open + 1, close, doubled), mark));
    }
}
