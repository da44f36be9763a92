//! How many bytes of HTTP bodies the host holds for a call at once. Bodies travel whole, and they lie in the host's
//! memory, which the guest's own limit does not count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// As much as may cross the boundary in one call.
const LIMIT: usize = 64 << 20;

/// Why there is nothing more to be had.
pub(super) const EMPTY: &str = "at most 64 MiB of HTTP bodies are held at once; send less, and drop answers when read";

/// Clones are the same purse.
#[derive(Clone, Default)]
pub(super) struct Purse(Arc<AtomicUsize>);

/// A body, whose share goes back when this is dropped.
pub(super) struct Held {
    bytes: Vec<u8>,
    share: usize,
    purse: Purse,
}

impl Purse {
    /// An empty body.
    pub fn open(&self) -> Held {
        Held { bytes: Vec::new(), share: 0, purse: self.clone() }
    }

    /// Nothing, if there is no room for the body.
    pub fn hold(&self, bytes: Vec<u8>) -> Option<Held> {
        let mut held = self.open();
        let room = held.take(bytes.len());
        held.bytes = bytes;
        room.then_some(held)
    }
}

impl Held {
    /// Appends, if there is room.
    pub fn push(&mut self, data: &[u8]) -> bool {
        let room = self.take(data.len());
        if room {
            self.bytes.extend_from_slice(data);
        }
        room
    }

    /// Gives the bytes away and keeps their share.
    pub fn give(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn take(&mut self, bytes: usize) -> bool {
        let room = |held: usize| held.checked_add(bytes).filter(|held| *held <= LIMIT);
        let taken = self.purse.0.fetch_update(Relaxed, Relaxed, room).is_ok();
        self.share += if taken { bytes } else { 0 };
        taken
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.purse.0.fetch_sub(self.share, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_comes_back() {
        let purse = Purse::default();
        let mut large = purse.hold(vec![0; LIMIT - 10]).unwrap();
        let mut small = purse.open();
        assert!(small.push(&[0; 10]) && !small.push(&[0]));
        assert!(purse.hold(vec![0]).is_none());
        assert_eq!(large.give().len(), LIMIT - 10);
        assert!(purse.hold(vec![0]).is_none());
        drop(large);
        assert!(purse.hold(vec![0; LIMIT - 10]).is_some());
    }
}
