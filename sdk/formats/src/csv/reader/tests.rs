//! Tests of the reader at its door.

use super::*;
use crate::source::Sources;

const DIALECT: Dialect = Dialect { delimiter: b',', quote: Some(b'"') };

/// Gives so many bytes at a time at the most, as a source may.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = into.len().min(self.0.len()).min(self.1);
        let (now, later) = self.0.split_at(count);
        into[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// Rows as lists of values.
type Rows = Vec<Vec<String>>;

/// Bad rows as line and reason.
type BadRows = Vec<(u64, String)>;

fn read(bytes: &[u8]) -> Result<(Rows, BadRows)> {
    read_by(bytes, usize::MAX)
}

fn read_by(bytes: &[u8], max_rows: usize) -> Result<(Rows, BadRows)> {
    read_in_chunks(bytes, max_rows, CHUNK_BYTES, 1)
}

fn read_in_chunks(bytes: &[u8], max_rows: usize, chunk: usize, step: usize) -> Result<(Rows, BadRows)> {
    let sources = Sources::memory("a.csv", "path", Vec::new());
    let mut reader = Reader::with_chunks(Trickle(bytes, step), &sources.inputs[0], DIALECT, chunk)?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_rows(max_rows)? {
        for row in block.grid.cells.chunks(block.width) {
            rows.push(row.iter().map(|&cell| block.text(cell).into_owned()).collect());
        }
        bad.extend(block.grid.bad.iter().map(|bad| (bad.line, bad.reason.clone())));
    }
    Ok((rows, bad))
}

fn rows(text: &str) -> Rows {
    let whole = read(text.as_bytes()).unwrap();
    assert_eq!(whole.1, [], "{text:?}");
    assert_eq!(read_by(text.as_bytes(), 1).unwrap(), whole, "{text:?} row by row");
    whole.0
}

#[test]
fn cuts_rows_whatever_their_ends() {
    let expected = [["a", "b"], ["1", ""], ["", "2"]];
    for text in ["a,b\n1,\n,2\n", "a,b\r\n1,\r\n,2\r\n", "a,b\n1,\n,2", "\u{feff}a,b\n\n1,\n\r\n\n,2\n\n"] {
        assert_eq!(rows(text), expected, "{text:?}");
    }
    assert_eq!(rows("a,b\n1,"), [["a", "b"], ["1", ""]]);
    assert_eq!(rows(""), Rows::new());
    assert_eq!(rows("\n\r\n"), Rows::new());
}

#[test]
fn quotes() {
    assert_eq!(rows("\"a,b\",\"c\nd\"\r\n\"\",\"x\"\"y\"\r\n"), [["a,b", "c\nd"], ["", "x\"y"]]);
    assert_eq!(rows("5\" pipe,a\"b\"\n"), [["5\" pipe", "a\"b\""]]);
    assert_eq!(rows("\"\"\n"), [[""]], "a quoted empty cell is no blank line");
    assert_eq!(rows("\"\"\"\",\"\"\"\"\"\""), [["\"", "\"\""]]);
}

#[test]
fn bad_rows_have_their_line() {
    let text = "a,b\n1\n\"x\ny\",2\n1,2,3\n\"x\"y,2\n3,4\n";
    let (rows, bad) = read(text.as_bytes()).unwrap();
    assert_eq!(rows, [["a", "b"], ["x\ny", "2"], ["3", "4"]]);
    let cells = |count: &str| format!("{count} where the first row has 2");
    assert_eq!(bad, [(2, cells("1 cell")), (5, cells("3 cells")), (6, "text after a closing quote".to_owned())]);
}

#[test]
fn rows_that_are_not_utf8_are_bad() {
    let (rows, bad) = read(b"a,b\n\xff,1\n\xc3\xa9,2\n3,\xc3\n\xfe\n4,5").unwrap();
    assert_eq!(rows, [["a", "b"], ["é", "2"], ["4", "5"]]);
    assert_eq!(bad.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(bad[0].1, "bytes that are not UTF-8");
}

#[test]
fn an_open_quote_is_an_error_with_its_line() {
    for text in ["a,b\n1,2\n3,\"x\n\n", "a,b\n1,2\n3,\"x\"\"\n4,5"] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(error.message.starts_with("`a.csv` has a quote that opens on line 3 and is never closed"), "{error}");
    }
    let error = read(b"a,\"b\nc\",\"d\n").unwrap_err();
    assert!(error.message.contains("opens on line 2"), "{error}");
}

#[test]
fn rows_may_be_longer_than_a_chunk() {
    let long = "x".repeat(3 * CHUNK_BYTES);
    let text = format!("a,b\n1,\"{long}\"\n{}2,3\n", "\n".repeat(2 * CHUNK_BYTES));
    let sources = Sources::memory("a.csv", "path", Vec::new());
    let mut reader = Reader::new(text.as_bytes(), &sources.inputs[0], DIALECT).unwrap();
    let mut lengths = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        lengths.extend(block.column(1).map(|cell| block.raw(cell).len()));
    }
    assert_eq!(lengths, [1, long.len(), 1]);
    assert!(reader.buffer.len() <= 8 * CHUNK_BYTES);

    let endless = format!("a\n\"{}", "xxxxx,\n".repeat(MAX_ROW_BYTES / 3));
    let mut reader = Reader::new(endless.as_bytes(), &sources.inputs[0], DIALECT).unwrap();
    let error =
        std::iter::from_fn(|| reader.next_block().map(|block| block.map(drop)).transpose()).find_map(Result::err);
    assert!(error.unwrap().message.contains("line 2 that is longer than 16 MiB"));
}

proptest::proptest! {
    /// Where chunks end changes nothing, and the quick way sees what the slow one sees, row by row.
    #[test]
    fn chunks_do_not_matter(
        text in "([a,\"\r\n1é ]|1,2\n|\"x\",3\r\n){0,60}",
        chunk in 1..70_usize,
        step in 1..40_usize,
    ) {
        let whole = read_in_chunks(text.as_bytes(), usize::MAX, CHUNK_BYTES, usize::MAX);
        proptest::prop_assert_eq!(&read_in_chunks(text.as_bytes(), usize::MAX, chunk, step), &whole);
        proptest::prop_assert_eq!(&read_in_chunks(text.as_bytes(), 1, chunk, step), &whole);
    }
}
