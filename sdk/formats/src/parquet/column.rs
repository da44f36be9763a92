//! One column of a row group, read a few rows at a time: pages, levels, values.

use std::cell::Cell;
use std::rc::Rc;

use super::fault::{Decoded, broken};
use super::hybrid::Hybrid;
use super::metadata::Chunk;
use super::output::{Output, Piece};
use super::page::{Page, PageKind, Pages};
use super::ranges::Ranges;
use super::schema::{Leaf, Meaning};
use super::values::{Dense, Dictionary, Values, prefixed};

/// Where the reading of a column is.
pub struct Cursor<'a, R> {
    leaf: &'a Leaf,
    meaning: Meaning,
    pages: Pages<'a, R>,
    dictionary: Option<Dictionary>,
    open: Option<Open>,
    row: u64,
    levels: Vec<u32>,
    valid: Vec<u8>,
    dense: Dense,
}

/// A data page in use.
struct Open {
    page: Page,
    /// Absent where no value is ever missing.
    levels: Option<Hybrid>,
    values: Values,
    left: usize,
}

/// Which rows of a piece have a value.
enum Present {
    All,
    None,
    /// As `valid` says, and how many.
    Some(usize),
}

impl<'a, R: Ranges> Cursor<'a, R> {
    /// `total` counts the bytes that the pages of all columns take.
    pub fn new(ranges: &'a R, chunk: &Chunk, leaf: &'a Leaf, meaning: Meaning, total: &Rc<Cell<usize>>) -> Self {
        Self {
            leaf,
            meaning,
            pages: Pages::new(ranges, chunk, total),
            dictionary: None,
            open: None,
            row: 0,
            levels: Vec::new(),
            valid: Vec::new(),
            dense: Dense::default(),
        }
    }

    /// Appends the next `rows` rows to `out`.
    pub fn append(&mut self, rows: usize, out: &mut Output) -> Decoded<()> {
        let mut missing = rows;
        while missing > 0 {
            let mut open = match self.open.take() {
                Some(open) if open.left > 0 => open,
                _ => self.next_page(out).map_err(|fault| fault.within(&format!("after row {}", self.row)))?,
            };
            let taken = missing.min(open.left);
            let piece = self.piece(&mut open, taken, out);
            piece.map_err(|fault| fault.within(&format!("rows {} to {}", self.row, self.row + taken as u64 - 1)))?;
            open.left -= taken;
            missing -= taken;
            self.row += taken as u64;
            self.open = Some(open);
        }
        Ok(())
    }

    /// That nothing is left when the row group's rows are all there.
    pub fn finish(&self) -> Decoded<()> {
        match &self.open {
            Some(open) if open.left > 0 => broken(format!("its pages hold more values than the {} rows", self.row)),
            _ => Ok(()),
        }
    }

    fn next_page(&mut self, out: &mut Output) -> Decoded<Open> {
        loop {
            let Some(page) = self.pages.next()? else {
                return broken("its pages end, and the row group has more rows");
            };
            if page.kind == PageKind::Dictionary {
                if self.dictionary.is_some() {
                    return broken("a second dictionary");
                }
                // `PLAIN`, or what older writers call it.
                if !matches!(page.encoding, 0 | 2) {
                    return broken(format!("a dictionary in encoding {}", page.encoding));
                }
                let dictionary = Dictionary::read(page.bytes.as_slice(), page.num_values, self.leaf.physical)?;
                if matches!(self.meaning, Meaning::Text | Meaning::Category) {
                    check_text(&dictionary.values).map_err(|fault| fault.within("dictionary"))?;
                }
                self.dictionary = Some(dictionary);
                out.forget_dictionary();
            } else if page.num_values > 0 {
                return self.open(page);
            }
        }
    }

    fn open(&self, page: Page) -> Decoded<Open> {
        let bytes = page.bytes.as_slice();
        let width = (u32::BITS - self.leaf.max_level.leading_zeros()) as u8;
        let (levels, at) = match page.kind {
            PageKind::V2 { repetition, definition } => {
                let end = repetition + definition;
                ((width > 0).then(|| Hybrid::new(repetition, end, width)), end)
            }
            _ if width == 0 => (None, 0),
            _ => {
                let end = prefixed(bytes, 0).map_err(|fault| fault.within("levels"))?;
                (Some(Hybrid::new(4, end, width)), end)
            }
        };
        let values = Values::new(bytes, at, page.encoding, self.leaf.physical, page.num_values)?;
        Ok(Open { left: page.num_values, levels: levels.transpose()?, values, page })
    }

    fn piece(&mut self, open: &mut Open, rows: usize, out: &mut Output) -> Decoded<()> {
        let page = open.page.bytes.as_slice();
        let present = match &mut open.levels {
            Some(levels) => self.present(levels, page, rows).map_err(|fault| fault.within("levels"))?,
            None => Present::All,
        };
        let (count, valid) = match present {
            Present::All => (rows, None),
            Present::None => return out.append_nulls(rows),
            Present::Some(count) => (count, Some(self.valid.as_slice())),
        };
        self.dense.clear();
        let dictionary = self.dictionary.as_ref();
        let indexes = open.values.are_indexes();
        match dictionary {
            Some(dictionary) if indexes && self.meaning == Meaning::Category => {
                open.values.codes(page, count, dictionary, &mut self.dense)?;
                return out.append_codes(rows, valid, &self.dense.codes, dictionary);
            }
            _ => open.values.read(page, count, dictionary, &mut self.dense)?,
        }
        if !indexes && matches!(self.meaning, Meaning::Text | Meaning::Category) {
            check_text(&self.dense)?;
        }
        out.append(&Piece { rows, valid, dense: &self.dense, physical: self.leaf.physical })
    }

    /// Reads the levels of the next `rows` rows into `valid`.
    fn present(&mut self, levels: &mut Hybrid, page: &[u8], rows: usize) -> Decoded<Present> {
        let max = self.leaf.max_level;
        if let Some(level) = levels.equal_run(page, rows)? {
            return match level {
                level if level > max => broken(format!("a level of {level} where {max} is the greatest")),
                level if level == max => Ok(Present::All),
                _ => Ok(Present::None),
            };
        }
        self.levels.clear();
        levels.read(page, rows, &mut self.levels)?;
        if let Some(level) = self.levels.iter().find(|&&level| level > max) {
            return broken(format!("a level of {level} where {max} is the greatest"));
        }
        self.valid.clear();
        self.valid.extend(self.levels.iter().map(|&level| u8::from(level == max)));
        let count = self.valid.iter().map(|&valid| usize::from(valid)).sum();
        Ok(if count == rows { Present::All } else { Present::Some(count) })
    }
}

/// That each value is UTF-8.
fn check_text(values: &Dense) -> Decoded<()> {
    let whole = std::str::from_utf8(&values.bytes);
    let fits = |text: &str| values.ends.iter().all(|&end| text.is_char_boundary(end as usize));
    if whole.is_ok_and(fits) { Ok(()) } else { broken("a text that is not UTF-8") }
}
