//! One record: checks that it is a JSON object (RFC 8259) and gives its values as events. Makes no tree and copies
//! nothing.

use std::borrow::Cow;

use super::keys::{Entry, Keys};
use super::text::{escape, number, plain_bytes, unescape};

/// Objects and arrays within each other.
const MAX_DEPTH: usize = 64;

/// A value of the record, and which key it is under.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub entry: Entry,
    pub kind: Kind,
    /// Its bytes in the record; a text's without the quotes.
    pub start: u32,
    pub end: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    /// A text with escapes in it.
    Escaped,
    /// An array, or an object that is not taken apart.
    Json,
}

/// What is to be done with what is found.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Levels of objects that are taken apart.
    pub flatten: usize,
    pub refuse_arrays: bool,
    pub unknown: Unknown,
}

/// What becomes of keys that are not known yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unknown {
    Add,
    Ignore,
    Refuse,
}

/// Why a record is none; where, counted in bytes.
#[derive(Debug)]
pub struct Problem {
    pub at: usize,
    pub what: Cow<'static, str>,
}

type Parsed<T> = Result<T, Problem>;

/// Appends the record's values to `events`.
pub fn record(bytes: &[u8], rules: Rules, keys: &mut Keys, events: &mut Vec<Event>) -> Parsed<()> {
    let mut parser = Parser { bytes, at: 0, rules, keys, events };
    parser.blanks();
    if parser.peek() != Some(b'{') {
        return parser.wrong("this is no JSON object");
    }
    parser.keys.begin_record();
    parser.object(Keys::ROOT, 0)?;
    parser.blanks();
    if parser.at < bytes.len() { parser.wrong("something follows the object") } else { Ok(()) }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    rules: Rules,
    keys: &'a mut Keys,
    events: &'a mut Vec<Event>,
}

impl Parser<'_> {
    /// The object that begins here, taken apart.
    fn object(&mut self, node: usize, depth: usize) -> Parsed<()> {
        if depth >= MAX_DEPTH {
            return self.wrong("objects and arrays are nested deeper than 64");
        }
        self.at += 1;
        let mut expected = 0;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let entry = self.key(node, &mut expected)?;
            match entry {
                Some(entry) => self.value(entry, depth)?,
                None => self.skip(depth + 1)?,
            }
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                None => return self.wrong("the object does not end"),
                Some(_) => return self.wrong("`,` or `}` is missing"),
            }
            self.blanks();
        }
    }

    /// A key and its colon; `None` for one that is to be passed over.
    fn key(&mut self, node: usize, expected: &mut usize) -> Parsed<Option<Entry>> {
        let at = self.at;
        if self.peek() != Some(b'"') {
            return self.wrong(if self.at < self.bytes.len() {
                "a key in quotes is missing"
            } else {
                "the object does not end"
            });
        }
        let (start, end, escaped) = self.text()?;
        let raw = &self.bytes[start..end];
        let unescaped;
        let key = if escaped {
            unescaped = unescape(&String::from_utf8_lossy(raw));
            unescaped.as_bytes()
        } else {
            raw
        };
        self.blanks();
        if self.peek() != Some(b':') {
            return self.wrong("`:` is missing after a key");
        }
        self.at += 1;
        self.blanks();
        let found = match self.keys.find(node, key, expected) {
            Some(entry) => entry,
            None => match self.rules.unknown {
                Unknown::Ignore => return Ok(None),
                Unknown::Refuse => {
                    let name = self.keys.path(node, key);
                    let what = format!("the key `{}` is not declared", crate::problems::short(&name));
                    return Err(Problem { at, what: what.into() });
                }
                Unknown::Add => match self.keys.add(node, key) {
                    Some(entry) => entry,
                    None => return Err(Problem { at, what: "the file has too many different keys".into() }),
                },
            },
        };
        if !self.keys.see(found) {
            let what = format!("the key `{}` comes twice", crate::problems::short(self.keys.name(found)));
            return Err(Problem { at, what: what.into() });
        }
        Ok(Some(found))
    }

    fn value(&mut self, entry: Entry, depth: usize) -> Parsed<()> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => {
                let (start, end, escaped) = self.text()?;
                let kind = if escaped { Kind::Escaped } else { Kind::Text };
                self.events.push(Event { entry, kind, start: start as u32, end: end as u32 });
                return Ok(());
            }
            Some(b'{') if depth < self.rules.flatten => {
                if let Some(node) = self.keys.node(entry, self.rules.unknown == Unknown::Add) {
                    return self.object(node, depth + 1);
                }
                self.skip(depth + 1)?;
                // No column lies in it; a declared column of this name takes it as text.
                Kind::Json
            }
            Some(b'[') if self.rules.refuse_arrays => {
                let what = format!("column `{}`: an array", self.keys.name(entry));
                return Err(Problem { at: start, what: what.into() });
            }
            Some(b'{' | b'[') => {
                self.skip(depth + 1)?;
                Kind::Json
            }
            _ => self.scalar()?,
        };
        self.events.push(Event { entry, kind, start: start as u32, end: self.at as u32 });
        Ok(())
    }

    /// Passes over a value of any kind.
    fn skip(&mut self, depth: usize) -> Parsed<()> {
        if depth > MAX_DEPTH {
            return self.wrong("objects and arrays are nested deeper than 64");
        }
        let (is_object, close) = match self.peek() {
            Some(b'"') => return self.text().map(drop),
            Some(b'{') => (true, b'}'),
            Some(b'[') => (false, b']'),
            _ => return self.scalar().map(drop),
        };
        self.at += 1;
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            if is_object {
                if self.peek() != Some(b'"') {
                    return self.wrong("a key in quotes is missing");
                }
                self.text()?;
                self.blanks();
                if self.peek() != Some(b':') {
                    return self.wrong("`:` is missing after a key");
                }
                self.at += 1;
                self.blanks();
            }
            self.skip(depth + 1)?;
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ if is_object => return self.wrong("`,` or `}` is missing"),
                _ => return self.wrong("`,` or `]` is missing"),
            }
            self.blanks();
        }
    }

    fn scalar(&mut self) -> Parsed<Kind> {
        let rest = &self.bytes[self.at..];
        let (length, kind) = match rest.first() {
            Some(b't') if rest.starts_with(b"true") => (4, Kind::True),
            Some(b'f') if rest.starts_with(b"false") => (5, Kind::False),
            Some(b'n') if rest.starts_with(b"null") => (4, Kind::Null),
            Some(b'-' | b'0'..=b'9') => match number(rest) {
                Some(length) => (length, Kind::Number),
                None => return self.wrong("this is no JSON number"),
            },
            Some(b'N' | b'I') => return self.wrong("JSON has no `NaN` and no `Infinity`"),
            Some(_) => return self.wrong("this is no JSON value"),
            None => return self.wrong("a value is missing"),
        };
        self.at += length;
        Ok(kind)
    }

    /// The text that begins here: where it is between its quotes, and whether it has escapes.
    #[inline]
    fn text(&mut self) -> Parsed<(usize, usize, bool)> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at += plain_bytes(&self.bytes[at..]);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok((start, at, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    at += match escape(&self.bytes[at..]) {
                        Some((_, length)) => length,
                        None => return Err(Problem { at, what: "an escape that JSON does not have".into() }),
                    };
                }
                Some(_) => return Err(Problem { at, what: "a control character in a text".into() }),
                None => return Err(Problem { at: start - 1, what: "a text does not end".into() }),
            }
        }
    }

    #[inline]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn wrong<T>(&self, what: &'static str) -> Parsed<T> {
        Err(Problem { at: self.at, what: what.into() })
    }
}
