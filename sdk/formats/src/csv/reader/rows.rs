//! The state machine: from marks to rows.

use super::super::block::{Cell, Grid};
use super::super::dialect::Dialect;
use super::super::scan::{CHUNK, Marks, Needles};
use crate::problems::BadRow;

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
    let needles = Needles::new(task.dialect);
    while grid.lines.len() < task.max_rows && grid.cells.len() < task.max_cells {
        if grid.end == bytes.len() {
            return if task.ended { Stop::EndOfFile } else { Stop::EndOfBytes };
        }
        if bytes[grid.end] == b'\n' {
            // A blank line is no row; a file may hold nothing else.
            grid.end += 1;
            *line += 1;
            continue;
        }
        if let Some(width) = *width
            && task.max_rows == usize::MAX
            && plain_rows(task, needles, width, line, grid)
        {
            continue;
        }
        let mut row = Row { first_cell: grid.cells.len(), lines: 1, defect: None };
        let mut marks = Marks::new(bytes, grid.end, needles);
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

/// Takes rows from `grid.end` as long as they are what most rows are: no quotes, the right number of cells. The first
/// other one is left to the slow way. Says whether it took any.
fn plain_rows(task: &Task, needles: Needles, width: usize, line: &mut u64, grid: &mut Grid) -> bool {
    let bytes = task.bytes;
    let begin = grid.end;
    let (mut start, mut base) = (begin, begin);
    let mut first_cell = grid.cells.len();
    'chunks: while base < bytes.len() {
        let found = needles.find(bytes, base);
        let mut marks = found.marks;
        if found.quotes != 0 {
            // Those before the first quote.
            marks &= (found.quotes & found.quotes.wrapping_neg()) - 1;
        }
        // So that there is room for all of a chunk's cells below.
        grid.cells.reserve(CHUNK);
        while marks != 0 {
            let bit = marks.trailing_zeros();
            let mark = base + bit as usize;
            marks &= marks - 1;
            push_within(&mut grid.cells, Cell::plain(start, mark));
            start = mark + 1;
            if found.line_ends >> bit & 1 == 0 {
                continue;
            }
            if grid.cells.len() - first_cell != width {
                break 'chunks;
            }
            let last = &mut grid.cells[first_cell + width - 1];
            *last = last.without_carriage_return(bytes);
            if width == 1 && last.start() == last.end() {
                break 'chunks;
            }
            grid.lines.push(*line);
            *line += 1;
            grid.end = start;
            first_cell = grid.cells.len();
            if first_cell >= task.max_cells {
                break 'chunks;
            }
        }
        if found.quotes != 0 {
            break;
        }
        base += CHUNK;
    }
    grid.cells.truncate(first_cell);
    grid.end > begin
}

/// Pushes where there is room for one more: without a way into growing, the loop around it stays in registers.
#[inline]
fn push_within(cells: &mut Vec<Cell>, cell: Cell) {
    let length = cells.len();
    assert!(length < cells.capacity());
    // SAFETY: the place behind the last cell is inside the capacity, and written before it counts.
    unsafe {
        cells.as_mut_ptr().add(length).write(cell);
        cells.set_len(length + 1);
    }
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
