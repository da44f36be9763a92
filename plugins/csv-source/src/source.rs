//! Opens the granted file.

use std::fs::File;
use std::io;

use wasmlops_sdk::prelude::*;

/// Errors: `invalid-config` at `path` where the step does not see such a file, `denied` where it may not read it.
pub fn open(path: &str) -> Result<File> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(folder(path)),
        _ => Ok(file),
    }
}

/// Why a file cannot be read.
pub fn unreadable(path: &str, error: &io::Error) -> Error {
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
