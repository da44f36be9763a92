//! What is read: granted files, one or many, or bytes in memory, each with the name that messages give it. Knows no
//! format.

mod pattern;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use wasmlops_sdk::prelude::*;

use crate::compress::Content;
use crate::options::Files;

/// Everything that becomes one table.
pub struct Sources {
    /// All of it, for messages: the path or pattern as the user wrote it.
    pub name: String,
    /// The key in the configuration that says where it is, for errors.
    pub field: &'static str,
    /// At least one, in the order of the table's rows.
    pub inputs: Vec<Input>,
    /// The name of the column that says which input a row is from.
    pub file_column: Option<String>,
    bytes_done: Rc<Cell<u64>>,
    bytes_total: Option<u64>,
}

impl Sources {
    /// The granted files that `files` names, in the order of their names.
    ///
    /// Errors: `invalid-config` at `path` where there is none, or it is a folder; `denied` where it may not be read.
    pub fn files(files: &Files) -> Result<Self> {
        let paths = pattern::paths(&files.path)?;
        let bytes_done = Rc::default();
        let input = |path| Input { name: path, field: "path", place: Place::File, bytes_done: Rc::clone(&bytes_done) };
        let mut sources = Self {
            name: files.path.clone(),
            field: "path",
            inputs: paths.into_iter().map(input).collect(),
            file_column: files.file_column.clone(),
            bytes_total: None,
            bytes_done: Rc::clone(&bytes_done),
        };
        // Opened once here, so that a wrong path is found before anything is read.
        let sizes = sources.inputs.iter().map(Input::size).collect::<Result<Vec<_>>>()?;
        sources.bytes_total = sizes.into_iter().sum();
        Ok(sources)
    }

    /// Bytes that are here already, under a name for messages; `field` is the key that errors name.
    pub fn memory(name: impl Into<String>, field: &'static str, bytes: impl Into<Rc<[u8]>>) -> Self {
        let (name, bytes, bytes_done) = (name.into(), bytes.into(), Rc::default());
        let input = Input {
            name: name.clone(),
            field,
            place: Place::Memory(Rc::clone(&bytes)),
            bytes_done: Rc::clone(&bytes_done),
        };
        let bytes_total = Some(bytes.len() as u64);
        Self { name, field, inputs: vec![input], file_column: None, bytes_done, bytes_total }
    }

    /// The field of the column `name` that says which input a row is from: categorical, its values [`Input::name`].
    ///
    /// Errors: `invalid-config` at `file_column` where one of `fields` has that name.
    pub fn file_field(&self, name: &str, fields: &[Field]) -> Result<Field> {
        if name.is_empty() || fields.iter().any(|field| field.name == name) {
            let what = if name.is_empty() { "is empty" } else { "is the name of a column of the file" };
            let message = format!("`{name}` {what}\nhint: choose another name for the column with the file");
            return Err(Error::invalid_config("file_column", message));
        }
        Ok(Field::new(name, DataType::Categorical, false))
    }

    /// Bytes that are had from somewhere else, under a name for messages; `field` is the key that errors name.
    pub fn elsewhere(name: impl Into<String>, field: &'static str, bytes: Rc<dyn Elsewhere>) -> Self {
        let (name, bytes_done) = (name.into(), Rc::default());
        let bytes_total = Some(bytes.size());
        let place = Place::Elsewhere(bytes);
        let input = Input { name: name.clone(), field, place, bytes_done: Rc::clone(&bytes_done) };
        Self { name, field, inputs: vec![input], file_column: None, bytes_done, bytes_total }
    }

    /// Whether rows are of more than one input, so that messages must say which.
    pub fn are_many(&self) -> bool {
        self.inputs.len() > 1
    }

    /// Tells the host how many bytes were read since the last [`Sources::start_over`], as they lie there.
    pub fn report_progress(&self) {
        progress::update(self.bytes_done.get(), self.bytes_total, "bytes read");
    }

    /// What was read so far does not count as progress: it is read again.
    pub fn start_over(&self) {
        self.bytes_done.set(0);
    }

    /// An error about all of it: `invalid-input`, the name and `what`.
    pub fn wrong(&self, what: &str) -> Error {
        Error::invalid_input(format!("`{}` {what}", self.name)).at(self.field)
    }
}

/// Bytes behind some door of the plugin's own, of which any part can be had at any time.
pub trait Elsewhere {
    fn size(&self) -> u64;

