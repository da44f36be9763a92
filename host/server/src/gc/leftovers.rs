//! What killed processes left in the scratch folder.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use wasmlops_core::run::Micros;

/// No step runs for so long.
const OLD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Private copies of granted files whose step is long over. Gives how many there are, or were.
pub(super) fn stages(scratch: &Path, now: Micros, remove: bool) -> io::Result<u64> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(now.unsigned_abs());
    let mut count = 0;
    for entry in fs::read_dir(scratch)? {
        let entry = entry?;
        let is_stage = entry.file_name().to_str().is_some_and(|name| name.starts_with("stage-"));
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let old = modified.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > OLD));
        if is_stage && old && (!remove || fs::remove_dir_all(entry.path()).is_ok()) {
            count += 1;
        }
    }
    Ok(count)
}
