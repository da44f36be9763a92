//! `wasmlops.lock`: which version and digest each plugin name stands for. Runs use digests only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wasmlops_package::{Digest, PluginName};

use crate::error::{Error, Result};

pub const LOCK_FILE: &str = "wasmlops.lock";

/// The lock of a project; JSON on disk, sorted, to be committed.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub plugins: BTreeMap<PluginName, LockedPlugin>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPlugin {
    pub version: semver::Version,
    pub digest: Digest,
}

impl Lock {
    /// The lock in `root`; empty where there is none yet.
    pub fn read(root: &Path) -> Result<Self> {
        let text = match fs::read_to_string(root.join(LOCK_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::Io { what: format!("read `{LOCK_FILE}`"), source: error }),
        };
        serde_json::from_str(&text).map_err(|error| {
            let hint = "restore it from version control, or delete it to have the newest plugins";
            Error::user("invalid-lock", format!("`{LOCK_FILE}` line {}: {error}", error.line()), hint)
        })
    }

    /// Written beside and moved into place, so that it is never half there.
    pub fn write(&self, root: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(Error::bug)? + "\n";
        let beside = root.join(".wasmlops.lock.new");
        fs::write(&beside, text).map_err(Error::io(format!("write `{LOCK_FILE}`")))?;
        fs::rename(&beside, root.join(LOCK_FILE)).map_err(Error::io(format!("write `{LOCK_FILE}`")))
    }
}
