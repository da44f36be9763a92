//! Where compiled code is kept, and the key that authenticates it.
//!
//! Compiled code is shared by all projects of a user, so that a plugin is compiled once. Whoever can write such a file
//! could run code in the host, so each carries a MAC, and its key lies elsewhere, readable by its owner alone.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub struct Compiled {
    pub folder: PathBuf,
    pub key: [u8; 32],
}

impl Compiled {
    /// Under the user's cache and state folders (XDG base directories), or under `home` where there are none.
    pub fn open(home: &Path) -> Result<Self> {
        let user = |variable: &str, below: &str| {
            let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
            let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(below));
            named.or_else(usual).map_or_else(|| home.to_owned(), |folder| folder.join("wasmlops"))
        };
        let folder = match std::env::var_os("WASMLOPS_CACHE_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => user("XDG_CACHE_HOME", ".cache").join("compiled"),
        };
        make_private(&folder)?;
        let state = user("XDG_STATE_HOME", ".local/state");
        make_private(&state)?;
        Ok(Self { folder, key: key(&state.join("compiled.key"))? })
    }
}

/// A folder that its owner alone can use.
pub fn make_private(folder: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))
}

/// Reads the key, or makes one. Two processes that make it at once agree on the one whose link came first.
fn key(path: &Path) -> Result<[u8; 32]> {
    if let Some(key) = read(path) {
        return Ok(key);
    }
    let mut random = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .context("cannot read random numbers for the key of compiled code")?;
    let beside = path.with_extension(format!("key.{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(&random));
    written.with_context(|| format!("cannot write `{}`", beside.display()))?;
    // A key of the wrong length is of no use to anybody; a good one that came meanwhile is kept.
    if read(path).is_none() && path.exists() {
        let _ = fs::remove_file(path);
    }
    let _ = fs::hard_link(&beside, path);
    let _ = fs::remove_file(&beside);
    read(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn read(path: &Path) -> Option<[u8; 32]> {
    fs::read(path).ok()?.try_into().ok()
}
