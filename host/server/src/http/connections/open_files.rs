//! How many files and sockets the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the rest of the process needs: the database, journals, artifacts, connections of its own.
const OTHERS: usize = 512;

/// Raises the process' limit as far as the system lets it, and says how many connections that leaves of `wanted`.
pub(super) fn room_for(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let enough = u64::try_from(wanted.saturating_add(OTHERS)).unwrap_or(u64::MAX);
    let goal = maximum.map_or(enough, |maximum| maximum.min(enough));
    let mut limit = current.unwrap_or(u64::MAX);
    if limit < goal && setrlimit(Resource::Nofile, Rlimit { current: Some(goal), maximum }).is_ok() {
        limit = goal;
    }
    let files = usize::try_from(limit).unwrap_or(usize::MAX);
    let room = wanted.min(files.saturating_sub(OTHERS).max(files / 2)).max(1);
    if room < wanted {
        tracing::warn!(
            "the system lets this process open {files} files, so that it takes {room} connections at a time"
        );
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_some_room() {
        assert_eq!(room_for(1), 1);
        assert!((1..=1_000_000_000).contains(&room_for(1_000_000_000)));
    }
}