    /// Reads some bytes from `offset` on; none at the end only. An error of the contract may come as
    /// [`io::Error::other`]: it is passed on as it is.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

/// One file, or bytes in memory. May be opened more than once.
pub struct Input {
    name: String,
    field: &'static str,
    place: Place,
    bytes_done: Rc<Cell<u64>>,
}

enum Place {
    File,
    Memory(Rc<[u8]>),
    Elsewhere(Rc<dyn Elsewhere>),
}

impl Input {
    /// For messages, and the value of the file column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes as they lie there, from the start; may be read from any place.
    ///
    /// Errors: as [`Sources::files`].
    pub fn open(&self) -> Result<Stream> {
        let place = match &self.place {
            Place::Memory(bytes) => Opened::Memory(Cursor::new(Rc::clone(bytes))),
            Place::Elsewhere(bytes) => Opened::Elsewhere { bytes: Rc::clone(bytes), at: 0 },
            Place::File => Opened::File(open(&self.name)?),
        };
        Ok(Stream { place, bytes_done: Rc::clone(&self.bytes_done) })
    }

    /// What is meant, from the start: without compression, if there is any.
    ///
    /// Errors: as [`Sources::files`]; those of reading are `io::Error`s, see [`Input::unreadable`].
    pub fn open_content(&self) -> Result<Content<Stream>> {
        Ok(Content::new(self.open()?))
    }

    /// Bytes as they lie there, where that is known.
    pub fn size(&self) -> Result<Option<u64>> {
        match &self.place {
            Place::Memory(bytes) => Ok(Some(bytes.len() as u64)),
            Place::Elsewhere(bytes) => Ok(Some(bytes.size())),
            Place::File => Ok(open(&self.name)?.metadata().ok().map(|metadata| metadata.len())),
        }
    }

    /// An error about this input: `invalid-input`, the name and `what`.
    pub fn wrong(&self, what: &str) -> Error {
        Error::invalid_input(format!("`{}` {what}", self.name)).at(self.field)
    }

    /// What a failed read means: damaged compression is `invalid-input`, all else is that of opening.
    pub fn unreadable(&self, error: &io::Error) -> Error {
        if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
            return error.clone();
        }
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => self.wrong(&error.to_string()),
            _ => unreadable(&self.name, error),
        }
    }
}

/// An input being read; counts for the progress.
pub struct Stream {
    place: Opened,
    bytes_done: Rc<Cell<u64>>,
}

enum Opened {
    File(File),
    Memory(Cursor<Rc<[u8]>>),
    Elsewhere { bytes: Rc<dyn Elsewhere>, at: u64 },
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.place {
            Opened::File(file) => file.read(into),
            Opened::Memory(bytes) => bytes.read(into),
            Opened::Elsewhere { bytes, at } => bytes.read_at(*at, into).inspect(|&read| *at += read as u64),
        }?;
        self.bytes_done.set(self.bytes_done.get() + read as u64);
        Ok(read)
    }
}

impl Seek for Stream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.place {
            Opened::File(file) => file.seek(to),
            Opened::Memory(bytes) => bytes.seek(to),
            Opened::Elsewhere { bytes, at } => {
                let target = match to {
                    SeekFrom::Start(offset) => Some(offset),
                    SeekFrom::End(offset) => bytes.size().checked_add_signed(offset),
                    SeekFrom::Current(offset) => at.checked_add_signed(offset),
                };
                *at = target.ok_or(io::ErrorKind::InvalidInput)?;
                Ok(*at)
            }
        }
    }
}

fn open(path: &str) -> Result<File> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(folder(path)),
        _ => Ok(file),
    }
}

/// Why a file cannot be read.
fn unreadable(path: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Error::new(ErrorCode::Denied, format!("the step may not read `{path}`\n{}", hint(path))).at("path")
        }
        io::ErrorKind::IsADirectory => folder(path),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => not_seen(path),
        // Without any granted file there is nothing that a path could be relative to, which has no kind of its own.
        _ if error.raw_os_error().is_none() => not_seen(path),
        _ => Error::invalid_config("path", format!("cannot read `{path}`: {error}")),
    }
}

fn not_seen(path: &str) -> Error {
    let message = format!("there is no file `{path}` among those granted to this step\n{}", hint(path));
    Error::invalid_config("path", message)
}

fn folder(path: &str) -> Error {
    Error::invalid_config("path", format!("`{path}` is a folder\nhint: name a file"))
}

fn hint(path: &str) -> String {
    format!("hint: check the path, and grant the step the file: `grants: {{ read: [{path}] }}`")
}

#[cfg(test)]
mod tests;
